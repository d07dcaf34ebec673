/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/executors/session.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/executors/pool.h"
#include "procfun/executors/process-start.h"
#include "procfun/executors/slot-start.h"
#include "procfun/procfun-error.h"
#include "procfun/schedule/acquire.h"
#include "procfun/schedule/pipeline.h"

/**
 * SECTION:procfun-session
 * @title: ProcfunSession
 * @short_description: several calls in one process
 *
 * An executor with one process, which belongs to a pool.
 */

/**
 * ProcfunSession:
 *
 * An executor with one process, which belongs to a pool.
 *
 * Holds a worker of a #ProcfunPool, so that several calls run in the same process, one after the
 * other, and find what those before them have left there: an open file, a static variable.
 * procfun_pool_acquire() gives one; its calls are those that are run on it as their executor.
 *
 * A second call while one runs fails with %PROCFUN_ERROR_BUSY, one with a launch context or a
 * sandbox of its own or with limits that need a process of their own (#ProcfunLimits) with
 * %PROCFUN_ERROR_INVALID, and so does a function of another module. When the process
 * has ended, every call fails with %PROCFUN_ERROR_WORKER_LOST. Calls are not retried.
 *
 * procfun_executor_close(), or dropping the session, gives the worker back, and the pool looks
 * whether it can be used on. Closing the pool waits for the call that runs in the session, and then
 * ends its process: further calls fail with %PROCFUN_ERROR_CLOSED.
 *
 * Since: 0.1
 */
struct _ProcfunSession
{
  ProcfunProcessExecutor parent_instance;

  ProcfunPool *pool;
  WorkerSlot *slot; /* (nullable): it was given back */
};

G_DEFINE_FINAL_TYPE (ProcfunSession, procfun_session, PROCFUN_TYPE_PROCESS_EXECUTOR)

/* A call of a session. The pool counts it, too, so that closing it waits. */
typedef struct
{
  ProcfunSession *session; /* borrowed: whoever runs the call holds it */
  ProcfunCall *call;       /* likewise */
} SessionCall;

static void
on_released (Worker *worker, gboolean is_usable, gpointer user_data)
{
  g_autofree SessionCall *self = user_data;
  g_autoptr (GError) error = NULL;

  if (procfun_call_peek_failure (self->call) != NULL)
    error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "");
  worker_slot_release (worker, is_usable, self->session->slot);
  procfun_executor_leave (PROCFUN_EXECUTOR (self->session->pool), self->call, error);
}

static gboolean
check_call (ProcfunCall *call, const Preparation *preparation, GError **error)
{
  const ProcfunLimits *limits = procfun_call_get_settings (call)->limits;

  if ((limits == NULL || !limits_need_process (limits)) && preparation->options.context == NULL
      && !preparation->has_own_sandbox)
    return TRUE;
  g_set_error (
      error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
      _ ("%s() cannot be called in a session with limits, launch context or sandbox of its own"),
      procfun_function_get_name (procfun_call_peek_function (call)));
  return FALSE;
}

static gpointer
start (ProcfunSession *self, ProcfunCall *call, gboolean is_async, GError **error)
{
  ProcfunProcessExecutor *executor = PROCFUN_PROCESS_EXECUTOR (self);
  g_auto (Preparation) preparation = PREPARATION_INIT;
  GError *own_error = NULL;
  SessionCall *session_call;
  Exchange *exchange;

  if (!procfun_process_executor_prepare (executor, call, NULL, &preparation, error)
      || !check_call (call, &preparation, error)
      || !procfun_executor_enter (PROCFUN_EXECUTOR (self->pool), call, error))
    return NULL;
  if (!worker_slot_take (self->slot, call, is_async, &own_error))
    {
      procfun_executor_leave (PROCFUN_EXECUTOR (self->pool), call, own_error);
      g_propagate_error (error, own_error);
      return NULL;
    }
  session_call = g_new (SessionCall, 1);
  *session_call = (SessionCall){ self, call };
  exchange = slot_start_begin (call, &preparation, self->slot, 1, on_released, session_call, error);
  if (exchange == NULL && (error == NULL || *error == NULL))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                 _ ("%s() cannot be called: the process of the session has ended"),
                 procfun_function_get_name (procfun_call_peek_function (call)));
  return exchange;
}

static gpointer
procfun_session_start (ProcfunProcessExecutor *executor, ProcfunCall *call, GError **error)
{
  return start (PROCFUN_SESSION (executor), call, FALSE, error);
}

