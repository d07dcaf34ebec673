/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How one waits for a worker: in a thread, and in a main context. */

#include "procfun/schedule/waiter.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/platform/waker.h"
#include "procfun/procfun-error.h"
#include "procfun/schedule/pipeline.h"
#include "procfun/schedule/presence.h"

/* Why one waits no more */

static void
set_timed_out (const SlotRequest *request, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
               _ ("%s() missed its deadline while it waited for a worker"),
               procfun_function_get_name (request->function));
}

static gboolean
is_over (gint64 deadline)
{
  return deadline > 0 && g_get_monotonic_time () >= deadline;
}

static gboolean
set_error_if_cancelled (const SlotRequest *request, GError **error)
{
  return request->call != NULL
             ? canceller_set_error_if_cancelled (procfun_call_get_canceller (request->call), error)
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
init_waiter (Waiter *self, const SlotRequest *request, GMainContext *context)
{
  *self = (Waiter){ .request = request, .module = zygotes_get_key (request->function) };
  owner_init (&self->owner, context);
}

static gint64
get_earlier (gint64 deadline, gint64 time)
{
  return deadline > 0 ? MIN (deadline, time) : time;
}

/* With the lock held. */
static void
begin_to_look (Scheduler *self, Waiter *waiter)
{
  if (waiter->source == NULL || !presence_is_needed (self, waiter->owner.context))
    return;
  waiter->looks = TRUE;
  g_source_set_ready_time (
      waiter->source,
      get_earlier (waiter->request->deadline, g_get_monotonic_time () + PRESENCE_LOOK_US));
}

/* FALSE: there is no worker to have now, and the waiter is in the queue, if it @waits, or else
 * a busy worker that the call can be sent to is in *@busy (nullable). */
static gboolean
ask (Scheduler *self, Waiter *waiter, gboolean waits, WorkerSlot **busy)
{
  const SlotRequest *request = waiter->request;
  gint64 asked_at = request->call != NULL ? procfun_call_get_submitted_at (request->call) : 0;
  gint64 now = asked_at > 0 ? asked_at : g_get_monotonic_time ();
  guint64 state = zygotes_get_state (self->zygotes, now);
  GQueue exited = G_QUEUE_INIT, outdated = G_QUEUE_INIT;
  gboolean assigned;

  g_mutex_lock (&self->lock);
  waiter->is_assigned = FALSE;
  scheduler_remove_gone (self, now, state, &exited, &outdated);
  assigned = scheduler_get_next (self) == NULL && scheduler_assign_to (self, waiter);
  if (!assigned && waits)
    begin_to_look (self, waiter);
  if (!assigned && waits)
    queue_push (&self->queue, &waiter->entry, request->priority, request->n_bytes);
  else if (!assigned && busy != NULL)
    *busy = scheduler_find_busy (self, request);
  g_mutex_unlock (&self->lock);
  scheduler_reap_all (&exited);
  scheduler_end_outdated (&outdated);
  return assigned; /* as it was then */
}

/* In a thread */

/* With the lock held. */
static void
wait_once (Scheduler *self, const SlotRequest *request, Waiter *waiter)
{
  gint64 until = request->deadline;

  if (presence_is_needed (self, NULL))
    until = get_earlier (until, g_get_monotonic_time () + PRESENCE_LOOK_US);
  if (until > 0)
    g_cond_wait_until (&waiter->assigned, &self->lock, until);
  else
    g_cond_wait (&waiter->assigned, &self->lock);
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
          if (presence_look (self))
            scheduler_assign (self);
          else
            wait_once (self, request, waiter);
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

static gboolean
wait_in_thread (Scheduler *self, const SlotRequest *request, Waiter *waiter, GError **error)
{
  CondWaker waker;
  gboolean assigned;

  cond_waker_init (&waker, &self->lock, &waiter->assigned,
                   request->call != NULL
                       ? canceller_get_cancellable (procfun_call_get_canceller (request->call))
                       : request->cancellable);
  g_mutex_lock (&self->lock);
  assigned = wait_in_queue (self, request, waiter, error);
  g_mutex_unlock (&self->lock);
  cond_waker_clear (&waker);
  return assigned;
}

WorkerSlot *
scheduler_acquire (Scheduler *self, const SlotRequest *request, GError **error)
{
  WorkerSlot *slot = NULL;
  GError *own_error = NULL;
  Waiter waiter;

  init_waiter (&waiter, request, NULL);
  g_cond_init (&waiter.assigned);
  while (slot == NULL && own_error == NULL)
    if (ask (self, &waiter, TRUE, NULL) || wait_in_thread (self, request, &waiter, &own_error))
      slot = scheduler_claim (self, &waiter, &own_error);
  g_cond_clear (&waiter.assigned);
  owner_clear (&waiter.owner);
  if (own_error != NULL)
    g_propagate_error (error, own_error);
  return slot;
}

WorkerSlot *
scheduler_try_acquire (Scheduler *self, const SlotRequest *request, GError **error)
{
  Waiter waiter;
  gboolean assigned;

  init_waiter (&waiter, request, NULL);
  assigned = ask (self, &waiter, FALSE, NULL);
  owner_clear (&waiter.owner);
  return assigned ? scheduler_claim (self, &waiter, error) : NULL;
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
} WaitSource;

static gint64
get_ready_time (WaitSource *self)
{
  if (self->waiter.looks)
    return get_earlier (self->request.deadline, g_get_monotonic_time () + PRESENCE_LOOK_US);
  return self->request.deadline > 0 ? self->request.deadline : -1;
}

/* None could be started, and it is better to wait for one that is busy. */
static void
wait_again (WaitSource *self)
{
  Scheduler *scheduler = self->scheduler;

  g_mutex_lock (&scheduler->lock);
  g_source_set_ready_time (&self->source, get_ready_time (self));
  self->waiter.is_assigned = FALSE;
  queue_push (&scheduler->queue, &self->waiter.entry, self->request.priority,
              self->request.n_bytes);
  scheduler_assign (scheduler);
  g_mutex_unlock (&scheduler->lock);
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
    {
      self->waiter.looks
          = self->waiter.looks || presence_is_needed (self->scheduler, self->waiter.owner.context);
      g_source_set_ready_time (source, get_ready_time (self));
      if (self->waiter.looks && presence_look (self->scheduler))
        scheduler_assign (self->scheduler);
      assigned = self->waiter.is_assigned;
    }
  g_mutex_unlock (&self->scheduler->lock);
  if (assigned)
    slot = scheduler_claim (self->scheduler, &self->waiter, &error);
  if (assigned && slot == NULL && error == NULL)
    wait_again (self);
  if (slot == NULL && error == NULL)
    return G_SOURCE_CONTINUE;
  callback = g_steal_pointer (&self->waiter.callback);
  callback (slot, error, self->waiter.user_data);
  return G_SOURCE_REMOVE;
}

/* A source in the queue can be made ready, so it leaves the queue before it is finalised. It may
 * never have been dispatched. */
static void
wait_source_dispose (GSource *source)
{
  WaitSource *self = (WaitSource *)source;
  SlotFunc callback = g_steal_pointer (&self->waiter.callback);

  if (self->canceller != NULL)
    canceller_clear_source (self->canceller, source);
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
            self->waiter.user_data);
}

static void
wait_source_finalize (GSource *source)
{
  WaitSource *self = (WaitSource *)source;

  owner_clear (&self->waiter.owner);
  g_object_unref (self->request.function);
  g_object_unref (self->options.codec);
  g_clear_object (&self->options.context);
  g_clear_object (&self->request.cancellable);
  scheduler_unref (self->scheduler);
}

static GSourceFuncs wait_source_funcs
    = { .dispatch = wait_source_dispatch, .finalize = wait_source_finalize };

/* Keeps the parts of the request that are needed to start a worker. */
static WaitSource *
wait_source_new (Scheduler *scheduler, const SlotRequest *request)
{
  GSource *source = g_source_new (&wait_source_funcs, sizeof (WaitSource));
  WaitSource *self = (WaitSource *)source;

  self->scheduler = scheduler_ref (scheduler);
  self->request = *request;
  g_object_ref (request->function);
  self->options = (ExchangeOptions){ .codec = g_object_ref (request->options->codec),
                                     .max_payload = request->options->max_payload };
  g_set_object (&self->options.context, request->options->context);
  self->request.options = &self->options;
  if (request->call != NULL)
    {
      self->canceller = canceller_ref (procfun_call_get_canceller (request->call));
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
wait_in_context (WaitSource *self, GMainContext *context, SlotFunc callback, gpointer user_data)
{
  GSource *source = &self->source;

  init_waiter (&self->waiter, &self->request, context);
  self->waiter.source = source;
  self->waiter.callback = callback;
  self->waiter.user_data = user_data;
  g_source_set_ready_time (source, get_ready_time (self));
  if (ask (self->scheduler, &self->waiter, TRUE, NULL) /* meanwhile */
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
  assigned = ask (self, &waiter, FALSE, &slot);
  owner_clear (&waiter.owner);
  if (assigned)
    slot = scheduler_claim (self, &waiter, &error);
  if (slot != NULL || error != NULL)
    callback (slot, error, user_data);
  else
    wait_in_context (wait_source_new (self, request), context, callback, user_data);
}
