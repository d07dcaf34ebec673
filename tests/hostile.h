/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

G_BEGIN_DECLS

/* Functions that mean harm, or act as if they did, and how a call of each may end: one table for
 * the test that the end is right and for the measurement that it comes soon. */

/* Ends, as bits: codes of PROCFUN_ERROR, an error of the function itself, and a result. */
#define HOSTILE_ENDS(code) (1u << PROCFUN_ERROR_##code)
#define HOSTILE_FAILS (1u << 30)
#define HOSTILE_RETURNS (1u << 31)

typedef struct
{
  const char *name;
  const char *function;  /* by its name */
  const char *arguments; /* of it; “%d” is the process of the caller */
  guint ends;            /* each as right as the others */
  guint ends_in_pool;    /* or 0: the same there */
  const char *limits;    /* (nullable) */
  gboolean captures;     /* its output goes to the caller */
  gboolean generates;    /* its items are taken */
  gboolean is_natural;   /* it needs a process without sanitizers */
  gboolean lingers;      /* what it sends may meet the next call of a process that is kept */
  ProcfunSandbox sandbox;
} Hostile;

/* With the functions that change a setting and leave it so. (element-type Hostile) */
GArray *hostile_list (void);

/* Executors that they are called on */
#define HOSTILE_N_EXECUTORS 4
const char *hostile_get_executor_name (guint i);
ProcfunExecutor *hostile_new_executor (guint i);

/* (nullable): why it cannot be tried on the i-th. */
const char *hostile_get_obstacle (const Hostile *self, guint i);

/* The ends that are right on the i-th. */
guint hostile_get_ends (const Hostile *self, guint i);

/* Calls it, in this thread or in its main context, and returns the end. @timeout: µs, for a call
 * that may end by TIMED_OUT. @text: (out): what is said of it */
guint hostile_run (const Hostile *self, ProcfunExecutor *executor, gboolean async, gint64 timeout,
                   char **text);

G_END_DECLS
