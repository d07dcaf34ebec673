/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a pool runs calls, and how it closes. */

#include "procfun/executors/pool.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/core/function.h"
#include "procfun/procfun-error.h"

/* Closing has its own deadline: then all is killed; what has had a grace period before, this much
 * later; and when calls are still there after so much more, nobody runs their main context. */
#define KILL_AFTER_US (G_USEC_PER_SEC / 10)
#define GIVE_UP_AFTER_US (2 * G_USEC_PER_SEC)

static ProcfunExecutorClass *parent_class;

/* One try */

static void
init_request (SlotRequest *request, ProcfunCall *call, const Preparation *preparation)
{
  *request = (SlotRequest){ .function = call->function,
                            .call = call,
                            .options = &preparation->options,
                            .priority = call->priority,
                            .n_bytes = g_bytes_get_size (preparation->arguments),
                            .deadline = procfun_call_get_deadline_time (call) };
}

Exchange *
procfun_pool_begin (ProcfunProcessExecutor *self, ProcfunCall *call, Preparation *preparation,
                    WorkerSlot *slot, WorkerReleaseFunc release, gpointer user_data, GError **error)
{
  Worker *worker = worker_slot_get_worker (slot);
  Exchange *exchange;

  worker_slot_begin (slot, &preparation->options);
  exchange = procfun_process_executor_begin (self, call, preparation, worker, error);
  if (exchange == NULL)
    {
      worker_slot_set_unused (slot);
      release (worker, FALSE, user_data);
      return NULL;
    }
  exchange_set_release (exchange, release, user_data);
  if (exchange_was_sent (exchange))
    return exchange;
  worker_slot_set_unsent (slot);
  exchange_free (exchange);
  return NULL;
}

/* Limits and launch context are not for those before it, and what it yields not for those
 * pipelined; and its deadline is not watched before its turn. */
static gboolean
may_be_pipelined (ProcfunCall *call, const Preparation *preparation)
{
  return call->limits == NULL && preparation->options.context == NULL && call->deadline == 0
         && call->fd_list == NULL && !procfun_function_is_generator (call->function);
}

/* A worker that has limits or launch context of its own is of no use for other calls. */
static Exchange *
begin (ProcfunPool *self, ProcfunCall *call, Preparation *preparation, WorkerSlot *slot,
       GError **error)
{
  Exchange *head = worker_slot_get_head (slot);
  Exchange *exchange;

  if (head != NULL)
    {
      exchange = exchange_new_pipelined (call, head, &preparation->options, preparation->arguments);
      worker_slot_queue (slot, exchange);
      return exchange;
    }
  if (call->limits != NULL || preparation->options.context != NULL)
    worker_slot_get_worker (slot)->is_kept = FALSE;
  exchange = procfun_pool_begin (PROCFUN_PROCESS_EXECUTOR (self), call, preparation, slot,
                                 worker_slot_release, slot, error);
  if (exchange != NULL)
    worker_slot_set_head (slot, exchange);
  return exchange;
}

static gpointer
procfun_pool_start (ProcfunProcessExecutor *executor, ProcfunCall *call, GError **error)
{
  ProcfunPool *self = PROCFUN_POOL (executor);
  g_auto (Preparation) preparation = PREPARATION_INIT;
  g_autoptr (GError) own_error = NULL;
  Exchange *exchange = NULL;
  SlotRequest request;

  if (!procfun_process_executor_prepare (executor, call, NULL, &preparation, error))
    return NULL;
  init_request (&request, call, &preparation);
  while (exchange == NULL && own_error == NULL)
    {
      WorkerSlot *slot = scheduler_acquire (self->scheduler, &request, &own_error);

      if (slot != NULL)
        exchange = begin (self, call, &preparation, slot, &own_error);
    }
  if (own_error != NULL)
    g_propagate_error (error, g_steal_pointer (&own_error));
  return exchange;
}

static void wait_for_head (ProcessStart *to_start);

static void
on_head (WorkerSlot *slot, GError *error, gpointer user_data)
{
  ProcessStart *to_start = user_data;
  ProcfunPool *self = PROCFUN_POOL (to_start->executor);
  Exchange *exchange = NULL;

  if (slot != NULL)
    exchange = begin (self, to_start->call, &to_start->preparation, slot, &error);
  if (exchange == NULL && error == NULL)
    wait_for_head (to_start);
  else
    process_start_end (to_start, exchange, error);
}

static void
wait_for_head (ProcessStart *to_start)
{
  SlotRequest request;

  init_request (&request, to_start->call, &to_start->preparation);
  request.may_be_pipelined = may_be_pipelined (to_start->call, &to_start->preparation);
  scheduler_acquire_async (PROCFUN_POOL (to_start->executor)->scheduler, &request,
                           to_start->context, on_head, to_start);
}

static void
procfun_pool_start_async (ProcfunProcessExecutor *executor, gpointer process_start)
{
  ProcessStart *to_start = process_start;
  GError *error = NULL;

  if (procfun_process_executor_prepare (executor, to_start->call, NULL, &to_start->preparation,
                                        &error))
    wait_for_head (to_start);
  else
    process_start_end (to_start, NULL, error);
}

/* Several tries */

static gboolean
may_be_retried (ProcfunPool *self, ProcfunCall *call)
{
  return g_atomic_int_get (&self->max_retries) > 0
         && (procfun_function_get_flags (call->function) & PROCFUN_FUNCTION_IDEMPOTENT) != 0;
}

