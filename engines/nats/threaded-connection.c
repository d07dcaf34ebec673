/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/connection-class.h"

#include "engines/nats/login.h"
#include <procfun.h>

/* How long libnats may take for what it sends and tells at the end. */
#define FLUSH_MS 1000
#define CLOSE_US (10 * G_USEC_PER_SEC)

typedef enum
{
  COMMAND_PUBLISH,
  COMMAND_SUBSCRIBE,
  COMMAND_UNSUBSCRIBE,
  COMMAND_DRAIN,
  COMMAND_SYNC,
  COMMAND_QUIT
} CommandType;

typedef struct
{
  CommandType type;
  guint tag;
  char *subject;
  char *reply;      /* (nullable) */
  char *message_id; /* (nullable) */
  GBytes *data;     /* (nullable) */
} Command;

/* @is_ready: there are events. A ready time would be written to an eventfd by each thread, also by
 * the one that waits for it. */
typedef struct _ThreadedConnection ThreadedConnection;

typedef struct
{
  GSource source;
  ThreadedConnection *connection;
  gint is_ready;
} ConnectionSource;

struct _ThreadedConnection
{
  Connection base;
  gatomicrefcount ref_count;
  Address *address;
  ConnectionFunc func;
  gpointer user_data;

  GMutex lock; /* for what follows */
  GCond has_command;
  GCond has_event;
  GQueue commands; /* (element-type Command) */
  GQueue events;   /* (element-type ConnectionEvent) */
  GSource *source; /* (nullable): it is closed */
  gsize max_payload;
  gboolean is_ended; /* libnats says nothing more */
  gboolean is_over;  /* nor does its thread */

  /* Of its thread */
  natsConnection *nats;      /* (nullable) */
  GHashTable *subscriptions; /* (element-type guint natsSubscription): by tag */
};

/* Closure of a subscription, which libnats keeps until it has told its last message. */
typedef struct
{
  ThreadedConnection *connection;
  guint tag;
} Subscription;

static void
command_free (gpointer command)
{
  Command *self = command;

  g_free (self->subject);
  g_free (self->reply);
  g_free (self->message_id);
  g_clear_pointer (&self->data, g_bytes_unref);
  g_free (self);
}

static ThreadedConnection *
connection_ref (ThreadedConnection *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
connection_unref (gpointer connection)
{
  ThreadedConnection *self = connection;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  address_unref (self->address);
  g_queue_clear_full (&self->commands, command_free);
  g_queue_clear_full (&self->events, connection_event_free);
  g_hash_table_unref (self->subscriptions);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->has_command);
  g_cond_clear (&self->has_event);
  g_free (self);
}

static void
order (ThreadedConnection *self, Command *command)
{
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->commands, command);
  g_cond_signal (&self->has_command);
  g_mutex_unlock (&self->lock);
}

static void
order_tag (ThreadedConnection *self, CommandType type, const char *subject, guint tag)
{
  Command *command = g_new0 (Command, 1);

  command->type = type;
  command->subject = g_strdup (subject);
  command->tag = tag;
  order (self, command);
}

/* Events, from threads of libnats */

static void
post (ThreadedConnection *self, ConnectionEvent *event)
{
  g_mutex_lock (&self->lock);
  if (self->source != NULL)
    {
      g_queue_push_tail (&self->events, g_steal_pointer (&event));
      if (g_atomic_int_compare_and_exchange (&((ConnectionSource *)self->source)->is_ready, FALSE,
                                             TRUE))
        g_main_context_wakeup (g_source_get_context (self->source));
      g_cond_signal (&self->has_event);
    }
  g_mutex_unlock (&self->lock);
  if (event != NULL)
    connection_event_free (event);
}

static void
post_news (ThreadedConnection *self, ConnectionEventType type, const char *message)
{
  post (self, connection_event_new (type, message));
}

