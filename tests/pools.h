/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tests/calls.h"

/* Functions that look at the worker they run in, or leave something in it. */
PROCFUN_DECLARE_FUNCTION (count_calls, gint)
PROCFUN_DECLARE_FUNCTION (prepare, void, (gint, value))
PROCFUN_DECLARE_FUNCTION (get_prepared, gint)
PROCFUN_DECLARE_FUNCTION_WITH_ERROR (fail_to_prepare, void)
PROCFUN_DECLARE_FUNCTION (leave_descriptor, void)
PROCFUN_DECLARE_FUNCTION (leave_thread, void)
PROCFUN_DECLARE_FUNCTION (leave_memory, void, (guint64, bytes))

/* Says that it runs, and stays until the other end of @go is closed. */
PROCFUN_DECLARE_FUNCTION (stay_until, gint, (ProcfunFd, ready), (ProcfunFd, go), (gint, result))

/* Ends of asynchronous calls, in their order. */
typedef struct
{
  guint n_ended;
  guint n_succeeded;
  GError *error;   /* (nullable): the last one */
  GArray *results; /* (element-type gint) */
} Results;

void results_init (Results *self);
void results_clear (Results *self);
void results_add (GObject *source, GAsyncResult *result, gpointer self);

/* Runs the default main context until so many calls have ended. */
void results_wait (Results *self, guint n);

/* @call, which it takes, asynchronously. */
void results_run (Results *self, gpointer executor, ProcfunCall *call);

/* A call that has a worker until it is let go. */
typedef struct
{
  Signal ready;
  Signal go;
  ProcfunCall *call;
} Holder;

ProcfunCall *holder_init (Holder *self, gint result);
void holder_run (Holder *self, gpointer executor, Results *results); /* and waits until it runs */
void holder_let_go (Holder *self);
void holder_clear (Holder *self);

/* A call that a thread waits for. */
typedef struct
{
  ProcfunPool *pool; /* (unowned) */
  ProcfunCall *call;
  GCancellable *cancellable; /* (nullable) */
  GError *error;
  GVariant *result;
} Thread;

gpointer thread_run (gpointer self); /* of g_thread_new() */
void thread_clear (Thread *self);

/* Its workers' signals, as words: “started”, “exited”, “recycled: memory”. */
typedef struct
{
  GMutex lock;
  GPtrArray *words; /* (element-type utf8) */
  int pid;          /* of the last one */
  int status;
} Events;

void events_init (Events *self, ProcfunPool *pool);
void events_clear (Events *self);
guint events_count (Events *self, const char *word);

/* Ends a test with a pool that must be whole: it has no call, no more workers than it may have,
 * and, unless the test has closed it, runs one more call and closes. auto_pool does that at the end
 * of a block. */
void pools_check_clear (ProcfunPool **pool);
#define auto_pool __attribute__ ((cleanup (pools_check_clear)))

/* In this thread. */
gint pools_get_number (gpointer executor, ProcfunCall *call);
gint pools_get_pid (gpointer executor);
void pools_assert_error (gpointer executor, ProcfunCall *call, GQuark domain, gint code,
                         const char *pattern);

/* A number that its statistics have. */
guint64 pools_get_statistic (ProcfunPool *pool, const char *key);

/* Runs the default main context until so many calls wait for a worker. */
void pools_wait_until_queued (ProcfunPool *pool, guint n);
