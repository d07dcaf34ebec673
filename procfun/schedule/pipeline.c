/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/pipeline.h"

#include "procfun/schedule/admission.h"
#include "procfun/schedule/context-source.h"

/* With the lock held: whether @request can be sent to @slot behind others. What exchanges change
 * without the lock is read only where their context is this thread's. */
static gboolean
can_pipeline (WorkerSlot *slot, const SlotRequest *request)
{
  GMainContext *context = slot->owner.context;
  const Worker *worker;
  guint64 n_calls;

  if (!request->may_be_pipelined || slot->scheduler->drops_queued || context == NULL
      || !g_main_context_is_owner (context) || slot->is_spent || slot->head == NULL
      || slot->reservations.length > 0)
    return FALSE;
  worker = exchange_get_worker (slot->head);
  n_calls = slot->n_calls + 1 + slot->pipelined.length;
  return worker->is_kept && worker->channel != NULL && worker->codec == request->options->codec
         && worker->max_payload == request->options->max_payload
         && slot->context == request->options->context
         && worker->sandbox == request->options->sandbox
         && slot->pipelined.length + 1 < slot->scheduler->config.calls_in_flight
         && worker_slot_find_reason (slot, worker, n_calls) == NULL
         && g_str_equal (slot->module, zygotes_get_key (request->function));
}

WorkerSlot *
scheduler_find_busy (Scheduler *self, const SlotRequest *request)
{
  WorkerSlot *found = NULL;

  for (GList *l = self->slots.busy.head; l != NULL && self->queue.length == 0; l = l->next)
    {
      WorkerSlot *slot = l->data;

      if ((found == NULL || slot->pipelined.length < found->pipelined.length)
          && can_pipeline (slot, request))
        found = slot;
    }
  return found;
}

Exchange *
worker_slot_get_head (WorkerSlot *self)
{
  return self->head;
}

/* (nullable): the next call in the queue, taken out of it, if it can be sent to @slot. */
static Waiter *
take_next (WorkerSlot *slot)
{
  Scheduler *scheduler = slot->scheduler;
  Waiter *waiter;

  g_mutex_lock (&scheduler->lock);
  waiter = (Waiter *)queue_peek (&scheduler->queue);
  if (waiter != NULL && waiter->source != NULL
      && context_source_get_context (waiter) == slot->owner.context
      && can_pipeline (slot, &waiter->request))
    {
      queue_remove (&scheduler->queue, &waiter->entry);
      scheduler_announce_room (scheduler);
    }
  else
    waiter = NULL;
  g_mutex_unlock (&scheduler->lock);
  return waiter;
}

/* Sends a worker the calls at the head of the queue that wait in its main context. */
static void
feed (WorkerSlot *slot)
{
  Waiter *waiter;

  while (worker_slot_get_head (slot) != NULL && (waiter = take_next (slot)) != NULL)
    context_source_hand_over (waiter, slot);
}

void
worker_slot_set_head (WorkerSlot *self, Exchange *exchange)
{
  if (self->owner.context == NULL || !self->scheduler->keeps)
    return;
  self->head = exchange;
  feed (self);
}

void
worker_slot_queue (WorkerSlot *self, Exchange *exchange)
{
  g_mutex_lock (&self->scheduler->lock);
  g_queue_push_tail_link (&self->pipelined, exchange_get_link (exchange));
  g_mutex_unlock (&self->scheduler->lock);
}

/* (nullable) */
static Exchange *
pop_first (GQueue *pipelined)
{
  GList *link = g_queue_pop_head_link (pipelined);

  return link != NULL ? link->data : NULL;
}

/* Calls run in the order in which they were sent. FALSE: there is none. */
static gboolean
pass_on (WorkerSlot *self, Worker *worker)
{
  gboolean others_wait;
  Exchange *next;

  g_mutex_lock (&self->scheduler->lock);
  others_wait = self->scheduler->queue.length > 0;
  next = pop_first (&self->pipelined);
  if (next != NULL)
    {
      if (self->n_calls == 0)
        worker_slot_note_first_call (self, worker, TRUE);
      self->n_calls++;
      self->call = exchange_get_call (next);
    }
  g_mutex_unlock (&self->scheduler->lock);
  if (next == NULL)
    return FALSE;
  self->head = next;
  exchange_set_release (next, worker_slot_release, self);
  exchange_move_up (next, worker);
  if (others_wait)
    feed (self);
  return TRUE;
}

/* A worker runs its calls one after the other: those behind one that it has not answered have not
 * begun, and those behind one that it has answered may have, even if it has died since. */
void
worker_slot_release (Worker *worker, gboolean is_usable, gpointer data)
{
  WorkerSlot *self = data;
  Exchange *head = g_steal_pointer (&self->head);
  gboolean has_ended = head == NULL || exchange_has_ended (head);
  ExchangeHead what = has_ended ? EXCHANGE_HEAD_LOST : EXCHANGE_HEAD_DROPPED;
  GQueue pipelined;
  Exchange *next;

  if (!self->scheduler->keeps)
    {
      worker_clear (worker); /* before another one is started in its place */
      worker_slot_drop (self);
      return;
    }
  self->is_spent = self->is_spent || !is_usable;
  is_usable = is_usable && !self->is_spent;
  if (head != NULL && has_ended && exchange_was_answered (head) && pass_on (self, worker))
    return;
  g_mutex_lock (&self->scheduler->lock);
  pipelined = self->pipelined;
  g_queue_init (&self->pipelined);
  g_mutex_unlock (&self->scheduler->lock);
  worker_slot_put_back (self, worker, is_usable);
  while ((next = pop_first (&pipelined)) != NULL)
    exchange_lose_head (next, what);
}