static void
procfun_session_start_async (ProcfunProcessExecutor *executor, gpointer process_start)
{
  ProcessStart *to_start = process_start;
  GError *error = NULL;
  Exchange *exchange = start (PROCFUN_SESSION (executor), to_start->call, TRUE, &error);

  process_start_end (to_start, exchange, error);
}

static void
give_back (ProcfunSession *self)
{
  WorkerSlot *slot = g_atomic_pointer_exchange (&self->slot, NULL);

  if (slot != NULL)
    worker_slot_give_back (slot);
}

static gboolean
procfun_session_close (ProcfunExecutor *executor, GCancellable *cancellable, GError **error)
{
  give_back (PROCFUN_SESSION (executor));
  return TRUE;
}

static void
procfun_session_close_async (ProcfunExecutor *executor, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  give_back (PROCFUN_SESSION (executor));
  PROCFUN_EXECUTOR_CLASS (procfun_session_parent_class)
      ->close_async (executor, cancellable, callback, user_data);
}

static void
procfun_session_dispose (GObject *object)
{
  ProcfunSession *self = PROCFUN_SESSION (object);

  give_back (self);
  g_clear_object (&self->pool);

  G_OBJECT_CLASS (procfun_session_parent_class)->dispose (object);
}

static void
procfun_session_class_init (ProcfunSessionClass *klass)
{
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = procfun_session_dispose;
  executor_class->close = procfun_session_close;
  executor_class->close_async = procfun_session_close_async;
  executor_class->end_calls
      = PROCFUN_EXECUTOR_CLASS (g_type_class_peek_static (PROCFUN_TYPE_EXECUTOR))->end_calls;
  PROCFUN_PROCESS_EXECUTOR_CLASS (klass)->start = procfun_session_start;
  PROCFUN_PROCESS_EXECUTOR_CLASS (klass)->start_async = procfun_session_start_async;
}

static void
procfun_session_init (ProcfunSession *self)
{
}

static ProcfunSession *
session_new (ProcfunPool *pool, WorkerSlot *slot)
{
  ProcfunProcessExecutor *parent = PROCFUN_PROCESS_EXECUTOR (pool);
  ProcfunSession *self
      = g_object_new (PROCFUN_TYPE_SESSION, "codec", procfun_process_executor_get_codec (parent),
                      "max-payload", procfun_process_executor_get_max_payload (parent), NULL);

  procfun_process_executor_share_sandbox (PROCFUN_PROCESS_EXECUTOR (self), parent);
  self->pool = g_object_ref (pool);
  self->slot = slot;
  return self;
}

/**
 * procfun_session_get_pid:
 * @self: a #ProcfunSession
 *
 * Gets the number of the process that the session holds.
 *
 * Returns: the number; 0 when it was given back
 *
 * Since: 0.1
 */
int
procfun_session_get_pid (ProcfunSession *self)
{
  WorkerSlot *slot;

  g_return_val_if_fail (PROCFUN_IS_SESSION (self), 0);

  slot = g_atomic_pointer_get (&self->slot);
  return slot != NULL ? worker_slot_get_pid (slot) : 0;
}

/* Acquiring */

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
    g_set_error (
        error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
        _ ("%s() cannot be called in a session with limits, launch context or sandbox of its own"),
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

static void
acquisition_free (gpointer data)
{
  Acquisition *acquisition = data;

  acquisition_clear (acquisition);
  g_clear_object (&acquisition->request.function);
  g_free (acquisition);
}

ProcfunSession *
session_new_for_slot (ProcfunPool *self, WorkerSlot *slot, ProcfunFunction *function,
                      GError **error)
{
  if (worker_slot_hold (slot))
    return session_new (self, slot);
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
    session = session_new_for_slot (self, slot, function, error);
  return session;
}

static void
on_acquired (WorkerSlot *slot, GError *error, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ProcfunSession *session = NULL;

  if (slot != NULL)
    {
      const Acquisition *acquisition = g_task_get_task_data (task);

      session = session_new_for_slot (g_task_get_source_object (task), slot,
                                      acquisition->request.function, &error);
    }
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
  Acquisition *acquisition;
  GError *error = NULL;
  gboolean ok;
  GTask *task;

  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (PROCFUN_IS_FUNCTION (function));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, procfun_pool_acquire_async);
  g_task_set_check_cancellable (task, FALSE);
  acquisition = g_new (Acquisition, 1);
  ok = acquisition_init (acquisition, self, function, cancellable, &error);
  g_object_ref (function);
  g_task_set_task_data (task, acquisition, acquisition_free);
  if (ok)
    scheduler_acquire_async (self->scheduler, &acquisition->request, g_task_get_context (task),
                             on_acquired, task);
  else
    on_acquired (NULL, error, task);
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
