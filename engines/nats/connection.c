/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/connection.h"

#include "engines/nats/login.h"
#include <procfun.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* How long libnats may take for what it sends and tells at the end. */
#define FLUSH_MS 1000
#define CLOSE_US (10 * G_USEC_PER_SEC)

/* Bytes that each socket takes at once, whether anybody reads or not; and what a message has beside
 * its data. */
#define UNREAD_MAX 16384
#define OVERHEAD 128

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
typedef struct
{
  GSource source;
  Connection *connection;
  gint is_ready;
} ConnectionSource;

struct _Connection
{
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
  gboolean is_up;      /* and the broker was not lost since */
  gboolean is_busy;    /* its thread has a command that is none of @commands any more */
  guint64 n_published; /* bytes; and how many of them the broker has read */
  guint64 n_read;
  gboolean is_ended; /* libnats says nothing more */
  gboolean is_over;  /* nor does its thread */

  /* Of its thread */
  natsConnection *nats;      /* (nullable) */
  GHashTable *subscriptions; /* (element-type guint natsSubscription): by tag */
};

/* Closure of a subscription, which libnats keeps until it has told its last message. */
typedef struct
{
  Connection *connection;
  guint tag;
} Subscription;

static void
connection_event_free (gpointer event)
{
  ConnectionEvent *self = event;

  g_free (self->subject);
  g_free (self->reply);
  g_free (self->message);
  g_clear_pointer (&self->data, g_bytes_unref);
  g_free (self);
}

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

