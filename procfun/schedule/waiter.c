/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How one waits for a worker: in a thread, and in a main context. */

#include "procfun/schedule/crew-private.h"

#include "procfun/base/intl.h"
#include "procfun/platform/waker.h"
#include "procfun/core/call.h"
#include "procfun/procfun-error.h"

/* Why one waits no more */

static void
set_timed_out (const CrewRequest *request, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
               _ ("%s() missed its deadline while it waited for a worker"),
               procfun_function_get_name (request->function));
}

void
crew_set_nested (ProcfunFunction *function, GError **error)
{
  g_set_error (
      error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
      _ ("%s() cannot be called: all workers have calls that only this thread can bring to "
         "an end"),
      procfun_function_get_name (function));
}

void
crew_set_closed (ProcfunFunction *function, GError **error)
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
set_error_if_cancelled (const CrewRequest *request, GError **error)
{
  return request->call != NULL ? canceller_set_error_if_cancelled (request->call->canceller, error)
                               : g_cancellable_set_error_if_cancelled (request->cancellable, error);
}

/* With the lock held. */
static gboolean
check_waiting (Crew *self, const CrewRequest *request, GError **error)
{
  if (set_error_if_cancelled (request, error))
    return FALSE;
  if (is_over (request->deadline))
    set_timed_out (request, error);
  else if (request->call == NULL && self->is_closing)
    crew_set_closed (request->function, error);
  else
    return TRUE;
  return FALSE;
}

static void
mark (CrewOwner *owner, gboolean is_stuck)
{
  if (owner->is_stuck != is_stuck && crew_owner_is_here (owner))
    owner->is_stuck = is_stuck;
}

/* A thread that waits in the queue is no obstacle: it takes what it gets. */
static void
mark_all (Crew *self, gboolean is_stuck)
{
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    mark (&((CrewMember *)l->data)->owner, is_stuck);
  for (GList *l = self->queue.entries.head; l != NULL; l = l->next)
    if (((CrewWaiter *)l->data)->source != NULL)
      mark (&((CrewWaiter *)l->data)->owner, is_stuck);
}

/* Others may see now that they wait in vain. */
void
crew_begin_wait (Crew *self)
{
  mark_all (self, TRUE);
  crew_wake_threads (self);
}

void
crew_end_wait (Crew *self)
{
  mark_all (self, FALSE);
}

gboolean
crew_is_deadlocked (Crew *self)
{
  gboolean is_one = FALSE;

  if (self->busy.length < self->config.max_workers)
    return FALSE;
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    {
      const CrewOwner *owner = &((CrewMember *)l->data)->owner;

      if (!owner->is_stuck)
        return FALSE;
      is_one = is_one || crew_owner_is_here (owner);
    }
  return is_one;
}

static void
init_waiter (CrewWaiter *self, const CrewRequest *request, GMainContext *context)
{
  *self = (CrewWaiter){ .call = request->call, .module = nurseries_get_key (request->function) };
  crew_owner_init (&self->owner, context);
}

/* In a thread */

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  CrewAlarm *self = user_data;

  g_mutex_lock (&self->crew->lock);
  g_cond_broadcast (self->cond);
  g_mutex_unlock (&self->crew->lock);
}

void
crew_alarm_set (CrewAlarm *self, Crew *crew, GCond *cond, GCancellable *cancellable)
{
  *self = (CrewAlarm){ .crew = crew, .cond = cond, .cancellable = cancellable };
  if (cancellable != NULL)
    self->handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
}

void
crew_alarm_clear (CrewAlarm *self)
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
wait_in_queue (Crew *self, const CrewRequest *request, CrewWaiter *waiter, GError **error)
{
  crew_begin_wait (self);
  while (!waiter->is_granted)
    {
      gboolean goes_on = check_waiting (self, request, error);

      if (goes_on && !crew_is_deadlocked (self))
        {
          wait_once (&waiter->granted, &self->lock, request->deadline);
          continue;
        }
      if (goes_on)
        crew_set_nested (request->function, error);
      queue_remove (&self->queue, &waiter->entry);
      crew_end_wait (self);
      crew_serve (self); /* it may have been in the way of the next one */
      return FALSE;
    }
  crew_end_wait (self);
  return TRUE;
}

CrewMember *
crew_acquire (Crew *self, const CrewRequest *request, GError **error)
{
  CrewWaiter waiter;
  CrewAlarm alarm;
  gboolean granted;

  init_waiter (&waiter, request, NULL);
  g_cond_init (&waiter.granted);
  granted = crew_ask (self, request, &waiter, TRUE, NULL);
  if (!granted)
    {
      crew_alarm_set (&alarm, self, &waiter.granted,
                      request->call != NULL ? canceller_get_cancellable (request->call->canceller)
                                            : request->cancellable);
      g_mutex_lock (&self->lock);
      granted = wait_in_queue (self, request, &waiter, error);
      g_mutex_unlock (&self->lock);
      crew_alarm_clear (&alarm);
    }
  g_cond_clear (&waiter.granted);
  crew_owner_clear (&waiter.owner);
  return granted ? crew_redeem (self, request, &waiter, error) : NULL;
}

