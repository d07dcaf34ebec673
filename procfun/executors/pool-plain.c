/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls of a pool that ask for nothing special, with a worker that waits: without an object. */

#include "procfun/core/function.h"
#include "procfun/core/plain-call.h"
#include "procfun/executors/pool.h"
#include "procfun/executors/process-plain.h"
#include "procfun/process/plain-exchange.h"
#include "procfun/schedule/idle.h"

/* The plan is borrowed, and may be gone: only its pointer counts. */
static gboolean
has_sandbox (const ExchangeOptions *options, ProcfunFunction *function)
{
  guint level = function_get_sandbox (function);

  if (G_LIKELY (level == PROCFUN_SANDBOX_NONE))
    return TRUE;
  while (level <= PROCFUN_SANDBOX_PURE_COMPUTE
         && options->sandbox != sandbox_plan_of_level ((ProcfunSandbox)level))
    level++;
  return level <= PROCFUN_SANDBOX_PURE_COMPUTE;
}

/* A call that may be tried again needs its arguments longer. */
static gboolean
is_plain (ProcfunPool *self, const PlainCall *plain, const ExchangeOptions *options)
{
  return options->codec == procfun_codec_get_gvariant () && options->context == NULL
         && has_sandbox (options, plain->function) && plain->args.length <= options->max_payload
         && !retry_may_be_needed (&self->retry, plain->function)
         && function_check_callable (plain->function, NULL);
}

static gboolean
send (const ExchangeOptions *options, PlainCall *plain, Worker *worker, ChannelMark *mark)
{
  return worker->codec == options->codec && worker->max_payload == options->max_payload
         && worker->context == NULL && worker->sandbox == options->sandbox
         && plain_exchange_send (worker, plain, mark);
}

guint
procfun_pool_run_plain (ProcfunExecutor *executor, gpointer plain_call)
{
  ProcfunPool *self = PROCFUN_POOL (executor);
  PlainCall *plain = plain_call;
  ExchangeOptions options;
  ChannelMark mark;
  WorkerSlot *slot;

  procfun_process_executor_get_options (PROCFUN_PROCESS_EXECUTOR (self), &options);
  if (!is_plain (self, plain, &options))
    return PLAIN_CALL_NOT_BEGUN;
  slot = scheduler_take_idle (self->scheduler, plain->function, plain->submitted_at);
  if (slot == NULL)
    return PLAIN_CALL_NOT_BEGUN;
  if (!send (&options, plain, worker_slot_get_worker (slot), &mark))
    {
      worker_slot_give_back (slot);
      return PLAIN_CALL_NOT_BEGUN;
    }
  plain->started_at = g_get_monotonic_time ();
  if (!plain_exchange_receive (worker_slot_get_worker (slot), plain))
    {
      process_plain_go_on (executor, plain, slot, &mark);
      return PLAIN_CALL_MADE;
    }
  worker_slot_put_back (slot, worker_slot_get_worker (slot), TRUE);
  return PLAIN_CALL_DONE;
}
