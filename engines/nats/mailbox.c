/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/mailbox.h"

#include "engines/nats/connection-class.h"

/* A ready time would be written to an eventfd by each thread, also by the one that waits for it. */
typedef struct
{
  GSource source;
  Mailbox *mailbox;
} MailboxSource;

struct _Mailbox
{
  gatomicrefcount ref_count;
  GMainContext *context;
  ConnectionFunc func;
  gpointer user_data;
  MailboxHooks hooks; /* (nullable), both */
  gpointer connection;
  gint is_ready; /* atomic: there are events */

  GMutex lock; /* for what follows */
  GCond has_changed;
  gboolean is_awaited; /* somebody waits for events: GLib calls the kernel for nobody, too */
  GQueue events;       /* (element-type ConnectionEvent) */
  GSource *source;     /* (nullable): it is closed */
  gpointer poll;       /* (nullable): the socket, as a part of the source */
  gboolean is_full;    /* it is looked whether it takes more */
  gboolean has_libnats_ended;
  gboolean has_thread_ended;
};

Mailbox *
mailbox_ref (Mailbox *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
mailbox_unref (Mailbox *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_main_context_unref (self->context);
  g_queue_clear_full (&self->events, connection_event_free);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->has_changed);
  g_free (self);
}

/* Posting */

void
mailbox_wake (Mailbox *self)
{
  if (!g_main_context_is_owner (self->context))
    g_main_context_wakeup (self->context);
}

void
mailbox_post (Mailbox *self, ConnectionEvent *event)
{
  g_mutex_lock (&self->lock);
  if (self->source != NULL)
    {
      g_queue_push_tail (&self->events, g_steal_pointer (&event));
      if (g_atomic_int_compare_and_exchange (&self->is_ready, FALSE, TRUE))
        mailbox_wake (self);
      if (self->is_awaited)
        g_cond_broadcast (&self->has_changed);
    }
  g_mutex_unlock (&self->lock);
  if (event != NULL)
    connection_event_free (event);
}

void
mailbox_post_news (Mailbox *self, ConnectionEventType type, const char *message)
{
  mailbox_post (self, connection_event_new (type, message));
}

void
mailbox_on_error (natsConnection *nats, natsSubscription *subscription, natsStatus status,
                  void *mailbox)
{
  const char *words = NULL;

  if (status != NATS_NOT_PERMITTED)
    return;
  natsConnection_GetLastError (nats, &words);
  mailbox_post_news (mailbox, CONNECTION_FAILED,
                     words != NULL ? words : natsStatus_GetText (status));
}

/* The socket */

void
mailbox_watch (Mailbox *self, int fd)
{
  g_mutex_lock (&self->lock);
  if (self->source != NULL)
    self->poll = g_source_add_unix_fd (self->source, fd, G_IO_IN);
  self->is_full = FALSE;
  g_mutex_unlock (&self->lock);
}

void
mailbox_watch_for_room (Mailbox *self, gboolean is_full)
{
  g_mutex_lock (&self->lock);
  if (self->poll != NULL && self->is_full != is_full)
    {
      self->is_full = is_full;
      g_source_modify_unix_fd (self->source, self->poll, is_full ? G_IO_IN | G_IO_OUT : G_IO_IN);
    }
  g_mutex_unlock (&self->lock);
}

void
mailbox_unwatch (Mailbox *self)
{
  g_mutex_lock (&self->lock);
  if (self->poll != NULL)
    g_source_remove_unix_fd (self->source, self->poll);
  self->poll = NULL;
  g_mutex_unlock (&self->lock);
}

/* Telling */

/* (nullable) */
static ConnectionEvent *
take_event (Mailbox *self)
{
  ConnectionEvent *event;

  g_mutex_lock (&self->lock);
  event = self->source != NULL ? g_queue_pop_head (&self->events) : NULL;
  g_mutex_unlock (&self->lock);
  return event;
}

static gboolean
mailbox_source_check (GSource *source)
{
  return g_atomic_int_get (&((MailboxSource *)source)->mailbox->is_ready);
}

static gboolean
mailbox_source_prepare (GSource *source, int *timeout)
{
  Mailbox *self = ((MailboxSource *)source)->mailbox;

  *timeout = -1;
  if (self->hooks.prepare != NULL)
    self->hooks.prepare (self->connection);
  return mailbox_source_check (source);
}

