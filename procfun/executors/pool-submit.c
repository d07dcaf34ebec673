/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is done with a pool besides running calls on it. */

#include "procfun/executors/pool.h"

#include "procfun/base/intl.h"
#include "procfun/core/executor.h"
#include "procfun/procfun-error.h"

/* With room in the queue, which it then has in another way, or does not need. */
static void
run (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable, GAsyncReadyCallback callback,
     gpointer user_data)
{
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (self));
  procfun_call_run_async (call, cancellable, callback, user_data);
  scheduler_leave_admission (self->scheduler);
}

/**
 * procfun_pool_submit:
 * @self: a #ProcfunPool
 * @call: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable, for the waiting and for the call
 * @callback: called when the call has ended
 * @user_data: for @callback
 * @error: return location for a #GError
 *
 * Waits until the queue has room, and then runs @call as procfun_call_run_async() does, on this
 * pool. The thread that waits cannot run its main context meanwhile: where that is all that brings
 * the pool's calls to an end, it fails rather than wait for ever, and procfun_pool_try_submit() or
 * procfun_pool_submit_async() are to be used.
 *
 * Returns: %TRUE when the call was started; or %FALSE with @error set to %G_IO_ERROR_CANCELLED,
 *   %PROCFUN_ERROR_NESTED or %PROCFUN_ERROR_CLOSED, and then @callback does not come
 *
 * Since: 0.1
 */
gboolean
procfun_pool_submit (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data, GError **error)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), FALSE);
  g_return_val_if_fail (PROCFUN_IS_CALL (call), FALSE);

  procfun_executor_check_process (PROCFUN_EXECUTOR (self));
  if (!scheduler_admit (self->scheduler, procfun_call_get_function (call), cancellable, error))
    return FALSE;
  run (self, call, cancellable, callback, user_data);
  return TRUE;
}

/**
 * procfun_pool_try_submit:
 * @self: a #ProcfunPool
 * @call: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable
 * @callback: called when the call has ended
 * @user_data: for @callback
 * @error: return location for a #GError
 *
 * Runs @call as procfun_call_run_async() does, on this pool, if the queue has room.
 *
 * Returns: %TRUE when the call was started; or %FALSE with @error set to %PROCFUN_ERROR_BUSY, and
 *   then @callback does not come
 *
 * Since: 0.1
 */
gboolean
procfun_pool_try_submit (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data, GError **error)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), FALSE);
  g_return_val_if_fail (PROCFUN_IS_CALL (call), FALSE);

  procfun_executor_check_process (PROCFUN_EXECUTOR (self));
  if (!scheduler_try_admit (self->scheduler, procfun_call_get_function (call), error))
    return FALSE;
  run (self, call, cancellable, callback, user_data);
  return TRUE;
}

static void
on_room (GError *error, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  if (error != NULL)
    g_task_return_error (task, error);
  else
    {
      run (g_task_get_source_object (task), g_task_get_task_data (task),
           g_task_get_cancellable (task), NULL, NULL);
      g_task_return_boolean (task, TRUE);
    }
}

/**
 * procfun_pool_submit_async:
 * @self: a #ProcfunPool
 * @call: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable, for the waiting and for the call
 * @callback: called when the call was started
 * @user_data: for @callback
 *
 * Runs @call on this pool as soon as the queue has room. @callback says that this is so: it is the
 * time to submit the next one, and who waits for it never has more calls under way than the queue
 * takes. What comes of @call is told by #ProcfunCall::finished; as always, who does not hold it
 * must detach it by procfun_call_detach().
 *
 * Since: 0.1
 */
void
procfun_pool_submit_async (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (PROCFUN_IS_CALL (call));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, procfun_pool_submit_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, g_object_ref (call), g_object_unref);
  scheduler_admit_async (self->scheduler, cancellable, on_room, task);
}

/**
 * procfun_pool_submit_finish:
 * @self: a #ProcfunPool
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what procfun_pool_submit_async() began.
 *
 * Returns: %TRUE when the call was started; or %FALSE with @error set to %G_IO_ERROR_CANCELLED
 *
 * Since: 0.1
 */
gboolean
procfun_pool_submit_finish (ProcfunPool *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_pool_submit_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Sessions */

typedef struct
{
  ExchangeOptions options;
  ProcfunCodec *codec;
  SlotRequest request;
} Acquisition;

static gboolean
acquisition_init (Acquisition *acquisition, ProcfunPool *self, ProcfunFunction *function,
                  GCancellable *cancellable, GError **error)
{
  ProcfunProcessExecutor *executor = PROCFUN_PROCESS_EXECUTOR (self);

  *acquisition = (Acquisition){
    .options = { .max_payload = procfun_process_executor_get_max_payload (executor) },
    .codec = g_object_ref (procfun_process_executor_get_codec (executor)),
    .request = { .function = function, .cancellable = cancellable },
  };
  acquisition->options.codec = acquisition->codec;
  acquisition->request.options = &acquisition->options;
  if (procfun_executor_is_closed (PROCFUN_EXECUTOR (self)))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED,
                 _ ("%s() cannot be called: the executor is closed"),
                 procfun_function_get_name (function));
  else if (procfun_process_executor_get_launch_context (executor) != NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() cannot be called in a session with limits or launch context of its own"),
                 procfun_function_get_name (function));
  else
    return TRUE;
  return FALSE;
}

