/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/connection-class.h"

#include "engines/nats/line.h"
#include "engines/nats/login.h"
#include "engines/nats/mailbox.h"
#include <poll.h>
#include <procfun.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Times in ms: how long the broker may take to say that all has come, at the end and when it is
 * asked whether it lives; how often that is asked; and until the next attempt to reach it. */
#define FLUSH_MS 1000
#define PING_MS 1000
#define PING_AFTER_MS 5000
#define SILENT_MAX 10
#define RETRY_MS 200
#define CLOSE_MS 10000

/* How often in ms it is looked for the end of what another thread does. */
#define LOOK_MS 2

/* Logins that may be refused, one after another, once there was one. */
#define REFUSALS_MAX 2

typedef struct _PolledConnection PolledConnection;

struct _PolledConnection
{
  Connection base;
  gatomicrefcount ref_count;
  Address *address;
  Mailbox *mailbox;
  gint has_writing; /* atomic: libnats has something to be written */

  GMutex lock; /* for what follows */
  GCond has_order;
  gboolean is_quitting;
  gboolean is_synchronising;
  gboolean is_lost; /* by libnats */

  GMutex use; /* for what follows, and before @lock */
  Line *line;
  gsize max_payload;

  /* Of its thread */
  int fd;
  char **servers; /* (nullable): those that the broker has named */
  int n_servers;
};