CrewMember *
crew_try_acquire (Crew *self, const CrewRequest *request, GError **error)
{
  CrewWaiter waiter;
  gboolean granted;

  init_waiter (&waiter, request, NULL);
  granted = crew_ask (self, request, &waiter, FALSE, NULL);
  crew_owner_clear (&waiter.owner);
  return granted ? crew_redeem (self, request, &waiter, error) : NULL;
}

/* In a main context */

typedef struct
{
  GSource source;
  Crew *crew;
  CrewWaiter waiter;
  CrewRequest request;
  ExchangeOptions options;
  Canceller *canceller; /* (nullable): of its call */
  Waker *waker;         /* (nullable): of who has none */
  CrewFunc callback;    /* (nullable): it has been called */
  gpointer user_data;
} WaitSource;

/* (transfer full) (nullable): taken out of the queue. */
static WaitSource *
take_next (CrewMember *member)
{
  Crew *crew = member->crew;
  CrewWaiter *waiter;
  WaitSource *next = NULL;

  g_mutex_lock (&crew->lock);
  waiter = (CrewWaiter *)queue_peek (&crew->queue);
  if (waiter != NULL && waiter->source != NULL && waiter->owner.context == member->owner.context
      && crew_can_send_ahead (member, &((WaitSource *)waiter->source)->request))
    {
      next = (WaitSource *)g_source_ref (waiter->source);
      queue_remove (&crew->queue, &waiter->entry);
      crew_announce_room (crew);
    }
  g_mutex_unlock (&crew->lock);
  return next;
}

void
crew_feed (CrewMember *member)
{
  WaitSource *next;

  while (crew_member_get_front (member) != NULL && (next = take_next (member)) != NULL)
    {
      CrewFunc callback = g_steal_pointer (&next->callback);

      callback (member, NULL, next->user_data);
      g_source_destroy (&next->source);
      g_source_unref (&next->source);
    }
}

static gboolean
wait_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  WaitSource *self = (WaitSource *)source;
  CrewMember *member = NULL;
  CrewFunc callback;
  GError *error = NULL;
  gboolean granted;

  g_mutex_lock (&self->crew->lock);
  granted = self->waiter.is_granted;
  if (!granted && !check_waiting (self->crew, &self->request, &error))
    {
      queue_remove (&self->crew->queue, &self->waiter.entry);
      crew_serve (self->crew);
    }
  else if (!granted)
    g_source_set_ready_time (source, self->request.deadline > 0 ? self->request.deadline : -1);
  g_mutex_unlock (&self->crew->lock);
  if (!granted && error == NULL)
    return G_SOURCE_CONTINUE;
  if (granted)
    member = crew_redeem (self->crew, &self->request, &self->waiter, &error);
  callback = g_steal_pointer (&self->callback);
  callback (member, error, self->user_data);
  return G_SOURCE_REMOVE;
}

/* Whoever grants something makes the source ready, so it must leave the queue before it is
 * finalised. It may never have been dispatched. */
static void
wait_source_dispose (GSource *source)
{
  WaitSource *self = (WaitSource *)source;
  CrewFunc callback = g_steal_pointer (&self->callback);

  if (self->canceller != NULL)
    canceller_set_source (self->canceller, NULL);
  g_clear_pointer (&self->canceller, canceller_unref);
  g_clear_pointer (&self->waker, waker_free);
  if (callback == NULL)
    return;
  g_mutex_lock (&self->crew->lock);
  if (queue_remove (&self->crew->queue, &self->waiter.entry))
    crew_serve (self->crew);
  g_mutex_unlock (&self->crew->lock);
  if (self->waiter.is_granted)
    crew_decline (self->crew, &self->waiter);
  callback (NULL,
            g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                 _ ("the main context of the call is gone")),
            self->user_data);
}

static void
wait_source_finalize (GSource *source)
{
  WaitSource *self = (WaitSource *)source;

  crew_owner_clear (&self->waiter.owner);
  g_object_unref (self->request.function);
  g_object_unref (self->options.codec);
  g_clear_object (&self->request.cancellable);
  crew_unref (self->crew);
}

static GSourceFuncs wait_source_funcs
    = { .dispatch = wait_source_dispatch, .finalize = wait_source_finalize };

/* What of the request is needed to start a worker. */
static WaitSource *
wait_source_new (Crew *crew, const CrewRequest *request, CrewFunc callback, gpointer user_data)
{
  GSource *source = g_source_new (&wait_source_funcs, sizeof (WaitSource));
  WaitSource *self = (WaitSource *)source;

  self->crew = g_atomic_rc_box_acquire (crew);
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
  if (crew_ask (self->crew, &self->request, &self->waiter, TRUE, NULL) /* meanwhile */
      || set_error_if_cancelled (&self->request, NULL))
    g_source_set_ready_time (source, 0);
  g_source_attach (source, context);
  g_source_unref (source);
}

void
crew_acquire_async (Crew *self, const CrewRequest *request, GMainContext *context,
                    CrewFunc callback, gpointer user_data)
{
  CrewMember *member = NULL;
  CrewWaiter waiter;
  GError *error = NULL;
  gboolean granted;

  init_waiter (&waiter, request, context);
  granted = crew_ask (self, request, &waiter, FALSE, &member);
  crew_owner_clear (&waiter.owner);
  if (granted)
    member = crew_redeem (self, request, &waiter, &error);
  if (granted || member != NULL)
    callback (member, error, user_data);
  else
    wait_in_context (wait_source_new (self, request, callback, user_data), context);
}
