/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How one waits for a worker: in a thread, and in a main context. */

#include "procfun/schedule/scheduler-private.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/platform/waker.h"
#include "procfun/procfun-error.h"

/* Why one waits no more */

static void
set_timed_out (const SlotRequest *request, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
               _ ("%s() missed its deadline while it waited for a worker"),
               procfun_function_get_name (request->function));
}

void
scheduler_set_nested (ProcfunFunction *function, GError **error)
{
  g_set_error (
      error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
      _ ("%s() cannot be called: all workers have calls that only this thread can bring to "
         "an end"),
      procfun_function_get_name (function));
}

void
scheduler_set_closed (ProcfunFunction *function, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED,
               _ ("%s() cannot be called: the executor is closed"),
               procfun_function_get_name (function));
}

static gboolean
is_over (gint64 deadline)
{
  return deadline > 0 && g_get_monotonic_time () >= deadline;
}

static gboolean
set_error_if_cancelled (const SlotRequest *request, GError **error)
{
  return request->call != NULL ? canceller_set_error_if_cancelled (request->call->canceller, error)
                               : g_cancellable_set_error_if_cancelled (request->cancellable, error);
}

/* With the lock held. */
static gboolean
check_waiting (Scheduler *self, const SlotRequest *request, GError **error)
{
  if (set_error_if_cancelled (request, error))
    return FALSE;
  if (is_over (request->deadline))
    set_timed_out (request, error);
  else if (request->call == NULL && self->is_closing)
    scheduler_set_closed (request->function, error);
  else
    return TRUE;
  return FALSE;
}

static void
mark (Owner *owner, gboolean is_stuck)
{
  if (owner->is_stuck != is_stuck && owner_is_here (owner))
    owner->is_stuck = is_stuck;
}

/* A thread that waits in the queue is no obstacle: it takes what it gets. */
static void
mark_all (Scheduler *self, gboolean is_stuck)
{
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    mark (&((WorkerSlot *)l->data)->owner, is_stuck);
  for (GList *l = self->queue.entries.head; l != NULL; l = l->next)
    if (((Waiter *)l->data)->source != NULL)
      mark (&((Waiter *)l->data)->owner, is_stuck);
}

/* Others may see now that they wait in vain. */
void
scheduler_begin_wait (Scheduler *self)
{
  mark_all (self, TRUE);
  scheduler_wake_threads (self);
}

void
scheduler_end_wait (Scheduler *self)
{
  mark_all (self, FALSE);
}

gboolean
scheduler_is_deadlocked (Scheduler *self)
{
  gboolean is_one = FALSE;

  if (self->busy.length < self->config.max_workers)
    return FALSE;
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    {
      const Owner *owner = &((WorkerSlot *)l->data)->owner;

      if (!owner->is_stuck)
        return FALSE;
      is_one = is_one || owner_is_here (owner);
    }
  return is_one;
}

static void
init_waiter (Waiter *self, const SlotRequest *request, GMainContext *context)
{
  *self = (Waiter){ .call = request->call, .module = zygotes_get_key (request->function) };
  owner_init (&self->owner, context);
}

/* In a thread */

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  Alarm *self = user_data;

  g_mutex_lock (&self->scheduler->lock);
  g_cond_broadcast (self->cond);
  g_mutex_unlock (&self->scheduler->lock);
}

void
alarm_set (Alarm *self, Scheduler *scheduler, GCond *cond, GCancellable *cancellable)
{
  *self = (Alarm){ .scheduler = scheduler, .cond = cond, .cancellable = cancellable };
  if (cancellable != NULL)
    self->handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
}

void
alarm_clear (Alarm *self)
{
  g_cancellable_disconnect (self->cancellable, self->handler);
}

static void
wait_once (GCond *cond, GMutex *lock, gint64 deadline)
{
  if (deadline > 0)
    g_cond_wait_until (cond, lock, deadline);
  else
    g_cond_wait (cond, lock);
}