static gpointer
connection_ref (gpointer connection)
{
  PolledConnection *self = connection;

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
forget_servers (PolledConnection *self)
{
  for (int i = 0; i < self->n_servers; i++)
    free (self->servers[i]);
  free (self->servers);
  self->servers = NULL;
  self->n_servers = 0;
}

static void
connection_unref (gpointer connection)
{
  PolledConnection *self = connection;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  address_unref (self->address);
  mailbox_unref (self->mailbox);
  line_free (self->line);
  forget_servers (self);
  g_mutex_clear (&self->lock);
  g_mutex_clear (&self->use);
  g_cond_clear (&self->has_order);
  g_free (self);
}

/* Events, from any thread */

static void
post (ConnectionEvent *event, gpointer user_data)
{
  mailbox_post (((PolledConnection *)user_data)->mailbox, event);
}

static void
on_closed (natsConnection *nats, void *user_data)
{
  g_autoptr (Mailbox) mailbox = mailbox_ref (((PolledConnection *)user_data)->mailbox);

  mailbox_end_libnats (mailbox);
}

/* Orders of libnats about the socket, with its lock held */

static natsStatus
on_attach (void **user_data, void *loop, natsConnection *nats, natsSock fd)
{
  PolledConnection *self = loop;

  *user_data = self;
  self->fd = fd;
  return NATS_OK;
}

static natsStatus
on_read (void *user_data, bool add)
{
  PolledConnection *self = user_data;

  if (add)
    return NATS_OK;
  mailbox_unwatch (self->mailbox);
  return NATS_OK;
}

/* All output of one turn of the main context goes together. */
static natsStatus
on_write (void *user_data, bool add)
{
  PolledConnection *self = user_data;

  g_atomic_int_set (&self->has_writing, add);
  if (add)
    mailbox_wake (self->mailbox);
  return NATS_OK;
}

static natsStatus
on_detach (void *user_data)
{
  PolledConnection *self = user_data;

  g_mutex_lock (&self->lock);
  self->is_lost = TRUE;
  g_cond_signal (&self->has_order);
  g_mutex_unlock (&self->lock);
  return NATS_OK;
}

/* In the main context of who made it */

static void
prepare (gpointer connection)
{
  PolledConnection *self = connection;

  if (!g_atomic_int_get (&self->has_writing))
    return;
  g_mutex_lock (&self->use);
  mailbox_watch_for_room (self->mailbox, line_write (self->line));
  g_mutex_unlock (&self->use);
}

static void
dispatch (gpointer connection)
{
  PolledConnection *self = connection;

  g_mutex_lock (&self->use);
  line_read (self->line);
  g_mutex_unlock (&self->use);
}

/* Its thread, for what blocks */

static natsStatus
set_options (PolledConnection *self, natsOptions *options)
{
  natsStatus status
      = natsOptions_SetEventLoop (options, self, on_attach, on_read, on_write, on_detach);

  /* libnats would go on within the message that it was reading when the broker was lost. */
  if (status == NATS_OK)
    status = natsOptions_SetAllowReconnect (options, false);
  if (status == NATS_OK)
    status = natsOptions_SetPingInterval (options, 0);
  if (status == NATS_OK)
    status = natsOptions_SetClosedCB (options, on_closed, self);
  if (status == NATS_OK)
    status = natsOptions_SetErrorHandler (options, mailbox_on_error, self->mailbox);
  if (status == NATS_OK && self->n_servers > 0)
    status = natsOptions_SetServers (options, (const char **)self->servers, self->n_servers);
  return status;
}

/* (nullable) */
static natsConnection *
log_in (PolledConnection *self, natsStatus *status, GError **error)
{
  natsOptions *options = login_make_options (self->address, error);
  natsConnection *nats = NULL;

  *status = NATS_ERR;
  if (options == NULL)
    return NULL;
  *status = set_options (self, options);
  if (*status == NATS_OK)
    *status = login_connect (&nats, options, self->address);
  if (*status != NATS_OK)
    login_set_error (error, self->address, *status);
  natsOptions_Destroy (options);
  return nats;
}

static void
begin (PolledConnection *self, natsConnection *nats, ConnectionEventType type)
{
  forget_servers (self);
  natsConnection_GetServers (nats, &self->servers, &self->n_servers);
  g_mutex_lock (&self->use);
  self->max_payload = (gsize)natsConnection_GetMaxPayload (nats);
  line_connect (self->line, nats);
  mailbox_post_news (self->mailbox, type, NULL);
  g_mutex_lock (&self->lock);
  if (!self->is_lost)
    mailbox_watch (self->mailbox, self->fd);
  g_mutex_unlock (&self->lock);
  g_mutex_unlock (&self->use);
}

/* FALSE: there is nothing to do until then. */
static gboolean
wait_for_order (PolledConnection *self, gint64 until)
{
  gboolean is_in_time = TRUE;

  g_mutex_lock (&self->lock);
  while (!self->is_quitting && !self->is_lost && !self->is_synchronising && is_in_time)
    is_in_time = g_cond_wait_until (&self->has_order, &self->lock, until);
  g_mutex_unlock (&self->lock);
  return is_in_time;
}

static gboolean
is_serving (PolledConnection *self, gboolean *synchronises)
{
  gboolean is;

  g_mutex_lock (&self->lock);
  is = !self->is_quitting && !self->is_lost;
  *synchronises = is && self->is_synchronising;
  self->is_synchronising = FALSE;
  g_mutex_unlock (&self->lock);
  return is;
}

/* Until it is lost, or nobody needs it any more. */
static void
serve (PolledConnection *self, natsConnection *nats)
{
  gint64 ping_at = g_get_monotonic_time () + PING_AFTER_MS * 1000;
  guint n_silent = 0;
  gboolean synchronises = FALSE;

  while (is_serving (self, &synchronises))
    {
      if (synchronises)
        {
          natsConnection_FlushTimeout (nats, FLUSH_MS);
          mailbox_post_news (self->mailbox, CONNECTION_SYNCED, NULL);
        }
      else if (!wait_for_order (self, ping_at))
        {
          n_silent = natsConnection_FlushTimeout (nats, PING_MS) == NATS_OK ? 0 : n_silent + 1;
          if (n_silent > SILENT_MAX)
            return;
          ping_at = g_get_monotonic_time () + (n_silent == 0 ? PING_AFTER_MS * 1000 : 0);
        }
    }
}

/* Waits until it can be read or written. */
static gboolean
wait_for_socket (PolledConnection *self, short events, gint64 until)
{
  const gint64 left = (until - g_get_monotonic_time ()) / 1000;
  struct pollfd fd = { .fd = self->fd, .events = events };

  return left > 0 && poll (&fd, 1, (int)left) > 0;
}

static gboolean
has_lost (PolledConnection *self)
{
  gboolean has;

  g_mutex_lock (&self->lock);
  has = self->is_lost;
  g_mutex_unlock (&self->lock);
  return has;
}

/* Writes all that was published; the broker has read it when it closes the connection, too. */
static void
take_leave (PolledConnection *self)
{
  const gint64 until = g_get_monotonic_time () + FLUSH_MS * 1000;
  char nothing[4096];

  while (line_write (self->line))
    if (has_lost (self) || !wait_for_socket (self, POLLOUT, until))
      return;
  if (has_lost (self) || shutdown (self->fd, SHUT_WR) < 0)
    return;
  while (wait_for_socket (self, POLLIN, until)
         && recv (self->fd, nothing, sizeof nothing, MSG_DONTWAIT) > 0)
    ;
}

/* libnats calls nothing of @self after that. */
static void
end (PolledConnection *self, natsConnection *nats, gboolean is_quitting)
{
  const gint64 until = g_get_monotonic_time () + CLOSE_MS * 1000;

  mailbox_unwatch (self->mailbox);
  g_mutex_lock (&self->use);
  if (is_quitting)
    take_leave (self);
  line_disconnect (self->line);
  g_mutex_unlock (&self->use);
  natsConnection_Close (nats);
  g_mutex_lock (&self->use);
  line_forget (self->line);
  g_mutex_unlock (&self->use);
  if (!mailbox_wait_for_libnats (self->mailbox, until))
    connection_ref (self); /* for ever: it may yet come */
  g_mutex_lock (&self->lock);
  self->is_lost = FALSE;
  g_mutex_unlock (&self->lock);
  natsConnection_Destroy (nats);
}

static gboolean
is_quitting (PolledConnection *self)
{
  gboolean is;

  g_mutex_lock (&self->lock);
  is = self->is_quitting;
  g_mutex_unlock (&self->lock);
  return is;
}

/* (nullable) (transfer full): why the broker has sent us away */
static char *
get_dismissal (natsConnection *nats)
{
  const char *words = NULL;

  if (natsConnection_GetLastError (nats, &words) != NATS_ERR || words == NULL)
    return NULL;
  return g_strdup (words);
}

/* TRUE: it has ended, and not for ever. */
static gboolean
be_connected (PolledConnection *self, natsConnection *nats, ConnectionEventType type)
{
  g_autofree char *words = NULL;
  gboolean quits;

  begin (self, nats, type);
  serve (self, nats);
  quits = is_quitting (self);
  if (!quits)
    words = get_dismissal (nats);
  if (!quits)
    mailbox_post_news (self->mailbox, words != NULL ? CONNECTION_FAILED : CONNECTION_LOST, words);
  end (self, nats, quits);
  return !quits && words == NULL;
}

static void
pause_ms (PolledConnection *self, int ms)
{
  const gint64 until = g_get_monotonic_time () + ms * 1000;

  g_mutex_lock (&self->lock);
  while (!self->is_quitting && g_cond_wait_until (&self->has_order, &self->lock, until))
    ;
  g_mutex_unlock (&self->lock);
}

static void
work (PolledConnection *self)
{
  ConnectionEventType type = CONNECTION_UP;
  guint n_refusals = 0;
  natsStatus status;

  while (!is_quitting (self))
    {
      g_autoptr (GError) error = NULL;
      natsConnection *nats = log_in (self, &status, &error);

      if (nats != NULL && !be_connected (self, nats, type))
        return;
      if (nats != NULL)
        n_refusals = 0;
      else if (status == NATS_CONNECTION_AUTH_FAILED)
        n_refusals++;
      if (nats == NULL && (type == CONNECTION_UP || n_refusals >= REFUSALS_MAX))
        {
          mailbox_post_news (self->mailbox, CONNECTION_FAILED, error->message);
          return;
        }
      type = CONNECTION_BACK;
      pause_ms (self, RETRY_MS);
    }
}

static gpointer
run (gpointer user_data)
{
  PolledConnection *self = user_data;

  work (self);
  nats_ReleaseThreadMemory ();
  mailbox_end_thread (self->mailbox);
  connection_unref (self);
  return NULL;
}

/* Orders */

static void
polled_connection_close (Connection *connection)
{
  PolledConnection *self = (PolledConnection *)connection;

  mailbox_close (self->mailbox);
  g_mutex_lock (&self->lock);
  self->is_quitting = TRUE;
  g_cond_signal (&self->has_order);
  g_mutex_unlock (&self->lock);
  connection_unref (self);
}

/* Tells what has come until all that was published is with the broker. */
static void
synchronise (PolledConnection *self, gint64 until)
{
  gboolean is_done = FALSE;

  g_mutex_lock (&self->lock);
  self->is_synchronising = TRUE;
  g_cond_signal (&self->has_order);
  g_mutex_unlock (&self->lock);
  while (!is_done && g_get_monotonic_time () < until)
    {
      g_mutex_lock (&self->use);
      line_write (self->line);
      line_read (self->line);
      is_done = !line_is_connected (self->line);
      g_mutex_unlock (&self->use);
      is_done = mailbox_tell_messages (self->mailbox) || is_done;
      if (!is_done)
        g_usleep (LOOK_MS * 1000);
    }
}

static void
polled_connection_finish (Connection *connection, int ms)
{
  PolledConnection *self = connection_ref ((PolledConnection *)connection);
  const gint64 until = g_get_monotonic_time () + (gint64)ms * 1000;

  synchronise (self, until);
  polled_connection_close (connection);
  mailbox_wait_for_thread (self->mailbox, until);
  connection_unref (self);
}

static void
polled_connection_subscribe (Connection *connection, const char *subject, guint tag,
                             gboolean is_exact)
{
  PolledConnection *self = (PolledConnection *)connection;

  g_mutex_lock (&self->use);
  line_subscribe (self->line, subject, tag, is_exact);
  g_mutex_unlock (&self->use);
}

static void
polled_connection_drain (Connection *connection, guint tag)
{
  PolledConnection *self = (PolledConnection *)connection;

  g_mutex_lock (&self->use);
  line_drain (self->line, tag);
  g_mutex_unlock (&self->use);
}

static void
polled_connection_publish (Connection *connection, const char *subject, const char *reply,
                           const char *message_id, GBytes *data)
{
  PolledConnection *self = (PolledConnection *)connection;

  g_mutex_lock (&self->use);
  line_publish (self->line, subject, reply, message_id, data);
  g_mutex_unlock (&self->use);
}

static gsize
polled_connection_get_max_payload (Connection *connection)
{
  PolledConnection *self = (PolledConnection *)connection;
  gsize size;

  g_mutex_lock (&self->use);
  size = self->max_payload;
  g_mutex_unlock (&self->use);
  return size;
}

Connection *
polled_connection_new (Address *address, GMainContext *context, ConnectionFunc func,
                       gpointer user_data)
{
  static const ConnectionClass klass = { .close = polled_connection_close,
                                         .finish = polled_connection_finish,
                                         .subscribe = polled_connection_subscribe,
                                         .drain = polled_connection_drain,
                                         .publish = polled_connection_publish,
                                         .get_max_payload = polled_connection_get_max_payload };
  static const MailboxHooks hooks = { prepare, dispatch };
  PolledConnection *self = g_new0 (PolledConnection, 1);

  self->base.klass = &klass;
  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  g_mutex_init (&self->use);
  g_cond_init (&self->has_order);
  self->address = address_ref (address);
  self->line = line_new (post, self, connection_ref, connection_unref);
  self->mailbox = mailbox_new (context, func, user_data, &hooks, self);
  connection_start_thread (run, connection_ref (self));
  return &self->base;
}
