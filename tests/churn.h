/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* Many calls on hosts, while something happens to these, to what is between, and to other callers.
 * PROCFUN_CHURN_CALLS says how many calls there are. */

/* Strikes once of many times; and ends all hosts, when all calls are answered and the pool of the
 * hosts is closed. */
typedef struct
{
  void (*strike) (gpointer user_data);
  void (*end) (gpointer user_data);
  gpointer user_data;
} ChurnEvents;

/* Runs calls that may run once: each is answered once, runs at most once, and runs if it succeeds.
 * Then the same with others that may run again, of which each succeeds. Both say how many were
 * lost, and how many happened. */
void churn_run_once (ProcfunRemotePool *hosts, guint n, const ChurnEvents *events);
void churn_run_again (ProcfunRemotePool *hosts, guint n, const ChurnEvents *events);

/* The file in which each run of a call writes a line. */
typedef struct
{
  char *folder;
  char *path; /* in it */
} ChurnRuns;

/* Another caller, which is this program, and calls until it is killed. churn_be_caller() is for
 * main(), and returns when the program was not started as one. */
typedef struct
{
  char *list; /* of hosts */
  ChurnRuns runs;
  guint n;  /* callers so far */
  GPid pid; /* 0: there is none */
} ChurnCaller;

void churn_be_caller (int argc, char **argv);
void churn_caller_init (ChurnCaller *self, const char *list);
void churn_caller_renew (ChurnCaller *self); /* kills it, and starts the next one */
void churn_caller_end (ChurnCaller *self);   /* none of the calls of them all has run twice */

/* Sends SIGSTOP, and SIGCONT when that was called some times more; and to all that are left. */
typedef struct
{
  GArray *pids; /* (element-type pid_t) */
} ChurnFrozen;

void churn_freeze (ChurnFrozen *self, pid_t pid);
void churn_thaw (ChurnFrozen *self);