/* With the lock held. FALSE: it is in the queue no more. */
static gboolean
wait_in_queue (Scheduler *self, const SlotRequest *request, Waiter *waiter, GError **error)
{
  scheduler_begin_wait (self);
  while (!waiter->is_assigned)
    {
      gboolean goes_on = check_waiting (self, request, error);

      if (goes_on && !scheduler_is_deadlocked (self))
        {
          wait_once (&waiter->assigned, &self->lock, request->deadline);
          continue;
        }
      if (goes_on)
        scheduler_set_nested (request->function, error);
      queue_remove (&self->queue, &waiter->entry);
      scheduler_end_wait (self);
      scheduler_assign (self); /* it may have been in the way of the next one */
      return FALSE;
    }
  scheduler_end_wait (self);
  return TRUE;
}

WorkerSlot *
scheduler_acquire (Scheduler *self, const SlotRequest *request, GError **error)
{
  Waiter waiter;
  Alarm alarm;
  gboolean assigned;

  init_waiter (&waiter, request, NULL);
  g_cond_init (&waiter.assigned);
  assigned = scheduler_ask (self, request, &waiter, TRUE, NULL);
  if (!assigned)
    {
      alarm_set (&alarm, self, &waiter.assigned,
                 request->call != NULL ? canceller_get_cancellable (request->call->canceller)
                                       : request->cancellable);
      g_mutex_lock (&self->lock);
      assigned = wait_in_queue (self, request, &waiter, error);
      g_mutex_unlock (&self->lock);
      alarm_clear (&alarm);
    }
  g_cond_clear (&waiter.assigned);
  owner_clear (&waiter.owner);
  return assigned ? scheduler_claim (self, request, &waiter, error) : NULL;
}

WorkerSlot *
scheduler_try_acquire (Scheduler *self, const SlotRequest *request, GError **error)
{
  Waiter waiter;
  gboolean assigned;

  init_waiter (&waiter, request, NULL);
  assigned = scheduler_ask (self, request, &waiter, FALSE, NULL);
  owner_clear (&waiter.owner);
  return assigned ? scheduler_claim (self, request, &waiter, error) : NULL;
}

/* In a main context */

typedef struct
{
  GSource source;
  Scheduler *scheduler;
  Waiter waiter;
  SlotRequest request;
  ExchangeOptions options;
  Canceller *canceller; /* (nullable): of its call */
  Waker *waker;         /* (nullable): of who has none */
  SlotFunc callback;    /* (nullable): it has been called */
  gpointer user_data;
} WaitSource;

/* (transfer full) (nullable): taken out of the queue. */
static WaitSource *
take_next (WorkerSlot *slot)
{
  Scheduler *scheduler = slot->scheduler;
  Waiter *waiter;
  WaitSource *next = NULL;

  g_mutex_lock (&scheduler->lock);
  waiter = (Waiter *)queue_peek (&scheduler->queue);
  if (waiter != NULL && waiter->source != NULL && waiter->owner.context == slot->owner.context
      && scheduler_can_pipeline (slot, &((WaitSource *)waiter->source)->request))
    {
      next = (WaitSource *)g_source_ref (waiter->source);
      queue_remove (&scheduler->queue, &waiter->entry);
      scheduler_announce_admission (scheduler);
    }
  g_mutex_unlock (&scheduler->lock);
  return next;
}

void
scheduler_feed (WorkerSlot *slot)
{
  WaitSource *next;

  while (worker_slot_get_head (slot) != NULL && (next = take_next (slot)) != NULL)
    {
      SlotFunc callback = g_steal_pointer (&next->callback);

      callback (slot, NULL, next->user_data);
      g_source_destroy (&next->source);
      g_source_unref (&next->source);
    }
}

static gboolean
wait_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  WaitSource *self = (WaitSource *)source;
  WorkerSlot *slot = NULL;
  SlotFunc callback;
  GError *error = NULL;
  gboolean assigned;

  g_mutex_lock (&self->scheduler->lock);
  assigned = self->waiter.is_assigned;
  if (!assigned && !check_waiting (self->scheduler, &self->request, &error))
    {
      queue_remove (&self->scheduler->queue, &self->waiter.entry);
      scheduler_assign (self->scheduler);
    }
  else if (!assigned)
    g_source_set_ready_time (source, self->request.deadline > 0 ? self->request.deadline : -1);
  g_mutex_unlock (&self->scheduler->lock);
  if (!assigned && error == NULL)
    return G_SOURCE_CONTINUE;
  if (assigned)
    slot = scheduler_claim (self->scheduler, &self->request, &self->waiter, &error);
  callback = g_steal_pointer (&self->callback);
  callback (slot, error, self->user_data);
  return G_SOURCE_REMOVE;
}

