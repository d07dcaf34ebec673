/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/recorder.h"
#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

/* Called once, when the first executor of the process is made. Set before main(). */
void procfun_executor_set_first_hook (void (*hook) (void));

/* The executors of this process, in the order in which they were made. (transfer full)
 * (element-type ProcfunExecutor) */
GPtrArray *executor_list_ref_all (void);

/* Counts a call that begins, and one that has ended: closing waits for it. FALSE: it is closed.
 * @error is why the call failed, or NULL. */
gboolean procfun_executor_enter (ProcfunExecutor *self, ProcfunCall *call, GError **error);
void procfun_executor_leave (ProcfunExecutor *self, ProcfunCall *call, const GError *error);

/* Forgets what belongs to the parent, where the program has forked itself. Executors that keep
 * something override `begin_anew` for it. */
void procfun_executor_check_process (ProcfunExecutor *self);

/* Runs @call on @self, and counts it: closing waits for it. */
GVariant *procfun_executor_run (ProcfunExecutor *self, ProcfunCall *call, GError **error);

/* Either is set, and both are the receiver's. */
typedef void (*ProcfunExecutorFunc) (GVariant *result, GError *error, gpointer user_data);

/* Runs a call that has been counted by procfun_executor_enter(), from @context, which is this
 * thread's default and is held by the caller, as @self is. @func comes, maybe at once, and gives
 * what it got to procfun_executor_end(), which checks and counts it. Executors may override
 * `run_then` for that: what `run_async` needs besides, a cancellable and a result that is an
 * object, costs as much as all else of a call. They look at the call's canceller in all that they
 * run. */
void procfun_executor_run_async (ProcfunExecutor *self, ProcfunCall *call, GMainContext *context,
                                 ProcfunExecutorFunc func, gpointer user_data);
GVariant *procfun_executor_end (ProcfunExecutor *self, ProcfunCall *call, GVariant *result,
                                GError **error);

/* The same for a generator, item by item, for who counts it. */
GVariant *procfun_executor_next (ProcfunExecutor *self, ProcfunCall *call, GError **error);
void procfun_executor_next_async (ProcfunExecutor *self, ProcfunCall *call,
                                  GAsyncReadyCallback callback, gpointer user_data);
GVariant *procfun_executor_next_finish (ProcfunExecutor *self, ProcfunCall *call,
                                        GAsyncResult *result, GError **error);

/* Waits until nothing runs; the second, which takes @task, for a main context. Executors may
 * override `close_progress`: somebody waits, to close if @closing_since is not 0 (monotonic time in
 * µs), in a thread if it @blocks. It returns FALSE with @error where that is in vain, and sets
 * *@next to when it wants to be asked again; 0: never. It comes from any thread. */
gboolean procfun_executor_wait (ProcfunExecutor *self, GCancellable *cancellable, GError **error);
void procfun_executor_wait_async (GTask *task);

/* For executors that keep processes: emit the signal of that name, in this thread, which counts
 * it, too. No lock may be held that a handler might want. @wait_status is that of wait(2), or -1
 * when it is not known;
 * @reason a word for programs, such as “calls”, “memory” or “idle”. */
void procfun_executor_emit_worker_started (ProcfunExecutor *self, int pid);
void procfun_executor_emit_worker_exited (ProcfunExecutor *self, int pid, int wait_status);
void procfun_executor_emit_worker_recycled (ProcfunExecutor *self, int pid, const char *reason);

/* What was counted until now. @n_unfinished: calls that were taken and have not ended. */
void procfun_executor_copy_counts (ProcfunExecutor *self, Recorder *counts, guint *n_unfinished,
                                   guint *number);

G_END_DECLS
