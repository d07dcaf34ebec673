/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls of a fork server that ask for nothing special: without an object. */

#include "procfun/executors/fork-plain.h"

#include "procfun/core/executor.h"
#include "procfun/core/function.h"
#include "procfun/executors/process-plain.h"
#include "procfun/process/plain-exchange.h"
#include "procfun/schedule/acquire.h"
#include "procfun/schedule/pipeline.h"

/* Processes have the settings of their zygote, and others need a SETUP; a sandbox needs a frame of
 * its own. */
static gboolean
is_plain (const Scheduler *scheduler, const PlainCall *plain, const ExchangeOptions *options)
{
  return options->codec == procfun_codec_get_gvariant () && options->context == NULL
         && options->sandbox == NULL
         && function_get_sandbox (plain->function) == PROCFUN_SANDBOX_NONE
         && plain->args.length <= MIN (options->max_payload, PLAIN_EXCHANGE_MAX)
         && zygotes_can_fork (scheduler->zygotes, plain->function, options)
         && function_check_callable (plain->function, NULL);
}

/* (nullable): a process that is there, or comes as soon as it was forked. */
static WorkerSlot *
acquire (Scheduler *scheduler, PlainCall *plain, const ExchangeOptions *options)
{
  const SlotRequest request = { .function = plain->function, .options = options };

  return scheduler_try_acquire (scheduler, &request, NULL);
}

/* Its turn in the queue has come, or never will. */
static void
on_slot (WorkerSlot *slot, GError *error, gpointer plain_async)
{
  PlainAsync *async = plain_async;
  Preparation *settings = g_steal_pointer (&async->settings);

  process_plain_begin_async (async, async->context, slot, settings, error);
  g_object_unref (async);
  preparation_release (settings);
}

/* A call that has a process at once is an object. */
static guint
run_async (ProcfunProcessExecutor *self, PlainCall *plain)
{
  gboolean ok, is_acquired;
  GMainContext *context = process_plain_acquire_context (&is_acquired);

  if (context == NULL)
    return PLAIN_CALL_NOT_BEGUN;
  ok = process_plain_queue (self, plain, context, on_slot);
  if (is_acquired)
    g_main_context_release (context);
  return ok ? PLAIN_CALL_SENT : PLAIN_CALL_NOT_BEGUN;
}

guint
procfun_fork_server_run_plain (ProcfunExecutor *executor, gpointer plain_call)
{
  ProcfunProcessExecutor *self = PROCFUN_PROCESS_EXECUTOR (executor);
  Scheduler *scheduler = procfun_process_executor_get_scheduler (self);
  PlainCall *plain = plain_call;
  ExchangeOptions options;
  ChannelMark mark;
  WorkerSlot *slot;
  Worker *worker;

  procfun_process_executor_get_options (self, &options);
  if (!is_plain (scheduler, plain, &options))
    return PLAIN_CALL_NOT_BEGUN;
  if (plain->receiver != NULL)
    return run_async (self, plain);
  slot = acquire (scheduler, plain, &options);
  if (slot == NULL)
    return PLAIN_CALL_NOT_BEGUN;
  worker = &slot->worker;
  if (!plain_exchange_send_once (worker, plain, &mark))
    {
      worker_slot_release (worker, FALSE, slot);
      return PLAIN_CALL_NOT_BEGUN;
    }
  plain->started_at = g_get_monotonic_time ();
  zygote_listen (worker->parent);
  if (!plain_exchange_receive (worker, plain))
    {
      process_plain_go_on (executor, plain, slot, &mark);
      return PLAIN_CALL_MADE;
    }
  worker_slot_release (worker, TRUE, slot);
  return PLAIN_CALL_DONE;
}