/* Whoever assignments something makes the source ready, so it must leave the queue before it is
 * finalised. It may never have been dispatched. */
static void
wait_source_dispose (GSource *source)
{
  WaitSource *self = (WaitSource *)source;
  SlotFunc callback = g_steal_pointer (&self->callback);

  if (self->canceller != NULL)
    canceller_set_source (self->canceller, NULL);
  g_clear_pointer (&self->canceller, canceller_unref);
  g_clear_pointer (&self->waker, waker_free);
  if (callback == NULL)
    return;
  g_mutex_lock (&self->scheduler->lock);
  if (queue_remove (&self->scheduler->queue, &self->waiter.entry))
    scheduler_assign (self->scheduler);
  g_mutex_unlock (&self->scheduler->lock);
  if (self->waiter.is_assigned)
    scheduler_cancel (self->scheduler, &self->waiter);
  callback (NULL,
            g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                 _ ("the main context of the call is gone")),
            self->user_data);
}

static void
wait_source_finalize (GSource *source)
{
  WaitSource *self = (WaitSource *)source;

  owner_clear (&self->waiter.owner);
  g_object_unref (self->request.function);
  g_object_unref (self->options.codec);
  g_clear_object (&self->request.cancellable);
  scheduler_unref (self->scheduler);
}

static GSourceFuncs wait_source_funcs
    = { .dispatch = wait_source_dispatch, .finalize = wait_source_finalize };

/* What of the request is needed to start a worker. */
static WaitSource *
wait_source_new (Scheduler *scheduler, const SlotRequest *request, SlotFunc callback,
                 gpointer user_data)
{
  GSource *source = g_source_new (&wait_source_funcs, sizeof (WaitSource));
  WaitSource *self = (WaitSource *)source;

  self->scheduler = g_atomic_rc_box_acquire (scheduler);
  self->request = *request;
  g_object_ref (request->function);
  self->options = (ExchangeOptions){ .codec = g_object_ref (request->options->codec),
                                     .max_payload = request->options->max_payload };
  self->request.options = &self->options;
  self->callback = callback;
  self->user_data = user_data;
  if (request->call != NULL)
    {
      self->canceller = canceller_ref (request->call->canceller);
      canceller_set_source (self->canceller, source);
    }
  else if (request->cancellable != NULL)
    {
      g_object_ref (request->cancellable);
      self->waker = waker_new (request->cancellable, source);
    }
  g_source_set_dispose_function (source, wait_source_dispose);
  g_source_set_static_name (source, "procfun queue");
  return self;
}

static void
wait_in_context (WaitSource *self, GMainContext *context)
{
  GSource *source = &self->source;

  init_waiter (&self->waiter, &self->request, context);
  self->waiter.source = source;
  g_source_set_ready_time (source, self->request.deadline > 0 ? self->request.deadline : -1);
  if (scheduler_ask (self->scheduler, &self->request, &self->waiter, TRUE, NULL) /* meanwhile */
      || set_error_if_cancelled (&self->request, NULL))
    g_source_set_ready_time (source, 0);
  g_source_attach (source, context);
  g_source_unref (source);
}

void
scheduler_acquire_async (Scheduler *self, const SlotRequest *request, GMainContext *context,
                         SlotFunc callback, gpointer user_data)
{
  WorkerSlot *slot = NULL;
  Waiter waiter;
  GError *error = NULL;
  gboolean assigned;

  init_waiter (&waiter, request, context);
  assigned = scheduler_ask (self, request, &waiter, FALSE, &slot);
  owner_clear (&waiter.owner);
  if (assigned)
    slot = scheduler_claim (self, request, &waiter, &error);
  if (assigned || slot != NULL)
    callback (slot, error, user_data);
  else
    wait_in_context (wait_source_new (self, request, callback, user_data), context);
}
