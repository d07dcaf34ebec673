/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls of a pool that ask for nothing special, with a worker that waits: without an object. */

#include "procfun/base/environment.h"
#include "procfun/core/function.h"
#include "procfun/core/plain-call.h"
#include "procfun/executors/pool.h"
#include "procfun/executors/process-plain.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/process/plain-exchange.h"
#include "procfun/process/plain-source.h"
#include "procfun/schedule/acquire.h"
#include "procfun/schedule/plain-calls.h"

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
  return options->context == NULL && has_sandbox (options, plain->function)
         && plain->args.length <= options->max_payload
         && !retry_may_be_needed (&self->retry, plain->function)
         && function_check_callable (plain->function, NULL);
}

static gboolean
has_settings (const Worker *worker, const ExchangeOptions *options)
{
  return worker->codec == options->codec && worker->max_payload == options->max_payload
         && worker->context == NULL && worker->sandbox == options->sandbox;
}

/* In a main context */

static void
on_told (GSource *source, PlainAsync *async, gboolean has_result)
{
  if (has_result)
    {
      worker_slot_end_plain (async->slot);
      plain_async_end (async, plain_source_get_ended_at (source));
    }
  else
    process_plain_go_on_async (async, source);
  if (has_result && plain_async_become_spare (async))
    plain_source_keep (source, async);
  else
    g_object_unref (async);
}

/* It was sent to the worker of @slot, which @source watches. */
static void
await_result (PlainAsync *async, WorkerSlot *slot, GSource *source)
{
  async->slot = slot;
  async->call_id = slot->worker.call_id;
  plain_source_push (source, async, environment_get_timeout ());
  worker_slot_set_waiting (slot, source);
}

static gboolean
send (PlainCall *plain, WorkerSlot *slot, const ExchangeOptions *options, gboolean is_behind,
      ChannelMark *mark)
{
  Worker *worker = &slot->worker;

  if (!has_settings (worker, options)
      || !plain_exchange_send_watched (worker, plain, is_behind, mark))
    return FALSE;
  if (!is_behind) /* it begins when the one before has ended */
    plain->started_at = g_get_monotonic_time ();
  return TRUE;
}

static gboolean
send_now (GMainContext *context, ProcfunPool *self, PlainCall *plain,
          const ExchangeOptions *options)
{
  WorkerSlot *slot
      = scheduler_take_plain (self->scheduler, plain->function, context, plain->submitted_at);
  PlainAsync *async;
  ChannelMark mark;
  GSource *source;

  if (slot == NULL)
    return FALSE;
  if (!send (plain, slot, options, slot->n_plain > 1, &mark))
    {
      worker_slot_return_plain (slot);
      return FALSE;
    }
  source = plain_source_get (&slot->worker, context, on_told);
  async = plain_async_new (PROCFUN_EXECUTOR (self), plain, plain_source_steal_kept (source));
  async->mark = mark;
  await_result (async, slot, source);
  return TRUE;
}

/* FALSE: it has to be an object. */
static gboolean
send_late (PlainAsync *async, WorkerSlot *slot, const ExchangeOptions *options)
{
  if (!send (&async->plain, slot, options, slot->n_plain > 1, &async->mark))
    return FALSE;
  await_result (async, slot, plain_source_get (&slot->worker, async->context, on_told));
  return TRUE;
}

/* Behind others only plain calls can be sent: this one waits anew, as an object. */
static void
begin_late (PlainAsync *async, WorkerSlot *slot, const Preparation *settings, GError *error)
{
  if (slot != NULL && slot->n_plain > 1)
    {
      worker_slot_return_plain (slot);
      slot = NULL;
    }
  process_plain_begin_async (async, async->context, slot, settings, error);
}

/* Its turn in the queue has come, or never will. */
static void
on_slot (WorkerSlot *slot, GError *error, gpointer plain_async)
{
  PlainAsync *async = plain_async;
  Preparation *settings = g_steal_pointer (&async->settings);
  const gboolean is_first = slot != NULL && slot->n_plain == 1;

  if (slot == NULL || !send_late (async, slot, &settings->options))
    {
      begin_late (async, slot, settings, error);
      g_object_unref (async);
    }
  else if (is_first)
    worker_slot_feed_plain (slot);
  preparation_release (settings);
}

