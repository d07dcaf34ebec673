/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a scheduler ends. */

#include "procfun/schedule/scheduler.h"

#include "procfun/core/call.h"
#include "procfun/schedule/admission.h"
#include "procfun/schedule/context-source.h"
#include "procfun/schedule/reservation.h"
#include <signal.h>

/* How long killed workers are waited for. */
#define DEATH_MAX_MS 5000

static void
wake_session (QueueEntry *entry, gpointer user_data)
{
  Waiter *waiter = (Waiter *)entry;

  if (slot_request_is_session (&waiter->request) && waiter->assigned != NULL)
    g_cond_signal (waiter->assigned);
}

void
scheduler_begin_to_close (Scheduler *self)
{
  g_mutex_lock (&self->lock);
  self->is_closing = TRUE;
  if (self->n_sessions > 0)
    queue_foreach (&self->queue, wake_session, NULL);
  for (GList *l = self->sources.head; l != NULL; l = l->next)
    context_source_wake_sessions (l->data);
  scheduler_wake_submitters (self);
  scheduler_drop_reservations (self);
  g_mutex_unlock (&self->lock);
}

/* Calls of which the cancellers are listed exist until the lock is released. */
typedef struct
{
  GPtrArray *cancellers;
  gboolean is_urgent; /* without grace periods */
} Cancelling;

static void
add_call (Cancelling *self, ProcfunCall *call)
{
  if (call == NULL)
    return;
  if (self->is_urgent)
    procfun_call_set_urgent (call);
  g_ptr_array_add (self->cancellers, canceller_ref (procfun_call_get_canceller (call)));
}

static void
add_waiting_call (QueueEntry *entry, gpointer cancelling)
{
  Waiter *waiter = (Waiter *)entry;

  add_call (cancelling, waiter->request.call);
  if (waiter->request.plain != NULL && waiter->source != NULL)
    context_source_cancel_plain (waiter);
  else if (waiter->request.plain != NULL)
    {
      waiter->request.is_plain_cancelled = TRUE;
      g_cond_signal (waiter->assigned);
    }
}

static void
add_running_calls (Cancelling *self, const Scheduler *scheduler)
{
  for (GList *l = scheduler->slots.busy.head; l != NULL; l = l->next)
    {
      const WorkerSlot *slot = l->data;

      for (GList *m = slot->pipelined.head; m != NULL; m = m->next)
        add_call (self, exchange_get_call (m->data));
      add_call (self, slot->call);
      if (slot->waits != NULL)
        g_source_set_ready_time (slot->waits, 0); /* it becomes an object, which is cancelled */
    }
  for (GList *l = scheduler->sources.head; l != NULL; l = l->next)
    context_source_cancel_assigned (l->data);
}

/* Without the lock. */
static void
cancel (Cancelling *self)
{
  for (guint i = 0; i < self->cancellers->len; i++)
    canceller_cancel (self->cancellers->pdata[i]);
  g_ptr_array_unref (self->cancellers);
}

static void
drop (QueueEntry *entry, gpointer user_data)
{
  Waiter *waiter = (Waiter *)entry;

  if (waiter->source != NULL)
    context_source_drop (waiter);
  else
    g_cond_signal (waiter->assigned);
}

void
scheduler_end_calls (Scheduler *self, ProcfunCloseFlags flags)
{
  Cancelling cancelling
      = { .cancellers = g_ptr_array_new_with_free_func ((GDestroyNotify)canceller_unref) };

  g_mutex_lock (&self->lock);
  self->close_flags |= flags;
  self->drops_queued = (self->close_flags & PROCFUN_CLOSE_DROP_QUEUED) != 0;
  if ((flags & PROCFUN_CLOSE_DROP_QUEUED) != 0)
    queue_foreach (&self->queue, drop, NULL);
  if ((flags & PROCFUN_CLOSE_CANCEL_RUNNING) != 0)
    add_running_calls (&cancelling, self);
  g_mutex_unlock (&self->lock);
  cancel (&cancelling);
}

/* Those that wait come first, or the end of one that runs would let them begin. */
void
scheduler_abort (Scheduler *self)
{
  Cancelling cancelling
      = { .cancellers = g_ptr_array_new_with_free_func ((GDestroyNotify)canceller_unref),
          .is_urgent = TRUE };

  g_mutex_lock (&self->lock);
  self->is_aborting = TRUE;
  queue_foreach (&self->queue, add_waiting_call, &cancelling);
  add_running_calls (&cancelling, self);
  g_mutex_unlock (&self->lock);
  cancel (&cancelling);
}

void
scheduler_kill (Scheduler *self)
{
  g_mutex_lock (&self->lock);
  for (GList *l = self->slots.busy.head; l != NULL; l = l->next)
    {
      const WorkerSlot *slot = l->data;

      if (slot->process != NULL && worker_slot_has_call (slot))
        process_kill_all (slot->process);
    }
  g_mutex_unlock (&self->lock);
}

gboolean
scheduler_has_own_calls (Scheduler *self)
{
  gboolean found = FALSE;

  g_mutex_lock (&self->lock);
  for (GList *l = self->slots.busy.head; l != NULL && !found; l = l->next)
    {
      const WorkerSlot *slot = l->data;

      found = worker_slot_has_call (slot) && owner_is_here (&slot->owner);
    }
  for (GList *l = self->sources.head; l != NULL && !found; l = l->next)
    found = context_source_has_own_calls (l->data);
  g_mutex_unlock (&self->lock);
  return found;
}

void
scheduler_clear (Scheduler *self)
{
  GQueue removed = G_QUEUE_INIT;
  GList *link;

  g_mutex_lock (&self->lock);
  slots_remove_unused (&self->slots, &removed);
  while ((link = g_queue_pop_head_link (&self->slots.ended)) != NULL)
    g_queue_push_tail_link (&removed, link);
  for (GList *l = removed.head; l != NULL; l = l->next)
    process_signal_alone (((WorkerSlot *)l->data)->process, SIGKILL);
  g_mutex_unlock (&self->lock);
  while ((link = g_queue_pop_head_link (&removed)) != NULL)
    scheduler_reap (link->data, DEATH_MAX_MS);
  zygotes_clear (self->zygotes);
}
