/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/plain-calls.h"

#include "procfun/core/call.h"
#include "procfun/process/plain-source.h"
#include "procfun/schedule/context-source.h"
#include "procfun/schedule/pipeline.h"
#include "procfun/schedule/waiter.h"

/* With the lock held. */
static gboolean
cancels_running (const Scheduler *self)
{
  return self->is_aborting || (self->close_flags & PROCFUN_CLOSE_CANCEL_RUNNING) != 0;
}

/* With the lock held. */
static WorkerSlot *
take_idle (Scheduler *self, const char *module, GMainContext *context)
{
  WorkerSlot *slot = slots_find_idle (&self->slots, module, NULL, FALSE);

  if (slot == NULL || slot->n_calls == 0)
    return NULL;
  slots_set_busy (&self->slots, slot);
  owner_init (&slot->owner, context);
  slot->waits = context != NULL ? plain_source_find (&slot->worker, context) : NULL;
  return slot;
}

/* Whether a plain call can be sent behind others of @context. With the lock held. */
static gboolean
has_room (WorkerSlot *slot, const char *module, GMainContext *context)
{
  return slot->n_plain > 0 && slot->n_plain < slot->scheduler->config.calls_in_flight
         && slot->waits != NULL && slot->owner.context == context && !slot->is_spent
         && slot->reservations.length == 0 && g_str_equal (slot->module, module)
         && worker_slot_find_reason (slot, &slot->worker, slot->n_calls + slot->n_plain) == NULL;
}

/* The one with the fewest calls. With the lock held. */
static WorkerSlot *
take_busy (Scheduler *self, const char *module, GMainContext *context)
{
  WorkerSlot *found = NULL;

  if (self->config.calls_in_flight <= 1 || slots_count (&self->slots) < self->config.max_workers)
    return NULL;
  for (GList *l = self->slots.busy.head; l != NULL; l = l->next)
    {
      WorkerSlot *slot = l->data;

      if ((found == NULL || slot->n_plain < found->n_plain) && has_room (slot, module, context))
        found = slot;
    }
  return found;
}

/* With the lock held. */
static WorkerSlot *
take (Scheduler *self, const char *module, GMainContext *context)
{
  WorkerSlot *slot = NULL;

  if (self->queue.length == 0 && !self->drops_queued
      && (context == NULL || !cancels_running (self)))
    {
      slot = take_idle (self, module, context);
      if (slot == NULL && context != NULL)
        slot = take_busy (self, module, context);
    }
  if (slot != NULL)
    slot->n_plain++;
  return slot;
}

WorkerSlot *
scheduler_take_plain (Scheduler *self, ProcfunFunction *function, GMainContext *context, gint64 now)
{
  const char *module = zygotes_get_key (function);
  guint64 state = zygotes_get_state (self->zygotes, now);
  GoneWorkers gone = { 0 };
  WorkerSlot *slot;

  g_mutex_lock (&self->lock);
  scheduler_remove_gone (self, now, state, &gone);
  slot = take (self, module, context);
  g_mutex_unlock (&self->lock);
  scheduler_end_gone (&gone);
  return slot;
}

void
worker_slot_return_plain (WorkerSlot *self)
{
  g_mutex_lock (&self->scheduler->lock);
  self->n_plain--;
  g_mutex_unlock (&self->scheduler->lock);
  if (self->n_plain == 0)
    worker_slot_give_back (self);
}

/* The first process of a module that is kept has its own rules. */
gboolean
scheduler_can_queue_plain (Scheduler *self, const char *module)
{
  return !self->config.refuses && !self->is_closing && !self->drops_queued
         && !cancels_running (self) && self->slots.idle.length == 0
         && slots_count (&self->slots) >= self->config.max_workers
         && (!self->keeps || slots_has_busy (&self->slots, module));
}

gboolean
scheduler_may_queue_plain (Scheduler *self, ProcfunFunction *function)
{
  const char *module = zygotes_get_key (function);
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = scheduler_can_queue_plain (self, module);
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
  ok = scheduler_can_queue_plain (self, waiter.module);
  if (ok)
    context_source_add (self, &waiter, context, callback, user_data);
  g_mutex_unlock (&self->lock);
  return ok;
}

/* (nullable): the next call in the queue, taken out of it, if it can be sent behind others. */
static Waiter *
take_next (WorkerSlot *slot)
{
  Scheduler *self = slot->scheduler;
  Waiter *waiter;

  g_mutex_lock (&self->lock);
  waiter = (Waiter *)queue_peek (&self->queue);
  if (waiter != NULL && waiter->request.plain != NULL && waiter->source != NULL
      && !self->drops_queued && !cancels_running (self)
      && has_room (slot, waiter->module, context_source_get_context (waiter)))
    {
      queue_remove (&self->queue, &waiter->entry);
      slot->n_plain++;
      scheduler_announce_room (self);
    }
  else
    waiter = NULL;
  g_mutex_unlock (&self->lock);
  return waiter;
}

void
worker_slot_feed_plain (WorkerSlot *self)
{
  Waiter *waiter;

  while ((waiter = take_next (self)) != NULL)
    context_source_hand_over (waiter, self);
}

void
worker_slot_end_plain (WorkerSlot *self)
{
  gboolean is_last, others_wait;

  g_mutex_lock (&self->scheduler->lock);
  is_last = self->n_plain == 1;
  if (!is_last)
    {
      self->n_plain--;
      self->n_calls++;
      if (cancels_running (self->scheduler)) /* the source may have taken another time since */
        g_source_set_ready_time (self->waits, 0);
    }
  others_wait = self->scheduler->queue.length > 0;
  g_mutex_unlock (&self->scheduler->lock);
  if (is_last)
    worker_slot_put_back (self, &self->worker, TRUE);
  else if (others_wait)
    worker_slot_feed_plain (self);
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

/* With the lock held. (transfer full) (nullable) */
static Canceller *
find_canceller (WorkerSlot *self, ProcfunCall *call)
{
  if (!cancels_running (self->scheduler))
    return NULL;
  if (self->scheduler->is_aborting)
    procfun_call_set_urgent (call);
  return canceller_ref (procfun_call_get_canceller (call));
}

static void
cancel (Canceller *canceller)
{
  if (canceller == NULL)
    return;
  canceller_cancel (canceller);
  canceller_unref (canceller);
}

void
worker_slot_set_call (WorkerSlot *self, ProcfunCall *call)
{
  Canceller *canceller;

  g_mutex_lock (&self->scheduler->lock);
  self->call = call;
  self->n_plain = 0;
  self->waits = NULL;
  canceller = find_canceller (self, call);
  g_mutex_unlock (&self->scheduler->lock);
  cancel (canceller);
}

void
worker_slot_queue_made (WorkerSlot *self, Exchange *exchange)
{
  ProcfunCall *call = exchange_get_call (exchange);
  Canceller *canceller;

  worker_slot_queue (self, exchange);
  g_mutex_lock (&self->scheduler->lock);
  canceller = find_canceller (self, call);
  g_mutex_unlock (&self->scheduler->lock);
  cancel (canceller);
}