static Connection *
connection_ref (Connection *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
connection_unref (gpointer connection)
{
  Connection *self = connection;

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
order (Connection *self, Command *command)
{
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->commands, command);
  g_cond_signal (&self->has_command);
  g_mutex_unlock (&self->lock);
}

static void
order_tag (Connection *self, CommandType type, const char *subject, guint tag)
{
  Command *command = g_new0 (Command, 1);

  command->type = type;
  command->subject = g_strdup (subject);
  command->tag = tag;
  order (self, command);
}

/* Events, from threads of libnats */

static void
post (Connection *self, ConnectionEvent *event)
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
post_news (Connection *self, ConnectionEventType type, const char *message)
{
  ConnectionEvent *event = g_new0 (ConnectionEvent, 1);

  event->type = type;
  event->message = g_strdup (message);
  post (self, event);
}

static int
get_status (natsMsg *message)
{
  const char *status = NULL;

  if (natsMsg_GetDataLength (message) > 0
      || natsMsgHeader_Get (message, "Status", &status) != NATS_OK)
    return 0;
  return atoi (status);
}

static void
on_message (natsConnection *nats, natsSubscription *subscription, natsMsg *message, void *user_data)
{
  const Subscription *self = user_data;
  ConnectionEvent *event = g_new0 (ConnectionEvent, 1);

  event->type = CONNECTION_MESSAGE;
  event->tag = self->tag;
  event->subject = g_strdup (natsMsg_GetSubject (message));
  event->reply = g_strdup (natsMsg_GetReply (message));
  event->status = get_status (message);
  event->data = g_bytes_new (natsMsg_GetData (message), (gsize)natsMsg_GetDataLength (message));
  natsMsg_Destroy (message);
  post (self->connection, event);
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
set_up (Connection *self, gboolean is_up)
{
  g_mutex_lock (&self->lock);
  self->is_up = is_up;
  self->n_read = self->n_published; /* the next socket is another one */
  g_mutex_unlock (&self->lock);
}

static void
on_lost (natsConnection *nats, void *user_data)
{
  set_up (user_data, FALSE);
  post_news (user_data, CONNECTION_LOST, NULL);
}

static void
on_back (natsConnection *nats, void *user_data)
{
  set_up (user_data, TRUE);
  post_news (user_data, CONNECTION_BACK, NULL);
}

static void
on_closed (natsConnection *nats, void *user_data)
{
  Connection *self = user_data;
  const char *words = NULL;
  natsStatus status = natsConnection_GetLastError (nats, &words);

  g_mutex_lock (&self->lock);
  self->is_ended = TRUE;
  self->is_up = FALSE;
  g_cond_signal (&self->has_command);
  g_mutex_unlock (&self->lock);
  post_news (self, CONNECTION_FAILED,
             words != NULL && *words != '\0' ? words : natsStatus_GetText (status));
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
subscribe (Connection *self, const Command *command)
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

/* A message that cannot be sent is lost as if it had been on the way: all that matters is sent
 * again. */
static void
publish (Connection *self, const char *subject, const char *reply, const char *message_id,
         GBytes *bytes)
{
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  natsMsg *message = NULL;

  if (message_id == NULL)
    {
      if (reply == NULL)
        natsConnection_Publish (self->nats, subject, data, (int)size);
      else
        natsConnection_PublishRequest (self->nats, subject, reply, data, (int)size);
      return;
    }
  if (natsMsg_Create (&message, subject, reply, data, (int)size) != NATS_OK)
    return;
  if (natsMsgHeader_Set (message, "Nats-Msg-Id", message_id) == NATS_OK)
    natsConnection_PublishMsg (self->nats, message);
  natsMsg_Destroy (message);
}

static void
obey (Connection *self, const Command *command)
{
  const gpointer tag = GUINT_TO_POINTER (command->tag);
  natsSubscription *subscription;

  switch (command->type)
    {
    case COMMAND_PUBLISH:
      publish (self, command->subject, command->reply, command->message_id, command->data);
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
wait_for_command (Connection *self)
{
  Command *command;

  g_mutex_lock (&self->lock);
  self->is_busy = FALSE;
  while ((command = g_queue_pop_head (&self->commands)) == NULL && !self->is_ended)
    g_cond_wait (&self->has_command, &self->lock);
  self->is_busy = TRUE;
  g_mutex_unlock (&self->lock);
  if (command != NULL && command->type == COMMAND_QUIT)
    g_clear_pointer (&command, command_free);
  return command;
}

static natsStatus
connect (Connection *self, natsOptions *options)
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
begin (Connection *self, GError **error)
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
end (Connection *self)
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
  Connection *self = user_data;
  g_autoptr (GError) error = NULL;
  Command *command;

  if (begin (self, &error))
    {
      g_mutex_lock (&self->lock);
      self->max_payload = (gsize)natsConnection_GetMaxPayload (self->nats);
      self->is_up = TRUE;
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
take_event (Connection *self)
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
  Connection *self = connection_ref (((ConnectionSource *)source)->connection);
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

/* Threads inherit the mask of who makes them, and those of libnats that of ours. */
static void
start_thread (Connection *self)
{
  sigset_t all, before;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  g_thread_unref (g_thread_new ("procfun-nats", run, connection_ref (self)));
  pthread_sigmask (SIG_SETMASK, &before, NULL);
}

Connection *
connection_new (Address *address, GMainContext *context, ConnectionFunc func, gpointer user_data)
{
  static GSourceFuncs funcs = { .prepare = connection_source_prepare,
                                .check = connection_source_check,
                                .dispatch = connection_source_dispatch };
  Connection *self = g_new0 (Connection, 1);

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
  start_thread (self);
  return self;
}

void
connection_close (Connection *self)
{
  order_tag (self, COMMAND_QUIT, NULL, 0);
  g_mutex_lock (&self->lock);
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_mutex_unlock (&self->lock);
  connection_unref (self);
}

/* FALSE: it is too late, or the thread has ended. */
static gboolean
wait_for_event (Connection *self, gint64 until)
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
synchronise (Connection *self, gint64 until)
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

void
connection_finish (Connection *self, int ms)
{
  const gint64 until = g_get_monotonic_time () + (gint64)ms * 1000;

  synchronise (self, until);
  connection_ref (self);
  connection_close (self);
  g_mutex_lock (&self->lock);
  while (!self->is_over && g_cond_wait_until (&self->has_event, &self->lock, until))
    ;
  g_mutex_unlock (&self->lock);
  connection_unref (self);
}

void
connection_subscribe (Connection *self, const char *subject, guint tag)
{
  order_tag (self, COMMAND_SUBSCRIBE, subject, tag);
}

void
connection_drain (Connection *self, guint tag)
{
  order_tag (self, COMMAND_DRAIN, NULL, tag);
}

/* Whether nothing is to be sent before it, and nothing can block. */
static gboolean
can_publish_here (Connection *self, gsize size)
{
  gboolean can;

  g_mutex_lock (&self->lock);
  self->n_published += size;
  can = self->is_up && !self->is_busy && g_queue_is_empty (&self->commands)
        && self->n_published - self->n_read <= UNREAD_MAX && !self->address->is_secure;
  g_mutex_unlock (&self->lock);
  return can;
}

void
connection_publish (Connection *self, const char *subject, const char *reply,
                    const char *message_id, GBytes *data)
{
  Command *command;

  if (can_publish_here (self, g_bytes_get_size (data) + OVERHEAD))
    {
      publish (self, subject, reply, message_id, data);
      g_bytes_unref (data);
      return;
    }
  command = g_new0 (Command, 1);
  command->type = COMMAND_PUBLISH;
  command->subject = g_strdup (subject);
  command->reply = g_strdup (reply);
  command->message_id = g_strdup (message_id);
  command->data = data;
  order (self, command);
}

void
connection_publish_text (Connection *self, const char *subject, const char *reply, const char *text)
{
  connection_publish (self, subject, reply, NULL, g_bytes_new (text, strlen (text)));
}

guint64
connection_get_mark (Connection *self)
{
  guint64 mark;

  g_mutex_lock (&self->lock);
  mark = self->n_published;
  g_mutex_unlock (&self->lock);
  return mark;
}

void
connection_confirm (Connection *self, guint64 mark)
{
  g_mutex_lock (&self->lock);
  self->n_read = MAX (self->n_read, mark);
  g_mutex_unlock (&self->lock);
}

gsize
connection_get_max_payload (Connection *self)
{
  gsize size;

  g_mutex_lock (&self->lock);
  size = self->max_payload;
  g_mutex_unlock (&self->lock);
  return size;
}
