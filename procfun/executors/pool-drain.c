/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting until a pool has nothing to do. */

#include "procfun/core/executor.h"
#include "procfun/executors/pool.h"

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
