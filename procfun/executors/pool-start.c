/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/executors/pool-start.h"

#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/executors/pool.h"
#include "procfun/schedule/acquire.h"
#include "procfun/schedule/pipeline.h"

/* Limits and launch context of a call cannot be taken back: its worker ends with it. */
static gboolean
is_last (ProcfunCall *call)
{
  const CallSettings *settings = procfun_call_get_settings (call);

  return settings->limits != NULL || settings->launch_context != NULL;
}

static void
init_request (SlotRequest *request, ProcfunCall *call, const Preparation *preparation)
{
  *request = (SlotRequest){ .function = procfun_call_peek_function (call),
                            .call = call,
                            .options = &preparation->options,
                            .priority = procfun_call_get_settings (call)->priority,
                            .n_bytes = exchange_get_arguments_size (&preparation->options,
                                                                    preparation->arguments),
                            .deadline = procfun_call_get_deadline_time (call),
                            .is_last = is_last (call) };
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
may_be_pipelined (ProcfunCall *call)
{
  return !is_last (call) && procfun_call_get_settings (call)->deadline == 0
         && procfun_call_peek_fd_list (call) == NULL
         && !procfun_function_is_generator (procfun_call_peek_function (call));
}

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
  if (is_last (call))
    worker_slot_get_worker (slot)->is_kept = FALSE;
  exchange = procfun_pool_begin (PROCFUN_PROCESS_EXECUTOR (self), call, preparation, slot,
                                 worker_slot_release, slot, error);
  if (exchange != NULL)
    worker_slot_set_head (slot, exchange);
  return exchange;
}

gpointer
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
  request.may_be_pipelined = may_be_pipelined (to_start->call);
  scheduler_acquire_async (PROCFUN_POOL (to_start->executor)->scheduler, &request,
                           to_start->context, on_head, to_start);
}

void
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
