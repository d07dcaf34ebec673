/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/connection-class.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* For both kinds */

ConnectionEvent *
connection_event_new (ConnectionEventType type, const char *message)
{
  ConnectionEvent *self = g_new0 (ConnectionEvent, 1);

  self->type = type;
  self->message = g_strdup (message);
  return self;
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

ConnectionEvent *
connection_event_new_message (guint tag, natsMsg *message)
{
  ConnectionEvent *self = connection_event_new (CONNECTION_MESSAGE, NULL);

  self->tag = tag;
  self->subject = g_strdup (natsMsg_GetSubject (message));
  self->reply = g_strdup (natsMsg_GetReply (message));
  self->status = get_status (message);
  self->data = g_bytes_new (natsMsg_GetData (message), (gsize)natsMsg_GetDataLength (message));
  return self;
}

void
connection_event_free (gpointer event)
{
  ConnectionEvent *self = event;

  g_free (self->subject);
  g_free (self->reply);
  g_free (self->message);
  g_clear_pointer (&self->data, g_bytes_unref);
  g_free (self);
}

natsMsg *
connection_send (natsConnection *nats, const char *subject, const char *reply,
                 const char *message_id, GBytes *bytes)
{
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  natsMsg *message = NULL;

  if (message_id == NULL)
    {
      if (reply == NULL)
        natsConnection_Publish (nats, subject, data, (int)size);
      else
        natsConnection_PublishRequest (nats, subject, reply, data, (int)size);
    }
  else if (natsMsg_Create (&message, subject, reply, data, (int)size) == NATS_OK
           && natsMsgHeader_Set (message, "Nats-Msg-Id", message_id) == NATS_OK)
    natsConnection_PublishMsg (nats, message);
  return message;
}

void
connection_block_signals (sigset_t *before)
{
  sigset_t all;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, before);
}

void
connection_start_thread (GThreadFunc func, gpointer user_data)
{
  sigset_t before;

  connection_block_signals (&before);
  g_thread_unref (g_thread_new ("procfun-nats", func, user_data));
  pthread_sigmask (SIG_SETMASK, &before, NULL);
}

/* Whichever it is */

Connection *
connection_new (Address *address, GMainContext *context, ConnectionFunc func, gpointer user_data)
{
  return address->is_secure ? threaded_connection_new (address, context, func, user_data)
                            : polled_connection_new (address, context, func, user_data);
}

void
connection_close (Connection *self)
{
  self->klass->close (self);
}

void
connection_finish (Connection *self, int ms)
{
  self->klass->finish (self, ms);
}

void
connection_subscribe (Connection *self, const char *subject, guint tag, gboolean is_exact)
{
  self->klass->subscribe (self, subject, tag, is_exact);
}

void
connection_drain (Connection *self, guint tag)
{
  self->klass->drain (self, tag);
}

void
connection_publish (Connection *self, const char *subject, const char *reply,
                    const char *message_id, GBytes *data)
{
  self->klass->publish (self, subject, reply, message_id, data);
}

void
connection_publish_text (Connection *self, const char *subject, const char *reply, const char *text)
{
  connection_publish (self, subject, reply, NULL, g_bytes_new (text, strlen (text)));
}

gsize
connection_get_max_payload (Connection *self)
{
  return self->klass->get_max_payload (self);
}