static void
on_message (natsConnection *nats, natsSubscription *subscription, natsMsg *message, void *user_data)
{
  const Subscription *self = user_data;

  post (self->connection, connection_event_new_message (self->tag, message));
  natsMsg_Destroy (message);
}

/* One that was drained is still there for libnats. */
static void
on_complete (void *user_data)
{
  Subscription *self = user_data;

  order_tag (self->connection, COMMAND_UNSUBSCRIBE, NULL, self->tag);
  connection_unref (self->connection);
  g_free (self);
}

static void
on_lost (natsConnection *nats, void *user_data)
{
  post_news (user_data, CONNECTION_LOST, NULL);
}

static void
on_back (natsConnection *nats, void *user_data)
{
  post_news (user_data, CONNECTION_BACK, NULL);
}

/* The connection may be gone as soon as that is known. */
static void
on_closed (natsConnection *nats, void *user_data)
{
  ThreadedConnection *self = user_data;
  const char *words = NULL;
  natsStatus status = natsConnection_GetLastError (nats, &words);

  post_news (self, CONNECTION_FAILED,
             words != NULL && *words != '\0' ? words : natsStatus_GetText (status));
  g_mutex_lock (&self->lock);
  self->is_ended = TRUE;
  g_cond_signal (&self->has_command);
  g_mutex_unlock (&self->lock);
}

/* Among others, the broker does not let us do something. */
static void
on_error (natsConnection *nats, natsSubscription *subscription, natsStatus status, void *user_data)
{
  const char *words = NULL;

  if (status != NATS_NOT_PERMITTED)
    return;
  natsConnection_GetLastError (nats, &words);
  post_news (user_data, CONNECTION_FAILED, words != NULL ? words : natsStatus_GetText (status));
}

/* Commands, in the thread of the connection */

static void
subscribe (ThreadedConnection *self, const Command *command)
{
  Subscription *closure = g_new0 (Subscription, 1);
  natsSubscription *subscription = NULL;

  closure->connection = connection_ref (self);
  closure->tag = command->tag;
  if (natsConnection_Subscribe (&subscription, self->nats, command->subject, on_message, closure)
      != NATS_OK)
    {
      on_complete (closure);
      return;
    }
  natsSubscription_SetOnCompleteCB (subscription, on_complete, closure);
  natsSubscription_SetPendingLimits (subscription, -1, -1);
  g_hash_table_replace (self->subscriptions, GUINT_TO_POINTER (command->tag), subscription);
}

static void
obey (ThreadedConnection *self, const Command *command)
{
  const gpointer tag = GUINT_TO_POINTER (command->tag);
  natsSubscription *subscription;

  switch (command->type)
    {
    case COMMAND_PUBLISH:
      natsMsg_Destroy (connection_send (self->nats, command->subject, command->reply,
                                        command->message_id, command->data));
      break;
    case COMMAND_SUBSCRIBE:
      subscribe (self, command);
      break;
    case COMMAND_UNSUBSCRIBE:
      g_hash_table_remove (self->subscriptions, tag);
      break;
    case COMMAND_DRAIN:
      subscription = g_hash_table_lookup (self->subscriptions, tag);
      if (subscription != NULL)
        natsSubscription_Drain (subscription);
      break;
    case COMMAND_SYNC:
      natsConnection_FlushTimeout (self->nats, FLUSH_MS);
      post_news (self, CONNECTION_SYNCED, NULL);
      break;
    case COMMAND_QUIT:
    default:
      break;
    }
}

/* (nullable): there is no more. */
static Command *
wait_for_command (ThreadedConnection *self)
{
  Command *command;

  g_mutex_lock (&self->lock);
  while ((command = g_queue_pop_head (&self->commands)) == NULL && !self->is_ended)
    g_cond_wait (&self->has_command, &self->lock);
  g_mutex_unlock (&self->lock);
  if (command != NULL && command->type == COMMAND_QUIT)
    g_clear_pointer (&command, command_free);
  return command;
}

