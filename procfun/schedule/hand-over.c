/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a worker goes from one call to the next, which waits. */

#include "procfun/schedule/hand-over.h"

#include "procfun/schedule/context-source.h"

/* The worker has the next call while the thread that waits for it is on its way. */
static gboolean
can_send (const Waiter *waiter)
{
  return waiter->plain != NULL && worker_slot_has_started (waiter->slot)
         && waiter->slot->n_calls > 0;
}

void
hand_over_prepare (HandOver *self, Waiter *waiter)
{
  if (waiter->source != NULL)
    context_source_wake (waiter);
  else if (self == NULL || self->assigned != NULL)
    g_cond_signal (waiter->assigned);
  else
    {
      self->assigned = g_atomic_rc_box_acquire (waiter->assigned);
      if (!can_send (waiter))
        return;
      self->waiter = waiter;
      waiter->plain->is_promised = TRUE;
      waiter->is_assigned = FALSE;
    }
}

static void
send (Waiter *waiter, Scheduler *scheduler)
{
  PlainWait *wait = waiter->plain;

  wait->was_handed_over = wait->hand_over (waiter->slot, wait->user_data);
  g_mutex_lock (&scheduler->lock);
  waiter->is_assigned = TRUE;
  g_mutex_unlock (&scheduler->lock);
}

void
hand_over_run (HandOver *self, Scheduler *scheduler)
{
  if (self->waiter != NULL)
    send (self->waiter, scheduler);
  if (self->assigned == NULL)
    return;
  g_cond_signal (self->assigned);
  g_atomic_rc_box_release_full (self->assigned, (GDestroyNotify)g_cond_clear);
}
