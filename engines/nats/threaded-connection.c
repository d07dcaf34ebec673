/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/connection-class.h"

#include "engines/nats/login.h"
#include "engines/nats/mailbox.h"
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

typedef struct
{
  Connection base;
  gatomicrefcount ref_count;
  Address *address;
  Mailbox *mailbox;

  GMutex lock; /* for what follows */
  GCond has_command;
  GQueue commands; /* (element-type Command) */
  gsize max_payload;

  /* Of its thread */
  natsConnection *nats;      /* (nullable) */
  GHashTable *subscriptions; /* (element-type guint natsSubscription): by tag */
} ThreadedConnection;

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
  mailbox_unref (self->mailbox);
  g_hash_table_unref (self->subscriptions);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->has_command);
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
on_message (natsConnection *nats, natsSubscription *subscription, natsMsg *message, void *user_data)
{
  const Subscription *self = user_data;

  mailbox_post (self->connection->mailbox, connection_event_new_message (self->tag, message));
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
  mailbox_post_news (((ThreadedConnection *)user_data)->mailbox, CONNECTION_LOST, NULL);
}

static void
on_back (natsConnection *nats, void *user_data)
{
  mailbox_post_news (((ThreadedConnection *)user_data)->mailbox, CONNECTION_BACK, NULL);
}

/* The connection may be gone as soon as that is known. */
static void
on_closed (natsConnection *nats, void *user_data)
{
  ThreadedConnection *self = user_data;
  g_autoptr (Mailbox) mailbox = mailbox_ref (self->mailbox);
  const char *words = NULL;
  natsStatus status = natsConnection_GetLastError (nats, &words);

  mailbox_post_news (mailbox, CONNECTION_FAILED,
                     words != NULL && *words != '\0' ? words : natsStatus_GetText (status));
  order_tag (self, COMMAND_QUIT, NULL, 0);
  mailbox_end_libnats (mailbox);
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
      mailbox_post_news (self->mailbox, CONNECTION_SYNCED, NULL);
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
  while ((command = g_queue_pop_head (&self->commands)) == NULL)
    g_cond_wait (&self->has_command, &self->lock);
  g_mutex_unlock (&self->lock);
  if (command->type == COMMAND_QUIT)
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
    status = natsOptions_SetErrorHandler (options, mailbox_on_error, self->mailbox);
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
  if (!mailbox_wait_for_libnats (self->mailbox, until))
    connection_ref (self); /* for ever: it may yet come */
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
      mailbox_post_news (self->mailbox, CONNECTION_UP, NULL);
      while ((command = wait_for_command (self)) != NULL)
        {
          obey (self, command);
          command_free (command);
        }
      end (self);
    }
  else
    mailbox_post_news (self->mailbox, CONNECTION_FAILED, error->message);
  nats_ReleaseThreadMemory ();
  mailbox_end_thread (self->mailbox);
  connection_unref (self);
  return NULL;
}

/* Orders, in the main context of who made it */

static void
threaded_connection_close (Connection *connection)
{
  ThreadedConnection *self = (ThreadedConnection *)connection;

  mailbox_close (self->mailbox);
  order_tag (self, COMMAND_QUIT, NULL, 0);
  connection_unref (self);
}

static void
threaded_connection_finish (Connection *connection, int ms)
{
  ThreadedConnection *self = connection_ref ((ThreadedConnection *)connection);
  const gint64 until = g_get_monotonic_time () + (gint64)ms * 1000;
  gboolean is_done = FALSE;

  order_tag (self, COMMAND_SYNC, NULL, 0);
  while (!is_done && mailbox_wait (self->mailbox, until))
    is_done = mailbox_tell_messages (self->mailbox);
  threaded_connection_close (connection);
  mailbox_wait_for_thread (self->mailbox, until);
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
  ThreadedConnection *self = g_new0 (ThreadedConnection, 1);

  self->base.klass = &klass;
  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  g_cond_init (&self->has_command);
  self->address = address_ref (address);
  self->subscriptions
      = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)natsSubscription_Destroy);
  self->mailbox = mailbox_new (context, func, user_data, NULL, NULL);
  connection_start_thread (run, connection_ref (self));
  return &self->base;
}
