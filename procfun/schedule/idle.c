/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/idle.h"

#include "procfun/core/call.h"

/* With the lock held. */
static WorkerSlot *
take (Scheduler *self, const char *module)
{
  WorkerSlot *slot = NULL;

  if (queue_peek (&self->queue) == NULL && !scheduler_drops_queued (self))
    slot = slots_find_idle (&self->slots, module, NULL, FALSE);
  if (slot == NULL || slot->n_calls == 0)
    return NULL;
  slots_set_busy (&self->slots, slot);
  slot->is_plain = TRUE;
  owner_init (&slot->owner, NULL);
  return slot;
}

WorkerSlot *
scheduler_take_idle (Scheduler *self, ProcfunFunction *function, gint64 now)
{
  const char *module = zygotes_get_key (function);
  guint64 state = zygotes_get_state (self->zygotes, now);
  GQueue exited = G_QUEUE_INIT, outdated = G_QUEUE_INIT;
  WorkerSlot *slot;

  g_mutex_lock (&self->lock);
  scheduler_remove_gone (self, now, state, &exited, &outdated);
  slot = take (self, module);
  g_mutex_unlock (&self->lock);
  scheduler_reap_all (&exited);
  scheduler_end_outdated (&outdated);
  return slot;
}

void
worker_slot_set_call (WorkerSlot *self, ProcfunCall *call)
{
  gboolean is_cancelled;

  g_mutex_lock (&self->scheduler->lock);
  self->call = call;
  self->is_plain = FALSE;
  is_cancelled = (self->scheduler->close_flags & PROCFUN_CLOSE_CANCEL_RUNNING) != 0;
  g_mutex_unlock (&self->scheduler->lock);
  if (is_cancelled)
    canceller_cancel (procfun_call_get_canceller (call));
}
