/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a pool does for a map that needs no object. */

#include "procfun/procfun-map.h"

/**
 * procfun_pool_map:
 * @self: a #ProcfunPool
 * @function: what is to be called
 * @array_of_args: an array of tuples of arguments; a floating reference is taken
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for a #GError
 *
 * Calls @function for each element of an array, in the workers of the pool, and waits in this
 * thread, without running its main context. #ProcfunMap can do more.
 *
 * Fails with the error of the first element that failed, and as procfun_map_run() does.
 *
 * Returns: (transfer full): an array of the results, in order; or %NULL with @error set
 *
 * Since: 0.1
 */
GVariant *
procfun_pool_map (ProcfunPool *self, ProcfunFunction *function, GVariant *array_of_args,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (ProcfunMap) map = NULL;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), NULL);
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (function), NULL);
  g_return_val_if_fail (array_of_args != NULL, NULL);

  map = procfun_map_new (self, function);
  procfun_map_set_array (map, array_of_args);
  return procfun_map_run (map, cancellable, error);
}

static void
on_run (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GVariant *results = procfun_map_run_finish (PROCFUN_MAP (source), result, &error);

  if (results != NULL)
    g_task_return_pointer (task, results, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, error);
}

/**
 * procfun_pool_map_async:
 * @self: a #ProcfunPool
 * @function: what is to be called
 * @array_of_args: an array of tuples of arguments; a floating reference is taken
 * @cancellable: (nullable): a #GCancellable
 * @callback: called when all is done
 * @user_data: for @callback
 *
 * Does what procfun_pool_map() does, without waiting.
 *
 * Since: 0.1
 */
void
procfun_pool_map_async (ProcfunPool *self, ProcfunFunction *function, GVariant *array_of_args,
                        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (ProcfunMap) map = NULL;
  GTask *task;

  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (PROCFUN_IS_FUNCTION (function));
  g_return_if_fail (array_of_args != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_source_tag (task, procfun_pool_map_async);
  map = procfun_map_new (self, function);
  procfun_map_set_array (map, array_of_args);
  procfun_map_run_async (map, cancellable, on_run, task);
}

/**
 * procfun_pool_map_finish:
 * @self: a #ProcfunPool
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gives what procfun_pool_map_async() has brought; see procfun_pool_map().
 *
 * Returns: (transfer full): an array of the results, in order; or %NULL with @error set
 *
 * Since: 0.1
 */
GVariant *
procfun_pool_map_finish (ProcfunPool *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_pool_map_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
