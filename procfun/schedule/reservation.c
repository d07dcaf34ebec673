/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/reservation.h"

typedef struct
{
  GSource source;
  GList link;            /* of those that wait for the worker */
  WorkerSlot *slot;      /* a reference */
  GMainContext *context; /* unowned: @user_data keeps it */
  ReservationFunc func;
  gpointer user_data;

  /* With the lock of the scheduler held */
  gboolean is_waiting;
} Reservation;

/* TRUE: it has the worker. */
static gboolean
leave (Reservation *self)
{
  WorkerSlot *slot = self->slot;
  gboolean has_slot;

  g_mutex_lock (&slot->scheduler->lock);
  if (self->is_waiting)
    g_queue_unlink (&slot->reservations, &self->link);
  self->is_waiting = FALSE;
  has_slot = slot->reservation == self;
  if (has_slot)
    slot->reservation = NULL;
  g_mutex_unlock (&slot->scheduler->lock);
  return has_slot;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  Reservation *self = (Reservation *)source;

  self->func (leave (self) ? self->slot : NULL, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
finalize (GSource *source)
{
  Reservation *self = (Reservation *)source;

  if (leave (self))
    worker_slot_give_back (self->slot);
  worker_slot_unref (self->slot);
}

static GSourceFuncs funcs = { .dispatch = dispatch, .finalize = finalize };

static void
wake (Reservation *self)
{
  self->is_waiting = FALSE;
  g_source_set_ready_time (&self->source, 0);
}

static void
assign (Reservation *self)
{
  owner_init (&self->slot->owner, self->context);
  self->slot->reservation = self;
  wake (self);
}

void
worker_slot_assign_reserved (WorkerSlot *slot)
{
  assign (g_queue_pop_head_link (&slot->reservations)->data);
}

void
worker_slot_lose_reservations (WorkerSlot *slot)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&slot->reservations)) != NULL)
    wake (link->data);
}

void
scheduler_drop_reservations (Scheduler *self)
{
  for (GList *l = self->slots.busy.head; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->next;
      worker_slot_lose_reservations (slot);
      if (slot->reservation == NULL)
        continue;
      slot->reservation = NULL;
      owner_clear (&slot->owner);
      slots_set_idle (&self->slots, slot);
    }
}

/* With the lock held. */
static Reservation *
reserve (WorkerSlot *slot, GMainContext *context, ReservationFunc func, gpointer user_data)
{
  Reservation *self = (Reservation *)g_source_new (&funcs, sizeof *self);

  g_source_set_static_name (&self->source, "procfun reservation");
  self->link.data = self;
  self->slot = worker_slot_ref (slot);
  self->context = context;
  self->func = func;
  self->user_data = user_data;
  self->is_waiting = TRUE;
  g_queue_push_tail_link (&slot->reservations, &self->link);
  if (slot->is_idle)
    {
      slots_set_busy (&slot->scheduler->slots, slot);
      worker_slot_assign_reserved (slot);
    }
  return self;
}

static void
list_workers (GQueue *slots, const char *module, GPtrArray *found)
{
  for (GList *l = slots->head; l != NULL; l = l->next)
    {
      WorkerSlot *slot = l->data;

      if (worker_slot_has_started (slot) && g_str_equal (slot->module, module))
        g_ptr_array_add (found, slot);
    }
}

static void
attach (gpointer data, gpointer cancellable)
{
  Reservation *self = data;

  if (cancellable != NULL)
    {
      g_autoptr (GSource) cancelled = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (cancelled);
      g_source_add_child_source (&self->source, cancelled);
    }
  g_source_attach (&self->source, self->context);
  g_source_unref (&self->source);
}

guint
scheduler_reserve_workers (Scheduler *self, const char *module, GMainContext *context,
                           GCancellable *cancellable, ReservationFunc func, gpointer user_data)
{
  guint64 state = zygotes_get_state (self->zygotes, g_get_monotonic_time ());
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  GoneWorkers gone = { 0 };

  g_mutex_lock (&self->lock);
  scheduler_remove_gone (self, g_get_monotonic_time (), state, &gone);
  slots_poll_exited (&self->slots, &gone.exited);
  if (!self->is_closing)
    {
      list_workers (&self->slots.busy, module, found);
      list_workers (&self->slots.idle, module, found);
    }
  for (guint i = 0; i < found->len; i++)
    found->pdata[i] = reserve (found->pdata[i], context, func, user_data);
  g_mutex_unlock (&self->lock);
  scheduler_end_gone (&gone);
  g_ptr_array_foreach (found, attach, cancellable);
  return found->len;
}
