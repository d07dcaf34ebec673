/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/slots.h"

#include "procfun/schedule/reservation.h"

void
slots_init (Slots *self)
{
  *self = (Slots){ .idle = G_QUEUE_INIT, .busy = G_QUEUE_INIT, .ended = G_QUEUE_INIT };
}

guint
slots_count (const Slots *self)
{
  return self->idle.length + self->busy.length;
}

WorkerSlot *
slots_find_idle (Slots *self, const char *module, ProcfunLaunchContext *context, gboolean is_last)
{
  for (GList *l = self->idle.head; l != NULL; l = l->next)
    {
      WorkerSlot *slot = l->data;

      if (g_str_equal (slot->module, module)
          && (slot->context == context || (is_last && slot->context == NULL)))
        return slot;
    }
  return NULL;
}

gboolean
slots_has_busy (Slots *self, const char *module)
{
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    {
      const WorkerSlot *slot = l->data;

      if (!slot->is_held && slot->process != NULL && g_str_equal (slot->module, module))
        return TRUE;
    }
  return FALSE;
}

gboolean
slots_has_running (Slots *self)
{
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    {
      const WorkerSlot *slot = l->data;

      if (!slot->is_held || worker_slot_has_call (slot))
        return TRUE;
    }
  return FALSE;
}

static void
take_out (Slots *self, WorkerSlot *slot)
{
  g_queue_unlink (slot->is_idle ? &self->idle : &self->busy, &slot->link);
}

void
slots_add (Slots *self, WorkerSlot *slot, guint min_workers)
{
  slot->is_permanent = self->n_permanent < min_workers;
  self->n_permanent += slot->is_permanent ? 1 : 0;
  g_queue_push_tail_link (&self->busy, &slot->link);
}

void
slots_set_busy (Slots *self, WorkerSlot *slot)
{
  take_out (self, slot);
  slot->is_idle = FALSE;
  g_queue_push_tail_link (&self->busy, &slot->link);
}

void
slots_set_idle (Slots *self, WorkerSlot *slot)
{
  take_out (self, slot);
  slot->is_idle = TRUE;
  g_queue_push_head_link (&self->idle, &slot->link);
}

void
slots_remove (Slots *self, WorkerSlot *slot)
{
  take_out (self, slot);
  worker_slot_lose_reservations (slot);
  if (slot->is_permanent)
    self->n_permanent--;
  slot->is_permanent = FALSE;
}

void
slots_trim (Slots *self, guint min_workers, guint max_workers, GQueue *surplus)
{
  for (GList *l = self->idle.tail; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->prev;
      if (slots_count (self) <= max_workers
          && (!slot->is_permanent || self->n_permanent <= min_workers))
        continue;
      slots_remove (self, slot);
      g_queue_push_tail_link (surplus, &slot->link);
    }
}

void
slots_remove_outdated (Slots *self, guint64 state, GQueue *outdated)
{
  for (GList *l = self->idle.head; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->next;
      if (slot->inherited_state == state)
        continue;
      slots_remove (self, slot);
      g_queue_push_tail_link (outdated, &slot->link);
    }
}

void
slots_remove_with_other_limits (Slots *self, const ProcfunLimits *limits, GQueue *removed)
{
  for (GList *l = self->idle.head; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->next;
      if (slot->limits == limits)
        continue;
      slots_remove (self, slot);
      g_queue_push_tail_link (removed, &slot->link);
    }
}

void
slots_remove_unused (Slots *self, GQueue *removed)
{
  for (GList *l = self->busy.head; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->next;
      if (!slot->is_held || slot->call != NULL)
        continue;
      slot->is_lost = TRUE;
      slots_remove (self, slot);
      g_queue_push_tail_link (removed, &slot->link);
    }
  while (self->idle.head != NULL)
    {
      WorkerSlot *slot = self->idle.head->data;

      slots_remove (self, slot);
      g_queue_push_tail_link (removed, &slot->link);
    }
}

void
slots_poll_exited (Slots *self, GQueue *exited)
{
  for (GList *l = self->idle.tail; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->prev;
      if (!worker_slot_has_hung_up (slot))
        continue;
      slots_remove (self, slot);
      g_queue_push_tail_link (exited, &slot->link);
    }
  for (GList *l = self->ended.head; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->next;
      if (!worker_slot_is_dead (slot, 0))
        continue;
      g_queue_unlink (&self->ended, &slot->link);
      g_queue_push_tail_link (exited, &slot->link);
    }
}
