/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* Runs @call on the main context of this thread until it has ended. (transfer full) */
GAsyncResult *calls_await (ProcfunCall *call, GCancellable *cancellable);

/* Runs @call, which it takes, in one of the two ways: in this thread, or on a main context made for
 * it. */
GVariant *calls_run (ProcfunCall *call, gboolean async, GCancellable *cancellable, GError **error);

/* The same for a call on @executor that must bring @expected, as g_variant_print() writes it. */
void calls_assert_result (ProcfunExecutor *executor, ProcfunCall *call, gboolean async,
                          const char *expected);

/* The same for a call on @executor that must fail with a message that @pattern fits. */
void calls_assert_error (ProcfunExecutor *executor, ProcfunCall *call, gboolean async,
                         GQuark domain, gint code, const char *pattern);
void calls_check_error (const GError *error, GQuark domain, gint code, const char *pattern);

/* A call of the function with this name, with arguments as g_variant_parse() reads them. */
ProcfunCall *calls_new (const char *name, const char *arguments);

/* Executors that run each call in another process, to which the same rules apply. Adds a test for
 * each, below its name; there, calls that name no executor run on one of that kind, also in
 * programs that the test starts. */
void calls_add_func (const char *path, GTestFunc func);
void calls_add_data_func (const char *path, gconstpointer data, GTestDataFunc func);

/* The same with a pool of one worker, and with the executor of this process. */
typedef enum
{
  CALLS_ON_FRESH_PROCESSES = 2,
  CALLS_ON_PROCESSES,
  CALLS_ON_ALL
} CallsReach;

void calls_add_func_for (CallsReach reach, const char *path, GTestFunc func);

/* Another one of the kind that the test is for. */
ProcfunExecutor *calls_new_executor (void);

/* @call, on another one. */
ProcfunCall *calls_on_executor (ProcfunCall *call);

/* A pipe by which a function says that it runs: where it writes to, and waiting for that. */
typedef struct
{
  int ends[2];
} Signal;

void signal_open (Signal *self);
void signal_open_inherited (Signal *self); /* by whatever is started */
void signal_wait (Signal *self);

/* The same of an asynchronous call of this thread's main context, whose process may have to be
 * started first, in turns of the main loop. */
void signal_await (Signal *self);
void signal_close (Signal *self);
