/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting until nothing runs, and closing. */

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/core/executor-state.h"
#include "procfun/core/executor.h"
#include "procfun/platform/waker.h"
#include "procfun/procfun-error.h"

G_DEFINE_FLAGS_TYPE (ProcfunCloseFlags, procfun_close_flags,
                     G_DEFINE_ENUM_VALUE (PROCFUN_CLOSE_NONE, "none"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_CLOSE_DROP_QUEUED, "drop-queued"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_CLOSE_CANCEL_RUNNING, "cancel-running"))

void
procfun_executor_announce_idle (ExecutorState *state)
{
  g_cond_broadcast (&state->idle);
  for (GList *l = state->waiting.head; l != NULL; l = l->next)
    g_source_set_ready_time (l->data, 0);
}

/* In a thread */

/* TRUE: nothing runs. FALSE: look again at *@next, or it was cancelled. */
static gboolean
wait_once (ExecutorState *state, gint64 next, GCancellable *cancellable)
{
  gboolean is_idle;

  g_mutex_lock (&state->lock);
  if (state->n_running > 0 && !g_cancellable_is_cancelled (cancellable))
    {
      state->n_threads++;
      if (next > 0)
        g_cond_wait_until (&state->idle, &state->lock, next);
      else
        g_cond_wait (&state->idle, &state->lock);
      state->n_threads--;
    }
  is_idle = state->n_running == 0;
  g_mutex_unlock (&state->lock);
  return is_idle;
}

static gboolean
is_idle_now (ExecutorState *state)
{
  gboolean is_idle;

  g_mutex_lock (&state->lock);
  is_idle = state->n_running == 0;
  g_mutex_unlock (&state->lock);
  return is_idle;
}

static gboolean
close_progress (ProcfunExecutor *self, gint64 closing_since, gboolean blocks, gint64 *next,
                GError **error)
{
  ProcfunExecutorClass *klass = PROCFUN_EXECUTOR_GET_CLASS (self);

  *next = 0;
  return klass->close_progress == NULL
         || klass->close_progress (self, closing_since, blocks, next, error);
}

static gboolean
wait_in_thread (ProcfunExecutor *self, gint64 closing_since, GCancellable *cancellable,
                GError **error)
{
  ExecutorState *state = procfun_executor_get_state (self);
  CondWaker waker;
  gboolean ok = TRUE;
  gint64 next;

  cond_waker_init (&waker, &state->lock, &state->idle, cancellable);
  while (ok && !is_idle_now (state))
    ok = close_progress (self, closing_since, TRUE, &next, error)
         && (wait_once (state, next, cancellable)
             || !g_cancellable_set_error_if_cancelled (cancellable, error));
  cond_waker_clear (&waker);
  return ok;
}

gboolean
procfun_executor_wait (ProcfunExecutor *self, GCancellable *cancellable, GError **error)
{
  return wait_in_thread (self, 0, cancellable, error);
}

/* In a main context */

typedef struct
{
  GSource source;
  GTask *task;
  GList link;           /* among those that wait */
  gint64 closing_since; /* monotonic time in µs; 0: this is no closing, and can be cancelled */
  Waker *waker;         /* (nullable) */
} IdleSource;

