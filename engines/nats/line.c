/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/line.h"

#include "engines/nats/connection-class.h"
#include <pthread.h>

/* Bytes that libnats is given ahead of the broker: it moves them all whenever some are sent. */
#define AHEAD_MAX 262144

/* So many messages, and bytes of them, are kept when they are done with: libnats wakes a thread of
 * its own for each that it is to free. */
#define DONE_MAX 32
#define DONE_BYTES_MAX 65536

/* The status of a message that nobody has heard. */
#define STATUS_NOBODY 503

typedef struct
{
  guint tag;
  char *subject;
  gboolean is_exact;
  gboolean is_drained;    /* but for what is on its way */
  natsSubscription *nats; /* (nullable) */
} Subscription;

typedef struct
{
  char *subject;
  char *reply;      /* (nullable) */
  char *message_id; /* (nullable) */
  GBytes *data;
} Publication;

struct _Line
{
  LineFunc func;
  gpointer user_data;
  gpointer (*ref) (gpointer user_data);
  GDestroyNotify unref;
  natsConnection *nats;     /* (nullable): not now */
  GPtrArray *subscriptions; /* (element-type Subscription) */
  GQueue waiting;           /* (element-type Publication) */
  GPtrArray *done;          /* (element-type natsMsg) */
  gsize n_done;             /* bytes of these */
};

/* Closure for libnats, which keeps it until it has told the last message. */
typedef struct
{
  guint tag;
  LineFunc func;
  gpointer user_data;
  GDestroyNotify unref;
} Listener;

static void
subscription_free (gpointer subscription)
{
  Subscription *self = subscription;

  natsSubscription_Destroy (self->nats);
  g_free (self->subject);
  g_free (self);
}

static void
publication_free (gpointer publication)
{
  Publication *self = publication;

  g_free (self->subject);
  g_free (self->reply);
  g_free (self->message_id);
  g_bytes_unref (self->data);
  g_free (self);
}

Line *
line_new (LineFunc func, gpointer user_data, gpointer (*ref) (gpointer user_data),
          GDestroyNotify unref)
{
  Line *self = g_new0 (Line, 1);

  self->func = func;
  self->user_data = user_data;
  self->ref = ref;
  self->unref = unref;
  self->subscriptions = g_ptr_array_new_with_free_func (subscription_free);
  self->done = g_ptr_array_new_with_free_func ((GDestroyNotify)natsMsg_Destroy);
  return self;
}

void
line_free (Line *self)
{
  g_queue_clear_full (&self->waiting, publication_free);
  g_ptr_array_unref (self->subscriptions);
  g_ptr_array_unref (self->done);
  g_free (self);
}

static void
retire (Line *self, natsMsg *message)
{
  if (message == NULL)
    return;
  g_ptr_array_add (self->done, message);
  self->n_done += (gsize)natsMsg_GetDataLength (message);
  if (self->done->len < DONE_MAX && self->n_done < DONE_BYTES_MAX)
    return;
  g_ptr_array_set_size (self->done, 0);
  self->n_done = 0;
}

/* Subscriptions */

static void
on_message (natsConnection *nats, natsSubscription *subscription, natsMsg *message, void *user_data)
{
  const Listener *self = user_data;

  self->func (connection_event_new_message (self->tag, message), self->user_data);
  natsMsg_Destroy (message);
}

static void
on_complete (void *user_data)
{
  Listener *self = user_data;

  self->unref (self->user_data);
  g_free (self);
}

/* A thread of libnats tells what comes to it, with all of it. */
static void
hear_exactly (Line *self, Subscription *subscription)
{
  Listener *closure = g_new0 (Listener, 1);

  *closure = (Listener){ subscription->tag, self->func, self->ref (self->user_data), self->unref };
  if (natsConnection_Subscribe (&subscription->nats, self->nats, subscription->subject, on_message,
                                closure)
      == NATS_OK)
    natsSubscription_SetOnCompleteCB (subscription->nats, on_complete, closure);
  else
    on_complete (closure);
}

static void
hear (Line *self, Subscription *subscription)
{
  sigset_t before;

  connection_block_signals (&before);
  if (subscription->is_exact)
    hear_exactly (self, subscription);
  else
    natsConnection_SubscribeSync (&subscription->nats, self->nats, subscription->subject);
  if (subscription->nats != NULL)
    natsSubscription_SetPendingLimits (subscription->nats, -1, -1);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
}

void
line_subscribe (Line *self, const char *subject, guint tag, gboolean is_exact)
{
  Subscription *subscription = g_new0 (Subscription, 1);

  subscription->tag = tag;
  subscription->subject = g_strdup (subject);
  subscription->is_exact = is_exact;
  g_ptr_array_add (self->subscriptions, subscription);
  if (self->nats != NULL)
    hear (self, subscription);
}

