/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who works, who is idle, and who gets whom. */

#include "procfun/schedule/scheduler-private.h"

#include "procfun/core/call.h"
#include <string.h>

Scheduler *
scheduler_new (ProcfunExecutor *executor)
{
  Scheduler *self = g_atomic_rc_box_new0 (Scheduler);

  self->executor = executor;
  self->zygotes = zygotes_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->admission);
  queue_init (&self->queue);
  g_queue_init (&self->idle);
  g_queue_init (&self->busy);
  g_queue_init (&self->ended);
  g_queue_init (&self->submitters);
  return self;
}

Scheduler *
scheduler_new_like (Scheduler *other)
{
  Scheduler *self = scheduler_new (other->executor);

  self->config = other->config;
  g_set_object (&self->initializer, other->initializer);
  if (other->initializer_args != NULL)
    self->initializer_args = g_variant_ref (other->initializer_args);
  return self;
}

static void
clear (gpointer data)
{
  Scheduler *self = data;

  zygotes_free (self->zygotes);
  g_clear_object (&self->initializer);
  g_clear_pointer (&self->initializer_args, g_variant_unref);
  g_clear_error (&self->start_error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->admission);
}

void
scheduler_unref (Scheduler *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

/* Owners */

void
owner_init (Owner *self, GMainContext *context)
{
  self->thread = g_thread_self ();
  self->is_stuck = FALSE;
  self->context = context != NULL ? g_main_context_ref (context) : NULL;
}

void
owner_clear (Owner *self)
{
  g_clear_pointer (&self->context, g_main_context_unref);
  self->thread = NULL;
}

/* A main context that nobody runs is taken for that of the thread that used it. */
gboolean
owner_is_here (const Owner *self)
{
  if (self->context == NULL)
    return self->thread == g_thread_self ();
  if (g_main_context_is_owner (self->context))
    return TRUE;
  if (self->thread != g_thread_self () || !g_main_context_acquire (self->context))
    return FALSE;
  g_main_context_release (self->context);
  return TRUE;
}

/* Members */

WorkerSlot *
worker_slot_new (Scheduler *self, const char *module)
{
  const Worker nothing = WORKER_INIT;
  WorkerSlot *slot = g_new0 (WorkerSlot, 1);

  g_atomic_ref_count_init (&slot->ref_count);
  slot->link.data = slot;
  slot->scheduler = g_atomic_rc_box_acquire (self);
  slot->worker = nothing;
  slot->module = g_intern_string (module);
  slot->is_permanent = self->n_permanent < self->config.min_workers;
  if (slot->is_permanent)
    self->n_permanent++;
  return slot;
}

void
worker_slot_unref (WorkerSlot *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  worker_clear (&self->worker);
  owner_clear (&self->owner);
  scheduler_unref (self->scheduler);
  g_free (self);
}

static void
take_out (WorkerSlot *self)
{
  g_queue_unlink (self->is_idle ? &self->scheduler->idle : &self->scheduler->busy, &self->link);
}

void
worker_slot_set_busy (WorkerSlot *self)
{
  self->is_idle = FALSE;
  g_queue_push_tail_link (&self->scheduler->busy, &self->link);
}

void
worker_slot_remove (WorkerSlot *self)
{
  take_out (self);
  if (self->is_permanent)
    self->scheduler->n_permanent--;
  self->is_permanent = FALSE;
}

/* Settings */

void
scheduler_get_config (Scheduler *self, SchedulerConfig *config)
{
  g_mutex_lock (&self->lock);
  *config = self->config;
  g_mutex_unlock (&self->lock);
}

/* There are more than there may be. */
static void
trim (Scheduler *self, GQueue *surplus)
{
  for (GList *l = self->idle.tail; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->prev;
      if (self->idle.length + self->busy.length <= self->config.max_workers
          && (!slot->is_permanent || self->n_permanent <= self->config.min_workers))
        continue;
      worker_slot_remove (slot);
      g_queue_push_tail_link (surplus, &slot->link);
    }
}

gboolean
scheduler_set_config (Scheduler *self, gsize offset, gsize size, gconstpointer value)
{
  GQueue surplus = G_QUEUE_INIT;
  GList *link;
  gboolean changed;

  g_mutex_lock (&self->lock);
  changed = memcmp ((char *)&self->config + offset, value, size) != 0;
  memcpy ((char *)&self->config + offset, value, size);
  trim (self, &surplus);
  scheduler_assign (self);
  g_mutex_unlock (&self->lock);
  while ((link = g_queue_pop_head_link (&surplus)) != NULL)
    worker_slot_end (link->data, "shrunk");
  return changed;
}

void
scheduler_set_initializer (Scheduler *self, ProcfunFunction *function, GVariant *args)
{
  g_mutex_lock (&self->lock);
  g_set_object (&self->initializer, function);
  g_clear_pointer (&self->initializer_args, g_variant_unref);
  self->initializer_args = args != NULL ? g_variant_ref_sink (args) : NULL;
  g_mutex_unlock (&self->lock);
}

/* Who gets whom */

/* (nullable) (transfer none) */
static GList *
find_idle (Scheduler *self, const char *module)
{
  GList *l = self->idle.head;

  while (l != NULL && !g_str_equal (((WorkerSlot *)l->data)->module, module))
    l = l->next;
  return l;
}

/* Those that began before the program has changed what they would inherit now. */
void
scheduler_remove_outdated (Scheduler *self, guint64 state, GQueue *outdated)
{
  if (state == self->state)
    return;
  self->state = state;
  for (GList *l = self->idle.head; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->next;
      if (slot->inherited_state == state)
        continue;
      worker_slot_remove (slot);
      g_queue_push_tail_link (outdated, &slot->link);
    }
}

static void
end_outdated (GQueue *outdated)
{
  GList *link;

  while ((link = g_queue_pop_head_link (outdated)) != NULL)
    worker_slot_end (link->data, "inherited");
}

void
scheduler_renew (Scheduler *self)
{
  GQueue outdated = G_QUEUE_INIT;

  zygotes_renew (self->zygotes);
  g_mutex_lock (&self->lock);
  scheduler_remove_outdated (self, zygotes_get_state (self->zygotes, 0), &outdated);
  g_mutex_unlock (&self->lock);
  end_outdated (&outdated);
}

static gboolean
has_busy (Scheduler *self, const char *module)
{
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    {
      const WorkerSlot *slot = l->data;

      if (!slot->is_held && slot->process != NULL && g_str_equal (slot->module, module))
        return TRUE;
    }
  return FALSE;
}

/* While none can be started, those that work are better than an error. An idle one of another
 * module makes room. */
static gboolean
may_start (Scheduler *self, const char *module)
{
  if (self->idle.length == 0 && self->busy.length >= self->config.max_workers)
    return FALSE;
  return !scheduler_is_backing_off (self) || !has_busy (self, module);
}

static gboolean
assignment (Scheduler *self, Waiter *waiter)
{
  GList *l = find_idle (self, waiter->module);

  if (l != NULL)
    {
      waiter->slot = l->data;
      take_out (waiter->slot);
    }
  else if (!may_start (self, waiter->module))
    return FALSE;
  else
    {
      if (self->idle.length + self->busy.length >= self->config.max_workers)
        {
          waiter->retired = self->idle.tail->data;
          worker_slot_remove (waiter->retired);
        }
      waiter->slot = worker_slot_new (self, waiter->module);
    }
  worker_slot_set_busy (waiter->slot);
  waiter->slot->call = waiter->call;
  owner_init (&waiter->slot->owner, waiter->owner.context);
  waiter->slot->owner.thread = waiter->owner.thread;
  waiter->slot->owner.is_stuck = waiter->owner.is_stuck;
  return TRUE;
}

/* Who waits in a thread may have to see now that it does so in vain. */
void
scheduler_wake_threads (Scheduler *self)
{
  for (GList *l = self->queue.entries.head; l != NULL; l = l->next)
    {
      Waiter *waiter = l->data;

      if (waiter->source == NULL)
        g_cond_signal (&waiter->assigned);
    }
  g_cond_broadcast (&self->admission);
}

void
scheduler_assign (Scheduler *self)
{
  gboolean to_context = FALSE;
  QueueEntry *entry;

  while ((entry = queue_peek (&self->queue)) != NULL && assignment (self, (Waiter *)entry))
    {
      Waiter *waiter = (Waiter *)entry;

      queue_remove (&self->queue, entry);
      waiter->is_assigned = TRUE;
      if (waiter->source != NULL)
        g_source_set_ready_time (waiter->source, 0);
      else
        g_cond_signal (&waiter->assigned);
      to_context = to_context || waiter->source != NULL;
    }
  if (to_context)
    scheduler_wake_threads (self);
  scheduler_announce_admission (self);
}

gboolean
scheduler_ask (Scheduler *self, const SlotRequest *request, Waiter *waiter, gboolean waits,
               WorkerSlot **busy)
{
  GQueue ended = G_QUEUE_INIT, outdated = G_QUEUE_INIT;
  gint64 asked_at = request->call != NULL ? request->call->submitted_at : 0;
  gint64 now = asked_at > 0 ? asked_at : g_get_monotonic_time ();
  guint64 state = zygotes_get_state (self->zygotes, now);
  gboolean assigned;

  g_mutex_lock (&self->lock);
  scheduler_remove_outdated (self, state, &outdated);
  scheduler_poll_exited_sometimes (self, now, &ended);
  assigned = queue_peek (&self->queue) == NULL && assignment (self, waiter);
  waiter->is_assigned = assigned;
  if (!assigned && waits)
    queue_push (&self->queue, &waiter->entry, request->priority, request->n_bytes);
  else if (!assigned && busy != NULL)
    *busy = scheduler_find_busy (self, request);
  g_mutex_unlock (&self->lock);
  scheduler_end_all (&ended);
  end_outdated (&outdated);
  return assigned; /* as it was then */
}

WorkerSlot *
scheduler_claim (Scheduler *self, const SlotRequest *request, Waiter *waiter, GError **error)
{
  WorkerSlot *slot = g_steal_pointer (&waiter->slot);

  if (waiter->retired != NULL)
    worker_slot_end (g_steal_pointer (&waiter->retired), "module");
  return slot->process != NULL || worker_slot_start (slot, request, error) ? slot : NULL;
}

void
scheduler_cancel (Scheduler *self, Waiter *waiter)
{
  WorkerSlot *slot = g_steal_pointer (&waiter->slot);

  if (waiter->retired != NULL)
    worker_slot_end (g_steal_pointer (&waiter->retired), "module");
  if (slot->process != NULL)
    {
      worker_slot_give_back (slot);
      return;
    }
  g_mutex_lock (&self->lock);
  worker_slot_remove (slot);
  scheduler_assign (self);
  g_mutex_unlock (&self->lock);
  worker_slot_unref (slot);
}

/* For people */

static void
describe_members (GQueue *slots, ProcfunStatistics *statistics)
{
  gint64 now = g_get_monotonic_time ();

  for (GList *l = slots->head; l != NULL; l = l->next)
    {
      const WorkerSlot *slot = l->data;

      if (slot->process != NULL)
        procfun_statistics_add_worker (
            statistics, slot->pid, slot->call != NULL ? PROCFUN_WORKER_BUSY : PROCFUN_WORKER_IDLE,
            slot->n_calls, now - slot->started_at);
    }
}

void
scheduler_describe (Scheduler *self, ProcfunStatistics *statistics)
{
  GQueue ended = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  scheduler_poll_exited (self, &ended);
  procfun_statistics_set_queue (statistics, self->queue.entries.length, self->queue.n_bytes);
  describe_members (&self->busy, statistics);
  describe_members (&self->idle, statistics);
  g_mutex_unlock (&self->lock);
  scheduler_end_all (&ended);
}
