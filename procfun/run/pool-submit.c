/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names that submitting and draining have for pools. */

#include "procfun/procfun-pool.h"

#include "procfun/run/submit.h"

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

  return procfun_process_executor_submit (PROCFUN_PROCESS_EXECUTOR (self), call, cancellable,
                                          callback, user_data, error);
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

  return procfun_process_executor_try_submit (PROCFUN_PROCESS_EXECUTOR (self), call, cancellable,
                                              callback, user_data, error);
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
 * time to submit the next one, and a caller that waits for it never has more calls under way than
 * the queue takes. #ProcfunCall::finished tells how @call has ended.
 *
 * Since: 0.1
 */
void
procfun_pool_submit_async (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (PROCFUN_IS_CALL (call));

  submit_async (PROCFUN_PROCESS_EXECUTOR (self), call, cancellable, callback, user_data,
                procfun_pool_submit_async);
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

  return procfun_process_executor_drain (PROCFUN_PROCESS_EXECUTOR (self), cancellable, error);
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
  g_return_if_fail (PROCFUN_IS_POOL (self));

  procfun_process_executor_drain_async (PROCFUN_PROCESS_EXECUTOR (self), cancellable, callback,
                                        user_data);
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
  g_return_val_if_fail (PROCFUN_IS_POOL (self), FALSE);

  return procfun_process_executor_drain_finish (PROCFUN_PROCESS_EXECUTOR (self), result, error);
}