/* libnats has a thread for it. */
static void
begin_drain (Line *self, Subscription *subscription)
{
  sigset_t before;

  subscription->is_drained = TRUE;
  if (self->nats == NULL || subscription->nats == NULL)
    return;
  connection_block_signals (&before);
  natsSubscription_Drain (subscription->nats);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
}

static gboolean
has_messages (const Subscription *self)
{
  guint64 n = 0;

  return natsSubscription_QueuedMsgs (self->nats, &n) == NATS_OK && n > 0;
}

/* Whether it has told its last message. */
static gboolean
is_over (const Subscription *self)
{
  return self->is_drained
         && (self->nats == NULL
             || (natsSubscription_DrainCompletionStatus (self->nats) != NATS_ILLEGAL_STATE
                 && !has_messages (self)));
}

void
line_drain (Line *self, guint tag)
{
  for (guint i = self->subscriptions->len; i > 0; i--)
    {
      Subscription *subscription = self->subscriptions->pdata[i - 1];

      if (subscription->tag == tag && !subscription->is_drained)
        begin_drain (self, subscription);
      if (is_over (subscription))
        g_ptr_array_remove_index (self->subscriptions, i - 1);
    }
}

/* The connection */

void
line_connect (Line *self, natsConnection *nats)
{
  self->nats = nats;
  for (guint i = 0; i < self->subscriptions->len; i++)
    hear (self, self->subscriptions->pdata[i]);
}

gboolean
line_is_connected (const Line *self)
{
  return self->nats != NULL;
}

void
line_disconnect (Line *self)
{
  self->nats = NULL;
  g_queue_clear_full (&self->waiting, publication_free);
}

void
line_forget (Line *self)
{
  for (guint i = self->subscriptions->len; i > 0; i--)
    {
      Subscription *subscription = self->subscriptions->pdata[i - 1];

      natsSubscription_Destroy (g_steal_pointer (&subscription->nats));
      if (subscription->is_drained)
        g_ptr_array_remove_index (self->subscriptions, i - 1);
    }
}

/* Reading */

/* (nullable): there is none. libnats says of a message that nobody has heard only that it came. */
static ConnectionEvent *
read_message (Line *self, const Subscription *subscription)
{
  ConnectionEvent *event;
  natsMsg *message = NULL;
  natsStatus status;

  if (subscription->nats == NULL || subscription->is_exact || !has_messages (subscription))
    return NULL;
  status = natsSubscription_NextMsg (&message, subscription->nats, 0);
  if (status == NATS_OK)
    {
      event = connection_event_new_message (subscription->tag, message);
      retire (self, message);
      return event;
    }
  if (status != NATS_NO_RESPONDERS)
    return NULL;
  event = connection_event_new (CONNECTION_MESSAGE, NULL);
  event->tag = subscription->tag;
  event->subject = g_strdup (subscription->subject);
  event->status = STATUS_NOBODY;
  event->data = g_bytes_new (NULL, 0);
  return event;
}

/* Calls come to subscriptions that are newer than those for what is said about them. */
void
line_read (Line *self)
{
  ConnectionEvent *event;

  if (self->nats == NULL)
    return;
  natsConnection_ProcessReadEvent (self->nats);
  for (guint i = self->subscriptions->len; i > 0; i--)
    while ((event = read_message (self, self->subscriptions->pdata[i - 1])) != NULL)
      self->func (event, self->user_data);
}

/* Writing */

static gboolean
is_full (const Line *self)
{
  return natsConnection_Buffered (self->nats) >= AHEAD_MAX;
}

gboolean
line_write (Line *self)
{
  if (self->nats == NULL)
    return FALSE;
  if (natsConnection_Buffered (self->nats) > 0)
    natsConnection_ProcessWriteEvent (self->nats);
  while (!g_queue_is_empty (&self->waiting) && !is_full (self))
    {
      Publication *next = g_queue_pop_head (&self->waiting);

      retire (self, connection_send (self->nats, next->subject, next->reply, next->message_id,
                                     next->data));
      publication_free (next);
    }
  return natsConnection_Buffered (self->nats) > 0;
}

void
line_publish (Line *self, const char *subject, const char *reply, const char *message_id,
              GBytes *data)
{
  Publication *publication;

  if (self->nats == NULL)
    {
      g_bytes_unref (data);
      return;
    }
  if (g_queue_is_empty (&self->waiting) && !is_full (self))
    {
      retire (self, connection_send (self->nats, subject, reply, message_id, data));
      g_bytes_unref (data);
      return;
    }
  publication = g_new0 (Publication, 1);
  publication->subject = g_strdup (subject);
  publication->reply = g_strdup (reply);
  publication->message_id = g_strdup (message_id);
  publication->data = data;
  g_queue_push_tail (&self->waiting, publication);
}
