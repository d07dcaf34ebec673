/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls without an object that need one after all. */

#include "procfun/executors/process-plain.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/executors/process-run.h"
#include "procfun/process/exchange-drive.h"
#include "procfun/process/plain-source.h"
#include "procfun/procfun-error.h"
#include "procfun/schedule/pipeline.h"
#include "procfun/schedule/plain-calls.h"

/* TRUE: there is an outcome, which is not that of a worker that had ended before. */
static gboolean
run_sent (PlainCall *plain, WorkerSlot *slot, const ChannelMark *mark)
{
  g_autoptr (Exchange) exchange
      = exchange_new_sent (plain->call, &slot->worker, NULL, slot->worker.call_id, mark);

  exchange_set_release (exchange, worker_slot_release, slot);
  if (!exchange_was_sent (exchange))
    {
      worker_slot_set_unsent (slot);
      return FALSE;
    }
  plain->variant = exchange_run (exchange, &plain->error);
  if (exchange_was_begun (exchange))
    return TRUE;
  procfun_call_take_failure (plain->call, NULL);
  g_clear_error (&plain->error);
  return FALSE;
}

static void
run_made (ProcfunExecutor *executor, PlainCall *plain)
{
  plain->variant
      = PROCFUN_EXECUTOR_GET_CLASS (executor)->run (executor, plain->call, NULL, &plain->error);
}

void
process_plain_go_on (ProcfunExecutor *executor, PlainCall *plain, WorkerSlot *slot,
                     const ChannelMark *mark)
{
  worker_slot_set_call (slot, plain_call_make (plain));
  if (!run_sent (plain, slot, mark))
    run_made (executor, plain);
}

void
process_plain_run (ProcfunExecutor *executor, PlainCall *plain)
{
  plain_call_make (plain);
  run_made (executor, plain);
}

/* (nullable): it was not sent, or is the parent's, where the program has forked itself: then
 * exchanges touch nothing, and the slot is not given back. */
static Exchange *
make_exchange (PlainAsync *async, ProcfunCall *call)
{
  WorkerSlot *slot = async->slot;
  Worker *worker = &slot->worker;
  const gboolean is_own = process_is_own (worker->process);
  Exchange *exchange;

  if (is_own)
    worker_slot_set_call (slot, call);
  exchange = exchange_new_sent (call, worker, NULL, async->call_id, &async->mark);
  exchange_set_release (exchange, worker_slot_release, slot);
  if (!is_own || exchange_was_sent (exchange))
    return exchange;
  worker_slot_set_unsent (slot);
  exchange_free (exchange);
  return NULL;
}

static void
run (PlainAsync *async, ProcfunCall *call, GMainContext *context, Exchange *exchange, gpointer wait)
{
  if (exchange != NULL)
    process_run_on (async->executor, call, context, exchange, plain_async_on_made_end, wait);
  else
    PROCFUN_EXECUTOR_GET_CLASS (async->executor)
        ->run_then (async->executor, call, context, plain_async_on_made_end, wait);
}

/* @head: (nullable): what was sent before it did not come. */
static void
go_on_behind (PlainAsync *async, GMainContext *context, Exchange *head)
{
  Exchange *exchange = NULL;
  ProcfunCall *call;
  gpointer wait;

  async->plain.started_at = 0;
  call = plain_async_make (async, context, &wait);
  if (head != NULL)
    {
      exchange = exchange_new_sent (call, NULL, head, async->call_id, &async->mark);
      worker_slot_queue_made (async->slot, exchange);
    }
  run (async, call, context, exchange, wait);
}

/* The program has forked itself, and this is the child. */
static void
fail_behind (PlainAsync *async, GMainContext *context)
{
  process_plain_begin_async (async, context, NULL, NULL,
                             g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                                          _ ("%s() belongs to the process that forked this one"),
                                          procfun_function_get_name (async->plain.function)));
}

/* Those behind it have to be there before anything can happen to it. */
void
process_plain_go_on_async (PlainAsync *async, GSource *source)
{
  const gboolean is_own = process_is_own (((WorkerSlot *)async->slot)->worker.process);
  GMainContext *context = g_source_get_context (source);
  gpointer wait;
  ProcfunCall *call = plain_async_make (async, context, &wait);
  Exchange *head = make_exchange (async, call);
  PlainAsync *next;

  while ((next = plain_source_pop (source)) != NULL)
    {
      if (is_own)
        go_on_behind (next, context, head);
      else
        fail_behind (next, context);
      g_object_unref (next);
    }
  if (is_own && head != NULL)
    worker_slot_set_head (async->slot, head);
  run (async, call, context, head, wait);
}

void
process_plain_begin_async (PlainAsync *async, GMainContext *context, WorkerSlot *slot,
                           const Preparation *shared, GError *error)
{
  gpointer wait;
  ProcfunCall *call = plain_async_make (async, context, &wait);

  if (error != NULL)
    plain_async_on_made_end (NULL, error, wait);
  else if (slot == NULL)
    run (async, call, context, NULL, wait);
  else
    {
      worker_slot_set_call (slot, call);
      process_run_with (async->executor, call, context, slot, shared, plain_async_on_made_end,
                        wait);
    }
}

GMainContext *
process_plain_acquire_context (gboolean *is_acquired)
{
  GMainContext *context = g_main_context_get_thread_default ();

  if (context == NULL)
    context = g_main_context_default ();
  *is_acquired = !g_main_context_is_owner (context);
  return !*is_acquired || g_main_context_acquire (context) ? context : NULL;
}

gboolean
process_plain_queue (ProcfunProcessExecutor *self, PlainCall *plain, GMainContext *context,
                     SlotFunc on_slot)
{
  Scheduler *scheduler = procfun_process_executor_get_scheduler (self);
  PlainAsync *async;
  Preparation *settings;
  SlotRequest request;

  if (!scheduler_may_queue_plain (scheduler, plain->function))
    return FALSE;
  async = plain_async_new (PROCFUN_EXECUTOR (self), plain, NULL);
  settings = procfun_process_executor_share_options (self);
  async->context = g_main_context_ref (context);
  async->settings = settings;
  request = (SlotRequest){ .function = async->plain.function,
                           .plain = &async->plain,
                           .options = &settings->options,
                           .priority = G_PRIORITY_DEFAULT };
  if (scheduler_queue_plain (scheduler, &request, context, on_slot, async))
    return TRUE;
  async->executor = NULL; /* it is not taken */
  async->settings = NULL;
  g_object_unref (async);
  preparation_release (settings);
  return FALSE;
}