static gboolean
mailbox_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  g_autoptr (Mailbox) self = mailbox_ref (((MailboxSource *)source)->mailbox);
  ConnectionEvent *event;

  if (self->hooks.dispatch != NULL)
    self->hooks.dispatch (self->connection);
  g_atomic_int_set (&self->is_ready, FALSE);
  while ((event = take_event (self)) != NULL)
    {
      self->func (event, self->user_data);
      connection_event_free (event);
    }
  return G_SOURCE_CONTINUE;
}

gboolean
mailbox_tell_messages (Mailbox *self)
{
  ConnectionEvent *event;
  gboolean is_done = FALSE;

  while ((event = take_event (self)) != NULL)
    {
      is_done = is_done || event->type == CONNECTION_SYNCED || event->type == CONNECTION_FAILED;
      if (event->type == CONNECTION_MESSAGE)
        self->func (event, self->user_data);
      connection_event_free (event);
    }
  return is_done;
}

gboolean
mailbox_wait (Mailbox *self, gint64 until)
{
  gboolean is_in_time = TRUE;
  gboolean is_there;

  g_mutex_lock (&self->lock);
  self->is_awaited = TRUE;
  while (g_queue_is_empty (&self->events) && !self->has_thread_ended && is_in_time)
    is_in_time = g_cond_wait_until (&self->has_changed, &self->lock, until);
  self->is_awaited = FALSE;
  is_there = !g_queue_is_empty (&self->events);
  g_mutex_unlock (&self->lock);
  return is_there;
}

/* Ends */

void
mailbox_close (Mailbox *self)
{
  g_mutex_lock (&self->lock);
  self->poll = NULL;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_mutex_unlock (&self->lock);
}

static void
note (Mailbox *self, gboolean *has_ended)
{
  g_mutex_lock (&self->lock);
  *has_ended = TRUE;
  g_cond_broadcast (&self->has_changed);
  g_mutex_unlock (&self->lock);
}

static gboolean
wait_for (Mailbox *self, const gboolean *has_ended, gint64 until)
{
  gboolean is_in_time = TRUE;

  while (!*has_ended && is_in_time)
    is_in_time = g_cond_wait_until (&self->has_changed, &self->lock, until);
  return *has_ended;
}

void
mailbox_end_thread (Mailbox *self)
{
  note (self, &self->has_thread_ended);
}

void
mailbox_wait_for_thread (Mailbox *self, gint64 until)
{
  g_mutex_lock (&self->lock);
  wait_for (self, &self->has_thread_ended, until);
  g_mutex_unlock (&self->lock);
}

void
mailbox_end_libnats (Mailbox *self)
{
  note (self, &self->has_libnats_ended);
}

gboolean
mailbox_wait_for_libnats (Mailbox *self, gint64 until)
{
  gboolean has_ended;

  g_mutex_lock (&self->lock);
  has_ended = wait_for (self, &self->has_libnats_ended, until);
  self->has_libnats_ended = FALSE;
  g_mutex_unlock (&self->lock);
  return has_ended;
}

Mailbox *
mailbox_new (GMainContext *context, ConnectionFunc func, gpointer user_data,
             const MailboxHooks *hooks, gpointer connection)
{
  static GSourceFuncs funcs = { .prepare = mailbox_source_prepare,
                                .check = mailbox_source_check,
                                .dispatch = mailbox_source_dispatch };
  Mailbox *self = g_new0 (Mailbox, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  g_cond_init (&self->has_changed);
  self->context = g_main_context_ref (context != NULL ? context : g_main_context_default ());
  self->func = func;
  self->user_data = user_data;
  self->hooks = hooks != NULL ? *hooks : (MailboxHooks){ 0 };
  self->connection = connection;
  self->source = g_source_new (&funcs, sizeof (MailboxSource));
  ((MailboxSource *)self->source)->mailbox = self;
  /* A source that prepares would do so before and after each event otherwise. */
  g_source_set_can_recurse (self->source, self->hooks.prepare != NULL);
  g_source_set_static_name (self->source, "procfun nats");
  g_source_attach (self->source, self->context);
  return self;
}
