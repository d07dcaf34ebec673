/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/remote-listener.h"

#include "procfun/base/wake-source.h"
#include "procfun/platform/inherited-state.h"

/* Calls that are told before other sources have their turn. */
#define CALLS_PER_TURN 64

struct _ListenerSource
{
  WakeSource base;
  GList link;   /* among all */
  Hosts *hosts; /* owned */
  int priority;
  guint process; /* of the program's, that made it */
  HostsWaiter waiter;

  /* With the lock */
  GQueue listeners; /* (element-type RemoteListener) */
  GQueue news;      /* (element-type RemoteListener) */
};

static GMutex lock;
static GQueue sources = G_QUEUE_INIT; /* (element-type ListenerSource) */

static gboolean
is_of_parent (const ListenerSource *self)
{
  return self->process != inherited_state_get_process ();
}

/* With the lock held. TRUE: it was the last one, and the source is to be destroyed. */
static gboolean
take_out (RemoteListener *self)
{
  ListenerSource *source = g_steal_pointer (&self->source);

  g_queue_unlink (&source->listeners, &self->link);
  if (self->news.data != NULL)
    g_queue_unlink (&source->news, &self->news);
  self->news.data = NULL;
  if (source->listeners.length > 0)
    return FALSE;
  g_queue_unlink (&sources, &source->link);
  return TRUE;
}

/* (nullable). As long as there are others, the source is ready, also in a main loop that a callback
 * runs. */
static RemoteListener *
pop_news (ListenerSource *self)
{
  RemoteListener *listener;
  GList *link;

  g_mutex_lock (&lock);
  link = g_queue_pop_head_link (&self->news);
  listener = link != NULL ? g_steal_pointer (&link->data) : NULL;
  g_atomic_int_set (&self->base.is_ready, self->news.length > 0);
  g_mutex_unlock (&lock);
  return listener;
}

/* (nullable): nobody listens */
static RemoteListener *
pop_any (ListenerSource *self)
{
  RemoteListener *listener;

  g_mutex_lock (&lock);
  listener = g_queue_peek_head (&self->listeners);
  if (listener != NULL)
    take_out (listener);
  g_mutex_unlock (&lock);
  return listener;
}

static gboolean
source_prepare (GSource *source, int *timeout)
{
  return wake_source_prepare (source, timeout) || is_of_parent ((ListenerSource *)source);
}

static void
drop_all (ListenerSource *self, gboolean of_parent)
{
  RemoteListener *listener;

  while ((listener = pop_any (self)) != NULL)
    listener->funcs->drop (listener, of_parent);
}

static gboolean
source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  ListenerSource *self = (ListenerSource *)source;
  RemoteListener *listener;

  if (is_of_parent (self))
    {
      drop_all (self, TRUE);
      return G_SOURCE_REMOVE;
    }
  for (guint n = 0; n < CALLS_PER_TURN && (listener = pop_news (self)) != NULL; n++)
    listener->funcs->tell (listener);
  return G_SOURCE_CONTINUE;
}

/* The main context may have gone away with calls unfinished. */
static void
source_dispose (GSource *source)
{
  drop_all ((ListenerSource *)source, FALSE);
}

static void
source_finalize (GSource *source)
{
  ListenerSource *self = (ListenerSource *)source;

  if (is_of_parent (self))
    return;
  hosts_remove_waiter (self->hosts, &self->waiter);
  hosts_unref (self->hosts);
}

static GSourceFuncs source_funcs = { .prepare = source_prepare,
                                     .check = wake_source_check,
                                     .dispatch = source_dispatch,
                                     .finalize = source_finalize };

/* (nullable). With the lock held. */
static ListenerSource *
find (Hosts *hosts, GMainContext *context, int priority)
{
  for (GList *l = sources.head; l != NULL; l = l->next)
    {
      ListenerSource *source = l->data;

      if (source->hosts == hosts && source->base.context == context && source->priority == priority
          && !is_of_parent (source))
        return source;
    }
  return NULL;
}

/* In a main loop that a callback runs, others are told, too. With the lock held. */
static ListenerSource *
make (Hosts *hosts, GMainContext *context, int priority)
{
  GSource *source = wake_source_new (&source_funcs, sizeof (ListenerSource));
  ListenerSource *self = (ListenerSource *)source;

  self->link.data = self;
  self->hosts = hosts_ref (hosts);
  self->priority = priority;
  self->process = inherited_state_get_process ();
  g_source_set_dispose_function (source, source_dispose);
  g_source_set_static_name (source, "procfun remote calls");
  g_source_set_priority (source, priority);
  g_queue_push_tail_link (&sources, &self->link);
  wake_source_attach (&self->base, context);
  return self;
}

void
remote_listener_join (RemoteListener *self, const ListenerFuncs *funcs, Hosts *hosts,
                      GMainContext *context, int priority)
{
  ListenerSource *made = NULL;

  if (context == NULL)
    context = g_main_context_default ();
  *self = (RemoteListener){ .funcs = funcs };
  self->link.data = self;
  g_mutex_lock (&lock);
  self->source = find (hosts, context, priority);
  if (self->source == NULL)
    self->source = made = make (hosts, context, priority);
  g_queue_push_tail_link (&self->source->listeners, &self->link);
  g_mutex_unlock (&lock);
  if (made == NULL)
    return;
  hosts_add_waiter (hosts, &made->waiter, context);
  g_source_unref (&made->base.source);
}

void
remote_listener_leave (RemoteListener *self)
{
  GSource *source = NULL;

  g_mutex_lock (&lock);
  if (self->source != NULL)
    {
      source = &self->source->base.source;
      source = take_out (self) ? g_source_ref (source) : NULL;
    }
  g_mutex_unlock (&lock);
  if (source == NULL)
    return;
  g_source_destroy (source);
  g_source_unref (source);
}

void
remote_listener_note (RemoteListener *self)
{
  g_mutex_lock (&lock);
  if (self->source != NULL && self->news.data == NULL)
    {
      self->news.data = self;
      g_queue_push_tail_link (&self->source->news, &self->news);
      wake_source_wake (&self->source->base);
    }
  g_mutex_unlock (&lock);
}
