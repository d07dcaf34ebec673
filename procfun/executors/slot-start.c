/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/executors/slot-start.h"

#include "procfun/base/limits.h"
#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/executors/process-start.h"
#include "procfun/schedule/acquire.h"
#include "procfun/schedule/pipeline.h"

/* Limits of the kernel, a launch context and a sandbox cannot be taken back: the worker ends with
 * the call. */
static gboolean
is_last (ProcfunCall *call, const Preparation *preparation)
{
  const CallSettings *settings = procfun_call_get_settings (call);

  return (settings->limits != NULL && limits_need_process (settings->limits))
         || settings->launch_context != NULL || preparation->has_own_sandbox;
}

static void
init_request (SlotRequest *request, ProcfunCall *call, const Preparation *preparation)
{
  *request = (SlotRequest){ .function = procfun_call_peek_function (call),
                            .call = call,
                            .options = &preparation->options,
                            .priority = procfun_call_get_settings (call)->priority,
                            .arguments = preparation->arguments,
                            .deadline = procfun_call_get_deadline_time (call),
                            .is_last = is_last (call, preparation),
                            .is_first = preparation->has_own_sandbox,
                            .may_be_refused = TRUE };
}

/* A process that was forked ahead may end, because nobody has called for a while, in the moment in
 * which it is to be used. More than a few in a row do so for another cause, and so does one that
 * was executed. The scheduler of kept ones counts them. */
static gboolean
may_try_another (const WorkerSlot *slot, const Worker *worker, guint n_tries)
{
  return slot->scheduler->keeps || (worker->parent != NULL && n_tries < SLOT_START_TRIES_MAX);
}

Exchange *
slot_start_begin (ProcfunCall *call, Preparation *preparation, WorkerSlot *slot, guint n_tries,
                  WorkerReleaseFunc release, gpointer user_data, GError **error)
{
  Worker *worker = &slot->worker;
  Exchange *exchange = NULL;

  preparation_set_limits (preparation, NULL, TRUE); /* none for what runs before */
  if (!slot->scheduler->keeps || worker_slot_begin (slot, &preparation->options, error))
    exchange = preparation_begin (preparation, call, worker, error);
  if (exchange == NULL)
    {
      worker_slot_set_unused (slot);
      release (worker, FALSE, user_data);
      return NULL;
    }
  exchange_set_release (exchange, release, user_data);
  worker = exchange_get_worker (exchange);
  if (exchange_was_sent (exchange) || !may_try_another (slot, worker, n_tries))
    {
      if (worker->parent != NULL && !slot->scheduler->keeps)
        zygote_listen (worker->parent);
      return exchange;
    }
  worker_slot_set_unsent (slot);
  exchange_free (exchange);
  return NULL;
}

/* Limits and launch context are not for those before it, and what it yields not for those
 * pipelined; and its deadline is not watched before its turn. */
static gboolean
may_be_pipelined (ProcfunCall *call, const Preparation *preparation)
{
  return !is_last (call, preparation) && procfun_call_get_settings (call)->deadline == 0
         && procfun_call_peek_fd_list (call) == NULL
         && !procfun_function_is_generator (procfun_call_peek_function (call));
}

static Exchange *
begin (ProcfunCall *call, Preparation *preparation, WorkerSlot *slot, guint n_tries, GError **error)
{
  Exchange *head = worker_slot_get_head (slot);
  Exchange *exchange;

  if (head != NULL)
    {
      preparation_set_limits (preparation, procfun_call_get_settings (call)->limits, TRUE);
      exchange = exchange_new_pipelined (call, head, &preparation->options, preparation->arguments);
      worker_slot_queue (slot, exchange);
      return exchange;
    }
  if (is_last (call, preparation))
    slot->worker.is_kept = FALSE;
  exchange = slot_start_begin (call, preparation, slot, n_tries, worker_slot_release, slot, error);
  if (exchange != NULL)
    worker_slot_set_head (slot, exchange);
  return exchange;
}

static gboolean
prepare (ProcfunProcessExecutor *self, ProcfunCall *call, Preparation *preparation, GError **error)
{
  ProcfunProcessExecutorClass *klass = PROCFUN_PROCESS_EXECUTOR_GET_CLASS (self);

  return klass->prepare != NULL
             ? klass->prepare (self, call, preparation, error)
             : procfun_process_executor_prepare (self, call, NULL, preparation, error);
}

gpointer
slot_start (ProcfunProcessExecutor *self, ProcfunCall *call, GError **error)
{
  g_auto (Preparation) preparation = PREPARATION_INIT;
  g_autoptr (GError) own_error = NULL;
  Exchange *exchange = NULL;
  SlotRequest request;

  if (!prepare (self, call, &preparation, error))
    return NULL;
  init_request (&request, call, &preparation);
  for (guint n_tries = 1; exchange == NULL && own_error == NULL; n_tries++)
    {
      WorkerSlot *slot
          = scheduler_acquire (procfun_process_executor_get_scheduler (self), &request, &own_error);

      if (slot != NULL)
        exchange = begin (call, &preparation, slot, n_tries, &own_error);
    }
  if (own_error != NULL)
    g_propagate_error (error, g_steal_pointer (&own_error));
  return exchange;
}

static void wait_for_slot (ProcessStart *to_start);

static void
on_slot (WorkerSlot *slot, GError *error, gpointer user_data)
{
  ProcessStart *to_start = user_data;
  Exchange *exchange = NULL;

  if (slot != NULL)
    exchange = begin (to_start->call, &to_start->preparation, slot, ++to_start->n_unsent, &error);
  if (exchange == NULL && error == NULL)
    wait_for_slot (to_start);
  else
    process_start_end (to_start, exchange, error);
}

static void
wait_for_slot (ProcessStart *to_start)
{
  SlotRequest request;

  init_request (&request, to_start->call, &to_start->preparation);
  request.may_be_pipelined = may_be_pipelined (to_start->call, &to_start->preparation);
  scheduler_acquire_async (procfun_process_executor_get_scheduler (to_start->executor), &request,
                           to_start->context, on_slot, to_start);
}

void
slot_start_async (ProcfunProcessExecutor *self, gpointer process_start)
{
  ProcessStart *to_start = process_start;
  GError *error = NULL;

  if (prepare (self, to_start->call, &to_start->preparation, &error))
    wait_for_slot (to_start);
  else
    process_start_end (to_start, NULL, error);
}

void
slot_start_have_slot (gpointer process_start, WorkerSlot *slot)
{
  on_slot (slot, NULL, process_start);
}