static natsStatus
connect (ThreadedConnection *self, natsOptions *options)
{
  natsStatus status = natsOptions_SetDisconnectedCB (options, on_lost, self);

  if (status == NATS_OK)
    status = natsOptions_SetReconnectedCB (options, on_back, self);
  if (status == NATS_OK)
    status = natsOptions_SetClosedCB (options, on_closed, self);
  if (status == NATS_OK)
    status = natsOptions_SetErrorHandler (options, on_error, self);
  return status == NATS_OK ? login_connect (&self->nats, options, self->address) : status;
}

static gboolean
begin (ThreadedConnection *self, GError **error)
{
  natsOptions *options = login_make_options (self->address, error);
  natsStatus status;

  if (options == NULL)
    return FALSE;
  status = connect (self, options);
  if (status != NATS_OK)
    login_set_error (error, self->address, status);
  natsOptions_Destroy (options);
  return status == NATS_OK;
}

/* libnats calls nothing of @self after that. */
static void
end (ThreadedConnection *self)
{
  const gint64 until = g_get_monotonic_time () + CLOSE_US;

  natsConnection_FlushTimeout (self->nats, FLUSH_MS);
  g_hash_table_remove_all (self->subscriptions);
  natsConnection_Close (self->nats);
  g_mutex_lock (&self->lock);
  while (!self->is_ended && g_cond_wait_until (&self->has_command, &self->lock, until))
    ;
  if (!self->is_ended)
    connection_ref (self); /* for ever: it may yet come */
  g_mutex_unlock (&self->lock);
  natsConnection_Destroy (self->nats);
}

static gpointer
run (gpointer user_data)
{
  ThreadedConnection *self = user_data;
  g_autoptr (GError) error = NULL;
  Command *command;

  if (begin (self, &error))
    {
      g_mutex_lock (&self->lock);
      self->max_payload = (gsize)natsConnection_GetMaxPayload (self->nats);
      g_mutex_unlock (&self->lock);
      post_news (self, CONNECTION_UP, NULL);
      while ((command = wait_for_command (self)) != NULL)
        {
          obey (self, command);
          command_free (command);
        }
      end (self);
    }
  else
    post_news (self, CONNECTION_FAILED, error->message);
  nats_ReleaseThreadMemory ();
  g_mutex_lock (&self->lock);
  self->is_over = TRUE;
  g_cond_signal (&self->has_event);
  g_mutex_unlock (&self->lock);
  connection_unref (self);
  return NULL;
}

/* Telling, in the main context of who made it */

/* (nullable) */
static ConnectionEvent *
take_event (ThreadedConnection *self)
{
  ConnectionEvent *event;

  g_mutex_lock (&self->lock);
  event = self->source != NULL ? g_queue_pop_head (&self->events) : NULL;
  g_mutex_unlock (&self->lock);
  return event;
}

static gboolean
connection_source_check (GSource *source)
{
  return g_atomic_int_get (&((ConnectionSource *)source)->is_ready);
}

static gboolean
connection_source_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return connection_source_check (source);
}

static gboolean
connection_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  ThreadedConnection *self = connection_ref (((ConnectionSource *)source)->connection);
  ConnectionEvent *event;

  g_atomic_int_set (&((ConnectionSource *)source)->is_ready, FALSE);
  while ((event = take_event (self)) != NULL)
    {
      self->func (event, self->user_data);
      connection_event_free (event);
    }
  connection_unref (self);
  return G_SOURCE_CONTINUE;
}

static void
threaded_connection_close (Connection *connection)
{
  ThreadedConnection *self = (ThreadedConnection *)connection;

  order_tag (self, COMMAND_QUIT, NULL, 0);
  g_mutex_lock (&self->lock);
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_mutex_unlock (&self->lock);
  connection_unref (self);
}