static void
acquisition_clear (Acquisition *acquisition)
{
  g_clear_object (&acquisition->codec);
}

/* (nullable) */
static ProcfunSession *
make_session (ProcfunPool *self, WorkerSlot *slot, ProcfunFunction *function, GError **error)
{
  if (worker_slot_hold (slot))
    return procfun_session_new (self, slot);
  worker_slot_discard (slot);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED,
               _ ("%s() cannot be called: the executor is closed"),
               procfun_function_get_name (function));
  return NULL;
}

/**
 * procfun_pool_acquire:
 * @self: a #ProcfunPool
 * @function: the first function to be called, or another of its module
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for a #GError
 *
 * Waits for a worker and holds it for several calls, which are run on the #ProcfunSession as their
 * executor. Dropping the session, or closing it by procfun_executor_close(), gives the worker back.
 *
 * Returns: (transfer full): a session; or %NULL with @error set to %G_IO_ERROR_CANCELLED,
 *   %PROCFUN_ERROR_CLOSED, %PROCFUN_ERROR_SPAWN, %PROCFUN_ERROR_NESTED when this thread has all
 *   workers, or %PROCFUN_ERROR_INVALID where the pool has a #ProcfunProcessExecutor:launch-context
 *
 * Since: 0.1
 */
ProcfunSession *
procfun_pool_acquire (ProcfunPool *self, ProcfunFunction *function, GCancellable *cancellable,
                      GError **error)
{
  ProcfunSession *session = NULL;
  Acquisition acquisition;
  WorkerSlot *slot = NULL;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), NULL);
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (function), NULL);

  if (acquisition_init (&acquisition, self, function, cancellable, error))
    slot = scheduler_acquire (self->scheduler, &acquisition.request, error);
  acquisition_clear (&acquisition);
  if (slot != NULL)
    session = make_session (self, slot, function, error);
  return session;
}

static void
on_acquired (WorkerSlot *slot, GError *error, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ProcfunSession *session = NULL;

  if (slot != NULL)
    session
        = make_session (g_task_get_source_object (task), slot, g_task_get_task_data (task), &error);
  if (session != NULL)
    g_task_return_pointer (task, session, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * procfun_pool_acquire_async:
 * @self: a #ProcfunPool
 * @function: the first function to be called, or another of its module
 * @cancellable: (nullable): a #GCancellable
 * @callback: called when there is a session, or an error
 * @user_data: for @callback
 *
 * Does what procfun_pool_acquire() does, without waiting.
 *
 * Since: 0.1
 */
void
procfun_pool_acquire_async (ProcfunPool *self, ProcfunFunction *function, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  Acquisition acquisition;
  GError *error = NULL;
  GTask *task;

  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (PROCFUN_IS_FUNCTION (function));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, procfun_pool_acquire_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, g_object_ref (function), g_object_unref);
  if (acquisition_init (&acquisition, self, function, cancellable, &error))
    scheduler_acquire_async (self->scheduler, &acquisition.request, g_task_get_context (task),
                             on_acquired, task);
  else
    on_acquired (NULL, error, task);
  acquisition_clear (&acquisition);
}

/**
 * procfun_pool_acquire_finish:
 * @self: a #ProcfunPool
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what procfun_pool_acquire_async() began.
 *
 * Returns: (transfer full): a session; or %NULL with @error set as by procfun_pool_acquire()
 *
 * Since: 0.1
 */
ProcfunSession *
procfun_pool_acquire_finish (ProcfunPool *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_pool_acquire_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Draining */

/**
 * procfun_pool_drain:
 * @self: a #ProcfunPool
 * @cancellable: (nullable): a #GCancellable, which ends the waiting only
 * @error: return location for a #GError
 *
 * Waits until there is a moment when no call of the pool runs or waits. Other threads may go on to
 * make calls. Sessions without a running call are not waited for.
 *
 * Returns: %TRUE; or %FALSE with @error set to %G_IO_ERROR_CANCELLED, or to %PROCFUN_ERROR_NESTED
 *   when there are calls that only this thread can bring to an end
 *
 * Since: 0.1
 */
gboolean
procfun_pool_drain (ProcfunPool *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), FALSE);

  return procfun_executor_wait (PROCFUN_EXECUTOR (self), cancellable, error);
}

/**
 * procfun_pool_drain_async:
 * @self: a #ProcfunPool
 * @cancellable: (nullable): a #GCancellable, which ends the waiting only
 * @callback: called when no call runs or waits
 * @user_data: for @callback
 *
 * Does what procfun_pool_drain() does, without waiting. Callbacks of the last calls may still be to
 * come.
 *
 * Since: 0.1
 */
void
procfun_pool_drain_async (ProcfunPool *self, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (PROCFUN_IS_POOL (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, procfun_pool_drain_async);
  procfun_executor_wait_async (task);
}

/**
 * procfun_pool_drain_finish:
 * @self: a #ProcfunPool
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what procfun_pool_drain_async() began.
 *
 * Returns: %TRUE; or %FALSE with @error set to %G_IO_ERROR_CANCELLED
 *
 * Since: 0.1
 */
gboolean
procfun_pool_drain_finish (ProcfunPool *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_pool_drain_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
