/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How one waits for a worker: in a thread, and in a main context. */

#include "procfun/backend/crew-private.h"

#include "procfun/backend/request.h"
#include "procfun/platform/intl.h"
#include "procfun/procfun-error.h"

static void
set_timed_out (const CrewRequest *request, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
               _ ("%s() missed its deadline while it waited for a worker"),
               procfun_function_get_name (request->function));
}

/* In a thread */

/* With the lock held: those who have all the workers cannot give any back while this thread waits.
 */
static gboolean
waits_for_itself (Crew *self)
{
  if (self->busy.length < self->config.max_workers)
    return FALSE;
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    {
      const CrewMember *member = l->data;

      if (member->is_async ? member->context == NULL || !g_main_context_is_owner (member->context)
                           : member->thread != g_thread_self ())
        return FALSE;
    }
  return TRUE;
}

typedef struct
{
  Crew *crew;
  GCond *cond;
} Waker;

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  Waker *self = user_data;

  g_mutex_lock (&self->crew->lock);
  g_cond_broadcast (self->cond);
  g_mutex_unlock (&self->crew->lock);
}

static gboolean
is_over (gint64 deadline)
{
  return deadline > 0 && g_get_monotonic_time () >= deadline;
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
wait_in_queue (Crew *self, const CrewRequest *request, CrewWaiter *waiter,
               GCancellable *cancellable, GError **error)
{
  while (!waiter->is_granted)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        ;
      else if (is_over (request->deadline))
        set_timed_out (request, error);
      else if (waits_for_itself (self))
        g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
                     _ ("%s() cannot be called: all workers have calls that only this thread can "
                        "bring to an end"),
                     procfun_function_get_name (request->function));
      else
        {
          wait_once (&waiter->granted, &self->lock, request->deadline);
          continue;
        }
      queue_remove (&self->queue, &waiter->entry);
      g_cond_broadcast (&self->room);
      return FALSE;
    }
  return TRUE;
}

CrewMember *
crew_acquire (Crew *self, const CrewRequest *request, GCancellable *cancellable, GError **error)
{
  CrewWaiter waiter = { .is_async = FALSE };
  Waker waker = { self, &waiter.granted };
  gulong handler = 0;
  gboolean granted;

  g_cond_init (&waiter.granted);
  granted = crew_ask (self, request, &waiter);
  if (!granted)
    {
      if (cancellable != NULL)
        handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), &waker, NULL);
      g_mutex_lock (&self->lock);
      granted = wait_in_queue (self, request, &waiter, cancellable, error);
      g_mutex_unlock (&self->lock);
      g_cancellable_disconnect (cancellable, handler);
    }
  g_cond_clear (&waiter.granted);
  return granted ? crew_redeem (self, request, &waiter, error) : NULL;
}

gboolean
crew_wait_for_room (Crew *self, guint n_calls, guint64 n_bytes, GCancellable *cancellable,
                    GError **error)
{
  Waker waker = { self, &self->room };
  gulong handler = 0;

  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), &waker, NULL);
  g_mutex_lock (&self->lock);
  while (((n_calls > 0 && self->queue.entries.length >= n_calls)
          || (n_bytes > 0 && self->queue.n_bytes >= n_bytes))
         && !g_cancellable_is_cancelled (cancellable))
    {
      self->n_wait_for_room++;
      g_cond_wait (&self->room, &self->lock);
      self->n_wait_for_room--;
    }
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (cancellable, handler);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

/* In a main context */

typedef struct
{
  GSource source;
  Crew *crew;
  CrewWaiter waiter;
  CrewRequest request;
  ExchangeOptions options;
  GCancellable *cancellable; /* (nullable) */
  CrewFunc callback;         /* (nullable): it has been called */
  gpointer user_data;
} WaitSource;

/* A worker is a main context's as long as a call of it runs there. */
static void
set_context (CrewMember *member, GMainContext *context)
{
  g_clear_pointer (&member->context, g_main_context_unref);
  member->context = g_main_context_ref (context);
}

static void
finish (WaitSource *self, CrewMember *member, GError *error)
{
  CrewFunc callback = g_steal_pointer (&self->callback);

  callback (member, error, self->user_data);
}

/* (transfer full) (nullable): taken out of the queue. */
static WaitSource *
take_next (CrewMember *member)
{
  Crew *crew = member->crew;
  CrewWaiter *waiter;
  WaitSource *next = NULL;

  g_mutex_lock (&crew->lock);
  waiter = (CrewWaiter *)queue_peek (&crew->queue);
  if (waiter != NULL && waiter->source != NULL
      && g_source_get_context (waiter->source) == member->context)
    next = (WaitSource *)waiter->source;
  if (next != NULL && crew_can_send_ahead (member, &next->request))
    {
      g_source_ref (&next->source);
      queue_remove (&crew->queue, &waiter->entry);
    }
  else
    next = NULL;
  g_mutex_unlock (&crew->lock);
  return next;
}