static guint
run_async (ProcfunPool *self, PlainCall *plain, const ExchangeOptions *options)
{
  gboolean ok, is_acquired;
  GMainContext *context = process_plain_acquire_context (&is_acquired);

  if (context == NULL)
    return PLAIN_CALL_NOT_BEGUN;
  ok = send_now (context, self, plain, options)
       || process_plain_queue (PROCFUN_PROCESS_EXECUTOR (self), plain, context, on_slot);
  if (is_acquired)
    g_main_context_release (context);
  return ok ? PLAIN_CALL_SENT : PLAIN_CALL_NOT_BEGUN;
}

/* In a thread */

typedef struct
{
  PlainCall *plain;
  const ExchangeOptions *options;
  ChannelMark mark;
} Sending;

static gboolean
send_in_thread (WorkerSlot *slot, gpointer sending)
{
  Sending *self = sending;

  if (!has_settings (&slot->worker, self->options)
      || !plain_exchange_send (&slot->worker, self->plain, &self->mark))
    return FALSE;
  self->plain->started_at = g_get_monotonic_time ();
  return TRUE;
}

/* (nullable): it is to be made an object, or has failed with the error in it. @has_waited: in
 * return, TRUE if it was in the queue. */
static WorkerSlot *
send_from_queue (ProcfunPool *self, Sending *sending, gboolean *has_waited)
{
  const SlotRequest request = { .function = sending->plain->function,
                                .plain = sending->plain,
                                .options = sending->options,
                                .priority = G_PRIORITY_DEFAULT };
  const gint64 began_at = g_get_monotonic_time ();
  PlainWait wait = { .hand_over = send_in_thread, .user_data = sending };
  WorkerSlot *slot
      = scheduler_acquire_plain (self->scheduler, &request, &wait, &sending->plain->error);

  *has_waited = wait.has_waited;
  inherited_state_note_wait (began_at, g_get_monotonic_time ());
  if (slot == NULL || wait.was_handed_over || send_in_thread (slot, sending))
    return slot;
  worker_slot_give_back (slot);
  return NULL;
}

/* As send_from_queue(). */
static WorkerSlot *
send_to_worker (ProcfunPool *self, Sending *sending, gboolean *has_waited)
{
  PlainCall *plain = sending->plain;
  WorkerSlot *slot
      = scheduler_take_plain (self->scheduler, plain->function, NULL, plain->submitted_at);

  if (slot == NULL)
    return send_from_queue (self, sending, has_waited);
  if (send_in_thread (slot, sending))
    return slot;
  worker_slot_give_back (slot);
  return NULL;
}

/* A call that has waited stays the pool's, which may be closed by now. */
static guint
end_unsent (ProcfunPool *self, PlainCall *plain, gboolean has_waited)
{
  if (plain->error != NULL)
    return PLAIN_CALL_FAILED;
  if (!has_waited)
    return PLAIN_CALL_NOT_BEGUN;
  process_plain_run (PROCFUN_EXECUTOR (self), plain);
  return PLAIN_CALL_MADE;
}

guint
procfun_pool_run_plain (ProcfunExecutor *executor, gpointer plain_call)
{
  ProcfunPool *self = (ProcfunPool *)executor; /* whose class this is of */
  PlainCall *plain = plain_call;
  ExchangeOptions options;
  Sending sending = { .plain = plain, .options = &options };
  gboolean has_waited = FALSE;
  WorkerSlot *slot;

  procfun_process_executor_get_options (PROCFUN_PROCESS_EXECUTOR (self), &options);
  if (!is_plain (self, plain, &options))
    return PLAIN_CALL_NOT_BEGUN;
  if (plain->receiver != NULL)
    return run_async (self, plain, &options);
  slot = send_to_worker (self, &sending, &has_waited);
  if (slot == NULL)
    return end_unsent (self, plain, has_waited);
  if (!plain_exchange_receive (&slot->worker, plain))
    {
      process_plain_go_on (executor, plain, slot, &sending.mark);
      return PLAIN_CALL_MADE;
    }
  worker_slot_put_back (slot, &slot->worker, TRUE);
  return PLAIN_CALL_DONE;
}