static ExecutorState *
get_state (IdleSource *self)
{
  return procfun_executor_get_state (g_task_get_source_object (self->task));
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ProcfunExecutor *self = PROCFUN_EXECUTOR (source);
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (PROCFUN_EXECUTOR_GET_CLASS (self)->close_finish (self, result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* Called once nothing runs any more. */
static void
go_on (IdleSource *self)
{
  GTask *task = self->task;
  ProcfunExecutor *executor = g_task_get_source_object (task);

  if (g_task_return_error_if_cancelled (task))
    return;
  if (self->closing_since > 0)
    PROCFUN_EXECUTOR_GET_CLASS (executor)->close_async (executor, g_task_get_cancellable (task),
                                                        on_closed, g_object_ref (task));
  else
    g_task_return_boolean (task, TRUE);
}

static gboolean
idle_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  IdleSource *self = (IdleSource *)source;
  GCancellable *cancellable = g_task_get_cancellable (self->task);
  GError *error = NULL;
  gint64 next;

  g_source_set_ready_time (source, -1);
  if (is_idle_now (get_state (self))
      || (self->closing_since == 0 && g_cancellable_is_cancelled (cancellable)))
    {
      go_on (self);
      return G_SOURCE_REMOVE;
    }
  if (!close_progress (g_task_get_source_object (self->task), self->closing_since, FALSE, &next,
                       &error))
    {
      g_task_return_error (self->task, error);
      return G_SOURCE_REMOVE;
    }
  if (next > 0)
    g_source_set_ready_time (source, next);
  if (is_idle_now (get_state (self))) /* a call ended meanwhile */
    g_source_set_ready_time (source, 0);
  return G_SOURCE_CONTINUE;
}

static void
idle_source_dispose (GSource *source)
{
  IdleSource *self = (IdleSource *)source;
  ExecutorState *state = get_state (self);

  g_clear_pointer (&self->waker, waker_free);
  g_mutex_lock (&state->lock);
  g_queue_unlink (&state->waiting, &self->link);
  g_mutex_unlock (&state->lock);
}

static void
idle_source_finalize (GSource *source)
{
  g_object_unref (((IdleSource *)source)->task);
}

static GSourceFuncs idle_source_funcs
    = { .dispatch = idle_source_dispatch, .finalize = idle_source_finalize };

/* Takes @task. */
static void
wait_in_context (GTask *task, gint64 closing_since)
{
  g_autoptr (GSource) source = g_source_new (&idle_source_funcs, sizeof (IdleSource));
  IdleSource *self = (IdleSource *)source;
  ExecutorState *state;

  self->task = task;
  self->closing_since = closing_since;
  self->link.data = source;
  state = get_state (self);
  if (closing_since == 0 && g_task_get_cancellable (task) != NULL)
    self->waker = waker_new (g_task_get_cancellable (task), source);
  g_source_set_dispose_function (source, idle_source_dispose);
  g_source_set_priority (source, g_task_get_priority (task));
  g_source_set_static_name (source, "procfun idle");
  g_source_set_ready_time (source, 0);
  g_mutex_lock (&state->lock);
  g_queue_push_tail_link (&state->waiting, &self->link);
  g_mutex_unlock (&state->lock);
  g_source_attach (source, g_task_get_context (task));
}

void
procfun_executor_wait_async (GTask *task)
{
  wait_in_context (task, 0);
}

/* Closing */

gboolean
executor_fail_nested (GError **error)
{
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
                       _ ("the executor has calls that only the thread that waits for them can "
                          "bring to an end"));
  return FALSE;
}

ProcfunCloseFlags
procfun_executor_get_close_flags (ProcfunExecutor *self)
{
  ExecutorState *state = procfun_executor_get_state (self);
  ProcfunCloseFlags flags;

  g_mutex_lock (&state->lock);
  flags = state->close_flags;
  g_mutex_unlock (&state->lock);
  return flags;
}

void
procfun_executor_real_end_calls (ProcfunExecutor *self, ProcfunCloseFlags flags)
{
  ExecutorState *state = procfun_executor_get_state (self);
  g_autoptr (GPtrArray) cancellers
      = g_ptr_array_new_with_free_func ((GDestroyNotify)canceller_unref);

  if ((flags & PROCFUN_CLOSE_CANCEL_RUNNING) == 0)
    return;
  g_mutex_lock (&state->lock);
  for (GList *l = state->calls.head; l != NULL; l = l->next)
    g_ptr_array_add (cancellers, canceller_ref (procfun_call_get_canceller (l->data)));
  g_mutex_unlock (&state->lock);
  for (guint i = 0; i < cancellers->len; i++)
    canceller_cancel (cancellers->pdata[i]);
}

void
procfun_executor_begin_to_close (ProcfunExecutor *self, ProcfunCloseFlags flags)
{
  ExecutorState *state = procfun_executor_get_state (self);

  procfun_executor_check_process (self);
  g_mutex_lock (&state->lock);
  state->closed = TRUE;
  state->close_flags |= flags;
  g_mutex_unlock (&state->lock);
  if (flags != PROCFUN_CLOSE_NONE)
    PROCFUN_EXECUTOR_GET_CLASS (self)->end_calls (self, flags);
}

/**
 * procfun_executor_close:
 * @self: a #ProcfunExecutor
 * @cancellable: (nullable): a #GCancellable, which ends the waiting only
 * @error: return location for a #GError
 *
 * Takes no more calls, which fail with %PROCFUN_ERROR_CLOSED from now on, waits until those that
 * wait or run have ended, and ends what the executor keeps between calls. After that nothing of it
 * is left. Closing again is allowed. procfun_executor_close_full() ends calls, too.
 *
 * Calls that were started asynchronously end in their own main context: where that is the one of
 * this thread, use procfun_executor_close_async().
 *
 * A #ProcfunPool knows calls that only this thread could bring to an end, and fails with
 * %PROCFUN_ERROR_NESTED instead of waiting for ever; and it has a #ProcfunPool:close-timeout.
 *
 * Returns: %TRUE, or %FALSE with @error set to %G_IO_ERROR_CANCELLED, or as above
 *
 * Since: 0.1
 */
gboolean
procfun_executor_close (ProcfunExecutor *self, GCancellable *cancellable, GError **error)
{
  return procfun_executor_close_full (self, PROCFUN_CLOSE_NONE, cancellable, error);
}

/**
 * procfun_executor_close_async:
 * @self: a #ProcfunExecutor
 * @cancellable: (nullable): a #GCancellable
 * @callback: called in the thread-default main context when the executor is closed
 * @user_data: for @callback
 *
 * Does what procfun_executor_close() does, without waiting. Calls that run are waited for even when
 * @cancellable trips meanwhile.
 *
 * Since: 0.1
 */
void
procfun_executor_close_async (ProcfunExecutor *self, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  procfun_executor_close_full_async (self, PROCFUN_CLOSE_NONE, cancellable, callback, user_data);
}

/**
 * procfun_executor_close_finish:
 * @self: a #ProcfunExecutor
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what procfun_executor_close_async() began.
 *
 * Returns: %TRUE, or %FALSE with @error set to %G_IO_ERROR_CANCELLED
 *
 * Since: 0.1
 */
gboolean
procfun_executor_close_finish (ProcfunExecutor *self, GAsyncResult *result, GError **error)
{
  return procfun_executor_close_full_finish (self, result, error);
}

/**
 * procfun_executor_close_full:
 * @self: a #ProcfunExecutor
 * @flags: what becomes of the calls that wait and of those that run
 * @cancellable: (nullable): a #GCancellable, which ends the waiting only
 * @error: return location for a #GError
 *
 * Closes as procfun_executor_close() does, and ends calls as @flags says. Closing again is allowed,
 * also with more flags while somebody waits for the first closing.
 *
 * A call cancelled by %PROCFUN_CLOSE_CANCEL_RUNNING has its #ProcfunCall:grace-period. Of calls
 * without a #ProcfunCall, a blocking one by #ProcfunInline cannot be cancelled. An executor that is
 * not of this library knows itself which of its calls wait, and %PROCFUN_CLOSE_DROP_QUEUED is
 * nothing to it.
 *
 * Returns: %TRUE, or %FALSE with @error set as procfun_executor_close() does
 *
 * Since: 0.1
 */
gboolean
procfun_executor_close_full (ProcfunExecutor *self, ProcfunCloseFlags flags,
                             GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (PROCFUN_IS_EXECUTOR (self), FALSE);

  procfun_executor_begin_to_close (self, flags);
  if (!wait_in_thread (self, g_get_monotonic_time (), cancellable, error)
      || g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  return PROCFUN_EXECUTOR_GET_CLASS (self)->close (self, cancellable, error);
}

/**
 * procfun_executor_close_full_async:
 * @self: a #ProcfunExecutor
 * @flags: what becomes of the calls that wait and of those that run
 * @cancellable: (nullable): a #GCancellable
 * @callback: called in the thread-default main context when the executor is closed
 * @user_data: for @callback
 *
 * Does what procfun_executor_close_full() does, without waiting. Calls that run are waited for even
 * when @cancellable trips meanwhile.
 *
 * Since: 0.1
 */
void
procfun_executor_close_full_async (ProcfunExecutor *self, ProcfunCloseFlags flags,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  GTask *task;

  g_return_if_fail (PROCFUN_IS_EXECUTOR (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, procfun_executor_close_full_async);
  procfun_executor_begin_to_close (self, flags);
  wait_in_context (task, g_get_monotonic_time ());
}

/**
 * procfun_executor_close_full_finish:
 * @self: a #ProcfunExecutor
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what procfun_executor_close_full_async() began.
 *
 * Returns: %TRUE, or %FALSE with @error set to %G_IO_ERROR_CANCELLED
 *
 * Since: 0.1
 */
gboolean
procfun_executor_close_full_finish (ProcfunExecutor *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_executor_close_full_async),
                        FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * procfun_executor_is_closed:
 * @self: a #ProcfunExecutor
 *
 * Tells whether closing has begun.
 *
 * Returns: %TRUE when no more calls are taken
 *
 * Since: 0.1
 */
gboolean
procfun_executor_is_closed (ProcfunExecutor *self)
{
  ExecutorState *state;
  gboolean closed;

  g_return_val_if_fail (PROCFUN_IS_EXECUTOR (self), TRUE);

  state = procfun_executor_get_state (self);
  g_mutex_lock (&state->lock);
  closed = state->closed;
  g_mutex_unlock (&state->lock);
  return closed;
}
