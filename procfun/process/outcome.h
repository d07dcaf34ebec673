/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/base/usage.h"
#include "procfun/process/output.h"
#include "procfun/procfun-call.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-failure.h"

/* Outcome of a call: a result, or an error with the failure that describes it. The first outcome
 * that is set counts; frames that a dead process leaves are read last. */
typedef struct
{
  ProcfunCall *call;           /* borrowed */
  const ProcfunLimits *limits; /* (nullable): borrowed */
  GVariant *result;            /* (nullable) */
  GError *error;               /* (nullable) */
  gboolean has_usage;
  ProcfunUsage usage;
  ProcfunFailure *failure; /* (nullable): not yet, or there is a result */
  int pid;
} Outcome;

void outcome_init (Outcome *self, ProcfunCall *call, int pid);
void outcome_clear (Outcome *self);

gboolean outcome_is_known (const Outcome *self);

/* Both take their argument, and do nothing if the outcome is known. */
void outcome_succeed (Outcome *self, GVariant *result);

/* A result that came does not count. */
void outcome_revoke_result (Outcome *self);
void outcome_fail (Outcome *self, ProcfunCause cause, GError *error);

/* The same with an error of %PROCFUN_ERROR. Its message is made at the end of the function's name,
 * of @sentence (taken), which says what it did, and of its last output. */
void outcome_fail_by (Outcome *self, ProcfunCause cause, ProcfunError code, char *sentence);

/* The function called exit(). */
void outcome_exit (Outcome *self, int code);

/* As the caller has measured it. */
void outcome_set_usage (Outcome *self, const ProcfunUsage *usage);

/* As the process reports it, in bytes that need not be aligned. Impossible values are cut. */
void outcome_set_told_usage (Outcome *self, gconstpointer data);

/* Facts that are left of a dead process. */
typedef struct
{
  gboolean lost;           /* with who looked after it */
  gboolean greeted;        /* it had come so far as to say hello */
  const char *initializer; /* (nullable): the name of the one that it ran */
  gboolean has_status;
  int wait_status;
  ProcfunStep step;   /* that was taken to end it */
  GBytes *report;     /* of a crash: see wire/crash.h */
  GBytes *request;    /* (nullable): see crash_report_new_naming() */
  GBytes *names;      /* (nullable): answer to it */
  Output *outputs[2]; /* borrowed */
  gint64 cpu_time;    /* in µs; -1: not known */
  guint64 bytes_in;   /* see ProcfunUsage */
  guint64 bytes_out;
  gboolean oom_killed;   /* in a control group of its own */
  gboolean fork_refused; /* likewise */
} OutcomeRemains;

/* The process is dead. Finds the cause if it is not known yet, and gives usage and failure to the
 * call. */
void outcome_settle (Outcome *self, const OutcomeRemains *remains);

/* The call was cancelled after all: its result does not count any more. Takes @error. */
void outcome_revoke (Outcome *self, GError *error);

/* The result, not floating; or NULL with @error set. */
GVariant *outcome_take (Outcome *self, GError **error);
