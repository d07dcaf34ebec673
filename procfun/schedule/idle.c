/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/idle.h"

#include "procfun/core/call.h"
#include "procfun/process/plain-source.h"
#include "procfun/schedule/context-source.h"
#include "procfun/schedule/waiter.h"

/* With the lock held. */
static gboolean
cancels_running (const Scheduler *self)
{
  return self->is_aborting || (self->close_flags & PROCFUN_CLOSE_CANCEL_RUNNING) != 0;
}

/* With the lock held. */
static WorkerSlot *
take (Scheduler *self, const char *module, GMainContext *context)
{
  WorkerSlot *slot = NULL;

  if (queue_peek (&self->queue) == NULL && !scheduler_drops_queued (self)
      && (context == NULL || (self->config.calls_in_flight <= 1 && !cancels_running (self))))
    slot = slots_find_idle (&self->slots, module, NULL, FALSE);
  if (slot == NULL || slot->n_calls == 0)
    return NULL;
  slots_set_busy (&self->slots, slot);
  slot->is_plain = TRUE;
  owner_init (&slot->owner, context);
  slot->waits = context != NULL ? plain_source_find (&slot->worker, context) : NULL;
  return slot;
}

WorkerSlot *
scheduler_take_idle (Scheduler *self, ProcfunFunction *function, GMainContext *context, gint64 now)
{
  const char *module = zygotes_get_key (function);
  guint64 state = zygotes_get_state (self->zygotes, now);
  GQueue exited = G_QUEUE_INIT, outdated = G_QUEUE_INIT;
  WorkerSlot *slot;

  g_mutex_lock (&self->lock);
  scheduler_remove_gone (self, now, state, &exited, &outdated);
  slot = take (self, module, context);
  g_mutex_unlock (&self->lock);
  scheduler_reap_all (&exited);
  scheduler_end_outdated (&outdated);
  return slot;
}

/* With the lock held. A process that has to be started first has its own rules. */
static gboolean
may_queue (Scheduler *self, const char *module)
{
  return self->config.calls_in_flight <= 1 && !self->config.refuses && !self->is_closing
         && !scheduler_drops_queued (self) && !cancels_running (self)
         && self->slots.idle.length == 0 && slots_count (&self->slots) >= self->config.max_workers
         && slots_has_busy (&self->slots, module);
}

gboolean
scheduler_may_queue_plain (Scheduler *self, ProcfunFunction *function)
{
  const char *module = zygotes_get_key (function);
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = may_queue (self, module);
  g_mutex_unlock (&self->lock);
  return ok;
}

gboolean
scheduler_queue_plain (Scheduler *self, const SlotRequest *request, GMainContext *context,
                       SlotFunc callback, gpointer user_data)
{
  const Owner owner = { .thread = g_thread_self (), .context = context };
  Waiter waiter;
  gboolean ok;

  waiter_init (&waiter, request, &owner);
  g_mutex_lock (&self->lock);
  ok = may_queue (self, waiter.module);
  if (ok)
    context_source_add (self, &waiter, context, callback, user_data);
  g_mutex_unlock (&self->lock);
  return ok;
}

void
worker_slot_set_waiting (WorkerSlot *self, GSource *source)
{
  if (self->waits == source) /* it was there */
    return;
  g_mutex_lock (&self->scheduler->lock);
  self->waits = source;
  if (cancels_running (self->scheduler))
    g_source_set_ready_time (source, 0);
  g_mutex_unlock (&self->scheduler->lock);
}

void
worker_slot_set_call (WorkerSlot *self, ProcfunCall *call)
{
  gboolean is_cancelled;

  g_mutex_lock (&self->scheduler->lock);
  self->call = call;
  self->is_plain = FALSE;
  self->waits = NULL;
  is_cancelled = cancels_running (self->scheduler);
  if (self->scheduler->is_aborting)
    procfun_call_set_urgent (call);
  g_mutex_unlock (&self->scheduler->lock);
  if (is_cancelled)
    canceller_cancel (procfun_call_get_canceller (call));
}
