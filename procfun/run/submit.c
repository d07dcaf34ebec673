/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Submitting calls to an executor as soon as its queue has room, and waiting until it has nothing
 * to do. */

#include "procfun/run/submit.h"

#include "procfun/base/intl.h"
#include "procfun/core/executor.h"
#include "procfun/executors/process-executor.h"
#include "procfun/procfun-error.h"
#include "procfun/schedule/admission.h"

/* (nullable): NULL with an error for a session, whose process takes one call after the other */
static Scheduler *
get_scheduler (ProcfunProcessExecutor *self, ProcfunCall *call, GError **error)
{
  Scheduler *scheduler;

  procfun_executor_check_process (PROCFUN_EXECUTOR (self));
  scheduler = procfun_process_executor_get_scheduler (self);
  if (scheduler == NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() cannot be submitted to a session, which has no queue"),
                 procfun_function_get_name (procfun_call_get_function (call)));
  return scheduler;
}

/* Runs an admitted call. From here on it is counted by the queue itself, or is past it. */
static void
run (ProcfunProcessExecutor *self, ProcfunCall *call, GCancellable *cancellable,
     GAsyncReadyCallback callback, gpointer user_data)
{
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (self));
  procfun_call_run_async (call, cancellable, callback, user_data);
  scheduler_leave_admission (procfun_process_executor_get_scheduler (self));
}

/**
 * procfun_process_executor_submit:
 * @self: a #ProcfunProcessExecutor
 * @call: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable, for the waiting and for the call
 * @callback: called when the call has ended
 * @user_data: for @callback
 * @error: return location for a #GError
 *
 * Waits until the queue has room, and then runs @call as procfun_call_run_async() does, on this
 * executor. The thread that waits cannot run its main context meanwhile: where that is all that
 * brings the calls of the executor to an end, it fails rather than wait for ever, and
 * procfun_process_executor_try_submit() or procfun_process_executor_submit_async() are to be used.
 *
 * Returns: %TRUE when the call was started; or %FALSE with @error set to %G_IO_ERROR_CANCELLED,
 *   %PROCFUN_ERROR_NESTED or %PROCFUN_ERROR_CLOSED, and then @callback does not come
 *
 * Since: 0.1
 */
gboolean
procfun_process_executor_submit (ProcfunProcessExecutor *self, ProcfunCall *call,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data, GError **error)
{
  Scheduler *scheduler;

  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), FALSE);
  g_return_val_if_fail (PROCFUN_IS_CALL (call), FALSE);

  scheduler = get_scheduler (self, call, error);
  if (scheduler == NULL
      || !scheduler_admit (scheduler, procfun_call_get_function (call), cancellable, error))
    return FALSE;
  run (self, call, cancellable, callback, user_data);
  return TRUE;
}

/**
 * procfun_process_executor_try_submit:
 * @self: a #ProcfunProcessExecutor
 * @call: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable
 * @callback: called when the call has ended
 * @user_data: for @callback
 * @error: return location for a #GError
 *
 * Runs @call as procfun_call_run_async() does, on this executor, if the queue has room.
 *
 * Returns: %TRUE when the call was started; or %FALSE with @error set to %PROCFUN_ERROR_BUSY, and
 *   then @callback does not come
 *
 * Since: 0.1
 */
gboolean
procfun_process_executor_try_submit (ProcfunProcessExecutor *self, ProcfunCall *call,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data, GError **error)
{
  Scheduler *scheduler;

  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), FALSE);
  g_return_val_if_fail (PROCFUN_IS_CALL (call), FALSE);

  scheduler = get_scheduler (self, call, error);
  if (scheduler == NULL
      || !scheduler_try_admit (scheduler, procfun_call_get_function (call), error))
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

void
submit_async (ProcfunProcessExecutor *self, ProcfunCall *call, GCancellable *cancellable,
              GAsyncReadyCallback callback, gpointer user_data, gpointer source_tag)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  GError *error = NULL;
  Scheduler *scheduler = get_scheduler (self, call, &error);

  g_task_set_source_tag (task, source_tag);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, g_object_ref (call), g_object_unref);
  if (scheduler != NULL)
    scheduler_admit_async (scheduler, cancellable, on_room, task);
  else
    on_room (error, task);
}

/**
 * procfun_process_executor_submit_async:
 * @self: a #ProcfunProcessExecutor
 * @call: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable, for the waiting and for the call
 * @callback: called when the call was started
 * @user_data: for @callback
 *
 * Runs @call on this executor as soon as the queue has room. @callback says that this is so: it is
 * the time to submit the next one, and a caller that waits for it never has more calls under way
 * than the queue takes. #ProcfunCall::finished tells how @call has ended.
 *
 * Since: 0.1
 */
void
procfun_process_executor_submit_async (ProcfunProcessExecutor *self, ProcfunCall *call,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));
  g_return_if_fail (PROCFUN_IS_CALL (call));

  submit_async (self, call, cancellable, callback, user_data,
                procfun_process_executor_submit_async);
}

/**
 * procfun_process_executor_submit_finish:
 * @self: a #ProcfunProcessExecutor
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what procfun_process_executor_submit_async() began.
 *
 * Returns: %TRUE when the call was started; or %FALSE with @error set to %G_IO_ERROR_CANCELLED
 *
 * Since: 0.1
 */
gboolean
procfun_process_executor_submit_finish (ProcfunProcessExecutor *self, GAsyncResult *result,
                                        GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_process_executor_submit_async),
                        FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * procfun_process_executor_drain:
 * @self: a #ProcfunProcessExecutor
 * @cancellable: (nullable): a #GCancellable, which ends the waiting only
 * @error: return location for a #GError
 *
 * Waits until there is a moment when no call of the executor runs or waits. Other threads may go on
 * to make calls.
 *
 * Returns: %TRUE; or %FALSE with @error set to %G_IO_ERROR_CANCELLED, or to %PROCFUN_ERROR_NESTED
 *   when there are calls that only this thread can bring to an end
 *
 * Since: 0.1
 */
gboolean
procfun_process_executor_drain (ProcfunProcessExecutor *self, GCancellable *cancellable,
                                GError **error)
{
  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), FALSE);

  return procfun_executor_wait (PROCFUN_EXECUTOR (self), cancellable, error);
}

/**
 * procfun_process_executor_drain_async:
 * @self: a #ProcfunProcessExecutor
 * @cancellable: (nullable): a #GCancellable, which ends the waiting only
 * @callback: called when no call runs or waits
 * @user_data: for @callback
 *
 * Does what procfun_process_executor_drain() does, without waiting. Callbacks of the last calls may
 * still be to come.
 *
 * Since: 0.1
 */
void
procfun_process_executor_drain_async (ProcfunProcessExecutor *self, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, procfun_process_executor_drain_async);
  procfun_executor_wait_async (task);
}

/**
 * procfun_process_executor_drain_finish:
 * @self: a #ProcfunProcessExecutor
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what procfun_process_executor_drain_async() began.
 *
 * Returns: %TRUE; or %FALSE with @error set to %G_IO_ERROR_CANCELLED
 *
 * Since: 0.1
 */
gboolean
procfun_process_executor_drain_finish (ProcfunProcessExecutor *self, GAsyncResult *result,
                                       GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_process_executor_drain_async),
                        FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