void
crew_feed (CrewMember *member)
{
  WaitSource *next;

  while (crew_member_get_front (member) != NULL && (next = take_next (member)) != NULL)
    {
      finish (next, member, NULL);
      g_source_destroy (&next->source);
      g_source_unref (&next->source);
    }
}

static gboolean
wait_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  WaitSource *self = (WaitSource *)source;
  CrewMember *member = NULL;
  GError *error = NULL;
  gboolean granted;

  g_mutex_lock (&self->crew->lock);
  granted = self->waiter.is_granted;
  if (!granted && !g_cancellable_set_error_if_cancelled (self->cancellable, &error)
      && is_over (self->request.deadline))
    set_timed_out (&self->request, &error);
  if (error != NULL)
    queue_remove (&self->crew->queue, &self->waiter.entry);
  if (!granted && error == NULL)
    g_source_set_ready_time (source, self->request.deadline > 0 ? self->request.deadline : -1);
  g_mutex_unlock (&self->crew->lock);
  if (granted)
    member = crew_redeem (self->crew, &self->request, &self->waiter, &error);
  if (member != NULL)
    set_context (member, g_source_get_context (source));
  if (member == NULL && error == NULL)
    return G_SOURCE_CONTINUE;
  finish (self, member, error);
  return G_SOURCE_REMOVE;
}

/* Its main context may go away while it waits. */
static void
wait_source_finalize (GSource *source)
{
  WaitSource *self = (WaitSource *)source;
  GError *error = NULL;
  CrewMember *member = NULL;

  g_mutex_lock (&self->crew->lock);
  queue_remove (&self->crew->queue, &self->waiter.entry);
  g_mutex_unlock (&self->crew->lock);
  if (self->callback != NULL)
    {
      if (self->waiter.is_granted)
        member = crew_redeem (self->crew, &self->request, &self->waiter, &error);
      if (member != NULL)
        crew_member_give_back (member);
      g_clear_error (&error);
      g_set_error_literal (&error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                           _ ("the main context of the call is gone"));
      finish (self, NULL, error);
    }
  g_object_unref (self->request.function);
  g_object_unref (self->options.codec);
  g_clear_object (&self->cancellable);
  crew_unref (self->crew);
}

static gboolean
on_cancel_source (GCancellable *cancellable, gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs wait_source_funcs
    = { .dispatch = wait_source_dispatch, .finalize = wait_source_finalize };

/* What of the request is needed to start a worker. */
static WaitSource *
wait_source_new (Crew *crew, const CrewRequest *request, GCancellable *cancellable,
                 CrewFunc callback, gpointer user_data)
{
  GSource *source = g_source_new (&wait_source_funcs, sizeof (WaitSource));
  WaitSource *self = (WaitSource *)source;

  self->crew = g_atomic_rc_box_acquire (crew);
  self->request = *request;
  g_object_ref (request->function);
  self->options = (ExchangeOptions){ .codec = g_object_ref (request->options->codec),
                                     .max_payload = request->options->max_payload };
  self->request.options = &self->options;
  self->waiter.is_async = TRUE;
  self->waiter.source = source;
  self->callback = callback;
  self->user_data = user_data;
  if (cancellable != NULL)
    {
      g_autoptr (GSource) cancel_source = g_cancellable_source_new (cancellable);

      self->cancellable = g_object_ref (cancellable);
      g_source_set_callback (cancel_source, G_SOURCE_FUNC (on_cancel_source), NULL, NULL);
      g_source_add_child_source (source, cancel_source);
    }
  if (request->deadline > 0)
    g_source_set_ready_time (source, request->deadline);
  g_source_set_static_name (source, "procfun queue");
  return self;
}

void
crew_acquire_async (Crew *self, const CrewRequest *request, GCancellable *cancellable,
                    CrewFunc callback, gpointer user_data)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  CrewWaiter waiter = { .is_async = TRUE };
  WaitSource *wait;
  GError *error = NULL;
  CrewMember *member;

  if (crew_try (self, request, &waiter))
    {
      member = crew_redeem (self, request, &waiter, &error);
      if (member != NULL)
        set_context (member, context);
      callback (member, error, user_data);
      return;
    }
  member = crew_find_busy (self, request);
  if (member != NULL)
    {
      callback (member, NULL, user_data);
      return;
    }
  wait = wait_source_new (self, request, cancellable, callback, user_data);
  crew_ask (self, &wait->request, &wait->waiter);
  if (wait->waiter.is_granted) /* meanwhile */
    g_source_set_ready_time (&wait->source, 0);
  g_source_attach (&wait->source, context);
  g_source_unref (&wait->source);
}