/* FALSE: it is too late, or the thread has ended. */
static gboolean
wait_for_event (ThreadedConnection *self, gint64 until)
{
  gboolean is_in_time = TRUE;
  gboolean is_there;

  g_mutex_lock (&self->lock);
  while (g_queue_is_empty (&self->events) && !self->is_over && is_in_time)
    is_in_time = g_cond_wait_until (&self->has_event, &self->lock, until);
  is_there = !g_queue_is_empty (&self->events);
  g_mutex_unlock (&self->lock);
  return is_there;
}

/* Tells what has come until all that was published is with the broker. */
static void
synchronise (ThreadedConnection *self, gint64 until)
{
  gboolean is_done = FALSE;

  order_tag (self, COMMAND_SYNC, NULL, 0);
  while (!is_done && wait_for_event (self, until))
    {
      ConnectionEvent *event = take_event (self);

      is_done = event->type == CONNECTION_SYNCED || event->type == CONNECTION_FAILED;
      if (event->type == CONNECTION_MESSAGE)
        self->func (event, self->user_data);
      connection_event_free (event);
    }
}

static void
threaded_connection_finish (Connection *connection, int ms)
{
  ThreadedConnection *self = (ThreadedConnection *)connection;
  const gint64 until = g_get_monotonic_time () + (gint64)ms * 1000;

  synchronise (self, until);
  connection_ref (self);
  threaded_connection_close (connection);
  g_mutex_lock (&self->lock);
  while (!self->is_over && g_cond_wait_until (&self->has_event, &self->lock, until))
    ;
  g_mutex_unlock (&self->lock);
  connection_unref (self);
}

static void
threaded_connection_subscribe (Connection *connection, const char *subject, guint tag,
                               gboolean is_exact)
{
  order_tag ((ThreadedConnection *)connection, COMMAND_SUBSCRIBE, subject, tag);
}

static void
threaded_connection_drain (Connection *connection, guint tag)
{
  order_tag ((ThreadedConnection *)connection, COMMAND_DRAIN, NULL, tag);
}

static void
threaded_connection_publish (Connection *connection, const char *subject, const char *reply,
                             const char *message_id, GBytes *data)
{
  Command *command = g_new0 (Command, 1);

  command->type = COMMAND_PUBLISH;
  command->subject = g_strdup (subject);
  command->reply = g_strdup (reply);
  command->message_id = g_strdup (message_id);
  command->data = data;
  order ((ThreadedConnection *)connection, command);
}

static gsize
threaded_connection_get_max_payload (Connection *connection)
{
  ThreadedConnection *self = (ThreadedConnection *)connection;
  gsize size;

  g_mutex_lock (&self->lock);
  size = self->max_payload;
  g_mutex_unlock (&self->lock);
  return size;
}

Connection *
threaded_connection_new (Address *address, GMainContext *context, ConnectionFunc func,
                         gpointer user_data)
{
  static const ConnectionClass klass = { .close = threaded_connection_close,
                                         .finish = threaded_connection_finish,
                                         .subscribe = threaded_connection_subscribe,
                                         .drain = threaded_connection_drain,
                                         .publish = threaded_connection_publish,
                                         .get_max_payload = threaded_connection_get_max_payload };
  static GSourceFuncs funcs = { .prepare = connection_source_prepare,
                                .check = connection_source_check,
                                .dispatch = connection_source_dispatch };
  ThreadedConnection *self = g_new0 (ThreadedConnection, 1);

  self->base.klass = &klass;
  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  g_cond_init (&self->has_command);
  g_cond_init (&self->has_event);
  self->address = address_ref (address);
  self->func = func;
  self->user_data = user_data;
  self->subscriptions
      = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)natsSubscription_Destroy);
  self->source = g_source_new (&funcs, sizeof (ConnectionSource));
  ((ConnectionSource *)self->source)->connection = self;
  g_source_set_static_name (self->source, "procfun nats");
  g_source_attach (self->source, context);
  connection_start_thread (run, connection_ref (self));
  return &self->base;
}