static gboolean
is_to_be_retried (ProcfunPool *self, ProcfunCall *call, guint n_tries, const GError *error)
{
  static const struct
  {
    ProcfunError code;
    ProcfunRetryFlags flag;
  } reasons[] = { { PROCFUN_ERROR_KILLED, PROCFUN_RETRY_LOST },
                  { PROCFUN_ERROR_WORKER_LOST, PROCFUN_RETRY_LOST },
                  { PROCFUN_ERROR_CRASHED, PROCFUN_RETRY_CRASHED },
                  { PROCFUN_ERROR_EXITED, PROCFUN_RETRY_EXITED } };

  if (n_tries > (guint)g_atomic_int_get (&self->max_retries)
      || canceller_is_cancelled (call->canceller))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (g_error_matches (error, PROCFUN_ERROR, (int)reasons[i].code))
      return (g_atomic_int_get (&self->retry_on) & (int)reasons[i].flag) != 0;
  return FALSE;
}

static GVariant *
procfun_pool_run (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                  GError **error)
{
  ProcfunPool *self = PROCFUN_POOL (executor);
  GError *own_error = NULL;
  GVariant *result;

  if (!may_be_retried (self, call))
    return parent_class->run (executor, call, cancellable, error);
  for (guint n_tries = 1;; n_tries++)
    {
      result = parent_class->run (executor, call, cancellable, &own_error);
      if (own_error == NULL || !is_to_be_retried (self, call, n_tries, own_error))
        break;
      g_clear_error (&own_error);
      procfun_call_take_failure (call, NULL);
    }
  if (own_error != NULL)
    g_propagate_error (error, own_error);
  return result;
}

typedef struct
{
  ProcfunExecutor *executor; /* borrowed, as all that follows */
  ProcfunCall *call;
  GMainContext *context;
  ProcfunExecutorFunc func;
  gpointer user_data;
  guint n_tries;
} Tries;

static void
on_tried (GVariant *result, GError *error, gpointer user_data)
{
  Tries *self = user_data;

  if (error != NULL
      && is_to_be_retried (PROCFUN_POOL (self->executor), self->call, self->n_tries, error))
    {
      g_error_free (error);
      self->n_tries++;
      procfun_call_take_failure (self->call, NULL);
      parent_class->run_then (self->executor, self->call, self->context, on_tried, self);
      return;
    }
  self->func (result, error, self->user_data);
  g_free (self);
}

static void
procfun_pool_run_then (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
                       ProcfunExecutorFunc func, gpointer user_data)
{
  Tries *tries;

  if (!may_be_retried (PROCFUN_POOL (executor), call))
    {
      parent_class->run_then (executor, call, context, func, user_data);
      return;
    }
  tries = g_new (Tries, 1);
  *tries = (Tries){ executor, call, context, func, user_data, 1 };
  parent_class->run_then (executor, call, context, on_tried, tries);
}

/* Closing */

/* Calls that this thread has to bring to an end would be waited for in vain. */
static gboolean
procfun_pool_close_progress (ProcfunExecutor *executor, gint64 closing_since, gboolean blocks,
                             gint64 *next, GError **error)
{
  ProcfunPool *self = PROCFUN_POOL (executor);
  gint64 timeout = procfun_pool_get_close_timeout (self);
  gint64 end = closing_since + timeout;
  gint64 now = g_get_monotonic_time ();

  if (closing_since > 0)
    scheduler_begin_to_close (self->scheduler);
  if (blocks && scheduler_has_own_calls (self->scheduler))
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
                           _ ("the pool has calls that only the thread that waits for them can "
                              "bring to an end"));
      return FALSE;
    }
  if (closing_since == 0 || timeout == 0)
    return TRUE;
  if (now >= end + GIVE_UP_AFTER_US)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                           _ ("the pool cannot be closed: nobody runs the main contexts of its "
                              "calls"));
      return FALSE;
    }
  if (now >= end)
    scheduler_abort (self->scheduler);
  if (now >= end + KILL_AFTER_US)
    scheduler_kill (self->scheduler);
  *next = now < end                   ? end
          : now < end + KILL_AFTER_US ? end + KILL_AFTER_US
                                      : end + GIVE_UP_AFTER_US;
  return TRUE;
}

static void
procfun_pool_begin_anew (ProcfunExecutor *executor)
{
  ProcfunPool *self = PROCFUN_POOL (executor);

  self->scheduler = scheduler_new_like (self->scheduler); /* the parent's stays as it is */
}

static void
procfun_pool_renew (ProcfunProcessExecutor *executor)
{
  scheduler_renew (PROCFUN_POOL (executor)->scheduler);
}

static gboolean
procfun_pool_close (ProcfunExecutor *executor, GCancellable *cancellable, GError **error)
{
  ProcfunPool *self = PROCFUN_POOL (executor);

  scheduler_begin_to_close (self->scheduler);
  scheduler_clear (self->scheduler);
  return TRUE;
}

/* It takes no longer than a kill(). */
static void
procfun_pool_close_async (ProcfunExecutor *executor, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  procfun_pool_close (executor, NULL, NULL);
  parent_class->close_async (executor, cancellable, callback, user_data);
}

void
procfun_pool_class_init_run (ProcfunPoolClass *klass)
{
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  parent_class = g_type_class_peek_parent (klass);
  executor_class->run = procfun_pool_run;
  executor_class->run_then = procfun_pool_run_then;
  executor_class->close = procfun_pool_close;
  executor_class->close_async = procfun_pool_close_async;
  executor_class->close_progress = procfun_pool_close_progress;
  executor_class->begin_anew = procfun_pool_begin_anew;
  PROCFUN_PROCESS_EXECUTOR_CLASS (klass)->renew = procfun_pool_renew;
  PROCFUN_PROCESS_EXECUTOR_CLASS (klass)->start = procfun_pool_start;
  PROCFUN_PROCESS_EXECUTOR_CLASS (klass)->start_async = procfun_pool_start_async;
}
