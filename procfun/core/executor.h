/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/recorder.h"
#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

/* Sets a function that is called once, when the first executor of the process is made. To be called
 * before main(). */
void procfun_executor_set_first_hook (void (*hook) (void));

/* The executors of this process, in the order in which they were made. (transfer full)
 * (element-type ProcfunExecutor) */
GPtrArray *executor_list_ref_all (void);

/* Count a call that begins, and one that has ended: closing waits for it. FALSE: the executor is
 * closed. @error: reason of the failure, or NULL. */
gboolean procfun_executor_enter (ProcfunExecutor *self, ProcfunCall *call, GError **error);
void procfun_executor_leave (ProcfunExecutor *self, ProcfunCall *call, const GError *error);

/* The same for a call without an object. The second form takes back what the first has counted. */
gboolean procfun_executor_try_enter (ProcfunExecutor *self);
void procfun_executor_withdraw (ProcfunExecutor *self);
void procfun_executor_count (ProcfunExecutor *self, const Ending *ending);

/* Forgets what belongs to the parent, where the program has forked itself. Executors that keep
 * something override `begin_anew` for it. */
void procfun_executor_check_process (ProcfunExecutor *self);

/* Takes no more calls, and ends those that there are as @flags says. Closing goes on later. */
void procfun_executor_begin_to_close (ProcfunExecutor *self, ProcfunCloseFlags flags);

/* FALSE, with an error: calls that this thread has to bring to an end would be waited for in
 * vain. */
gboolean executor_fail_nested (GError **error);

/* With what flags the executor was closed. Executors that know which calls wait, and which run,
 * override `end_calls`, which is called from any thread. */
ProcfunCloseFlags procfun_executor_get_close_flags (ProcfunExecutor *self);

/* Number of calls that keep the executor busy; one at least. Executors of the library override
 * `get_capacity` for this, which is called from any thread. */
guint procfun_executor_get_capacity (ProcfunExecutor *self);

/* Most bytes that the arguments of an element may take, where calls may be chunks of a map; 0: each
 * element is a call. Executors that take chunks override `get_chunk_limit` for this. */
guint64 procfun_executor_get_chunk_limit (ProcfunExecutor *self);

/* Runs @call on @self and counts it. */
GVariant *procfun_executor_run (ProcfunExecutor *self, ProcfunCall *call, GError **error);

/* One of @result and @error is set. The receiver owns it. */
typedef void (*ProcfunExecutorFunc) (GVariant *result, GError *error, gpointer user_data);

/* Runs a call that procfun_executor_enter() has counted. @context is the default of this thread;
 * the caller holds it, and @self. @func may come at once, and passes its result to
 * procfun_executor_end(), which checks and counts it. Executors of the library override `run_then`
 * for this: the cancellable and the result object of `run_async` cost as much as the rest of a
 * call. They watch the call's canceller in all vfuncs. */
void procfun_executor_run_async (ProcfunExecutor *self, ProcfunCall *call, GMainContext *context,
                                 ProcfunExecutorFunc func, gpointer user_data);
GVariant *procfun_executor_end (ProcfunExecutor *self, ProcfunCall *call, GVariant *result,
                                GError **error);

/* The same for one item of a generator. The caller counts the call. */
GVariant *procfun_executor_next (ProcfunExecutor *self, ProcfunCall *call, GError **error);
void procfun_executor_next_async (ProcfunExecutor *self, ProcfunCall *call,
                                  GAsyncReadyCallback callback, gpointer user_data);
GVariant *procfun_executor_next_finish (ProcfunExecutor *self, ProcfunCall *call,
                                        GAsyncResult *result, GError **error);

/* Wait until nothing runs; the second, which takes @task, in a main context. Executors may override
 * `close_progress`, which is called in any thread while a waiter waits. @closing_since: when
 * closing began, in monotonic µs, or 0; @blocks: a thread waits. FALSE with @error: waiting is in
 * vain. *@next: when to call it again; 0: never. */
gboolean procfun_executor_wait (ProcfunExecutor *self, GCancellable *cancellable, GError **error);
void procfun_executor_wait_async (GTask *task);

/* Emit the signal of that name in this thread, which also counts it. Hold no lock that a handler
 * might want. @wait_status: as of wait(2), or -1 when it is not known. @reason: a word for
 * programs, such as “calls”, “memory” or “idle”. */
void procfun_executor_emit_worker_started (ProcfunExecutor *self, int pid);
void procfun_executor_emit_worker_exited (ProcfunExecutor *self, int pid, int wait_status);
void procfun_executor_emit_worker_recycled (ProcfunExecutor *self, int pid, const char *reason);

/* Copies the counts so far. @n_unfinished: calls taken that have not ended. */
void procfun_executor_copy_counts (ProcfunExecutor *self, Recorder *counts, guint *n_unfinished,
                                   guint *number);

G_END_DECLS
