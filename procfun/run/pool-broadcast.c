/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/core/function.h"
#include "procfun/executors/pool.h"
#include "procfun/executors/session.h"
#include "procfun/process/zygotes.h"
#include "procfun/procfun-error.h"
#include "procfun/schedule/reservation.h"

/* More than there are workers. */
#define PARTS_MAX (1 << 30)

/* One call on each worker of a pool. Each call has a session with its worker. */
typedef struct
{
  GTask *task; /* of the pool */
  ProcfunFunction *function;
  GVariant *args;
  GPtrArray *calls; /* (element-type ProcfunCall) */
  gint n_left;      /* parts that have not ended */
} Broadcast;

static void
broadcast_free (Broadcast *self)
{
  g_object_unref (self->task);
  g_object_unref (self->function);
  g_variant_unref (self->args);
  g_free (self);
}

/* @n parts have ended. */
static void
end (Broadcast *self, gint n)
{
  if (g_atomic_int_add (&self->n_left, -n) != n)
    return;
  g_task_return_pointer (self->task, self->calls, (GDestroyNotify)g_ptr_array_unref);
  broadcast_free (self);
}

static void
set_error (Broadcast *self, GError **error)
{
  ProcfunExecutor *pool = g_task_get_source_object (self->task);

  if (g_cancellable_set_error_if_cancelled (g_task_get_cancellable (self->task), error))
    return;
  if (procfun_executor_is_closed (pool))
    scheduler_set_closed (self->function, error);
  else
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                 _ ("%s() cannot be called: its worker has ended"),
                 procfun_function_get_name (self->function));
}

static void
on_run (GObject *source, GAsyncResult *result, gpointer user_data)
{
  G_GNUC_UNUSED g_autoptr (GVariant) value
      = procfun_call_run_finish (PROCFUN_CALL (source), result, NULL);
  Broadcast *self = user_data;

  procfun_executor_close (procfun_call_get_executor (PROCFUN_CALL (source)), NULL, NULL);
  end (self, 1);
}

static void
on_worker (WorkerSlot *slot, gpointer user_data)
{
  Broadcast *self = user_data;
  ProcfunCall *call = procfun_call_new (self->function, self->args);
  g_autoptr (ProcfunSession) session = NULL;
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (self->calls, call);
  if (slot != NULL)
    session = session_new_for_slot (g_task_get_source_object (self->task), slot, self->function,
                                    &error);
  else
    set_error (self, &error);
  if (session != NULL)
    {
      procfun_call_set_executor (call, PROCFUN_EXECUTOR (session));
      procfun_call_run_async (call, g_task_get_cancellable (self->task), on_run, self);
      return;
    }
  procfun_call_begin (call);
  procfun_call_end (call, NULL, error);
  end (self, 1);
}

/* FALSE: no worker could do anything with it. */
static gboolean
check (ProcfunPool *self, ProcfunFunction *function, GVariant *args, GError **error)
{
  g_autoptr (ProcfunCall) call = procfun_call_new (function, args);

  if (procfun_function_is_generator (function))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() is a generator, whose items are taken one by one"),
                 procfun_function_get_name (function));
  else if (procfun_executor_is_closed (PROCFUN_EXECUTOR (self)))
    scheduler_set_closed (function, error);
  else
    return function_check_callable (function, error) && procfun_call_check_arguments (call, error);
  return FALSE;
}

/**
 * procfun_pool_broadcast_async:
 * @self: a #ProcfunPool
 * @function: a function
 * @args: (nullable): its arguments, a tuple, or %NULL for none; a floating reference is taken
 * @cancellable: (nullable): a #GCancellable, which ends the calls that wait or run
 * @callback: called when all calls have ended
 * @user_data: for @callback
 *
 * Calls @function once on each worker that there is now, to make all of them load something anew or
 * forget it. A worker that is busy runs it after its present call and before calls that wait in the
 * queue; a worker of a #ProcfunSession, when the session gives it back. Workers that are started
 * later do not run it: see procfun_pool_set_initializer() and procfun_pool_add_preload() for those.
 * Only workers for the module of @function take part.
 *
 * A call that fails, and even a worker that crashes, does not stop the other calls.
 *
 * Since: 0.1
 */
void
procfun_pool_broadcast_async (ProcfunPool *self, ProcfunFunction *function, GVariant *args,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GVariant) owned = NULL;
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;
  Broadcast *broadcast;
  guint n_workers;

  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (PROCFUN_IS_FUNCTION (function));

  owned = g_variant_ref_sink (args != NULL ? args : g_variant_new_tuple (NULL, 0));
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, procfun_pool_broadcast_async);
  g_task_set_check_cancellable (task, FALSE);
  procfun_executor_check_process (PROCFUN_EXECUTOR (self));
  if (!check (self, function, owned, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  broadcast = g_new (Broadcast, 1);
  *broadcast = (Broadcast){ g_object_ref (task), g_object_ref (function), g_variant_ref (owned),
                            g_ptr_array_new_with_free_func (g_object_unref), PARTS_MAX };
  n_workers
      = scheduler_reserve_workers (self->scheduler, zygotes_get_key (function),
                                   g_task_get_context (task), cancellable, on_worker, broadcast);
  end (broadcast, PARTS_MAX - (gint)n_workers);
}

/**
 * procfun_pool_broadcast_finish:
 * @self: a #ProcfunPool
 * @result: the result that the callback was given
 * @error: return location for a #GError
 *
 * Ends what procfun_pool_broadcast_async() began. Each call tells how it has ended:
 * procfun_call_get_result(), procfun_call_get_failure(), and procfun_call_get_pid() for its worker.
 * The call of a worker that ended before its turn has failed with %PROCFUN_ERROR_WORKER_LOST.
 *
 * Returns: (transfer full) (element-type ProcfunCall): the calls, one for each worker, which may be
 *   none; or %NULL with @error set to %PROCFUN_ERROR_CLOSED when the pool is closed, or
 *   %PROCFUN_ERROR_INVALID when @function cannot be called like this
 *
 * Since: 0.1
 */
GPtrArray *
procfun_pool_broadcast_finish (ProcfunPool *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_pool_broadcast_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
