/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/address.h"

G_BEGIN_DECLS

/* A connection with a broker. Whoever publishes is not blocked, and hears of what comes in its own
 * main context, which is the only one that calls what follows. */

typedef enum
{
  CONNECTION_UP,
  CONNECTION_LOST,   /* libnats tries to be back */
  CONNECTION_BACK,   /* what was published meanwhile may not have arrived */
  CONNECTION_SYNCED, /* for itself */
  CONNECTION_FAILED, /* the last event; message: why */
  CONNECTION_MESSAGE
} ConnectionEventType;

typedef struct
{
  ConnectionEventType type;
  guint tag;     /* of the subscription */
  char *subject; /* of the message, not of the subscription */
  char *reply;   /* (nullable) */
  int status;    /* such as 503, in place of data; 0: none */
  GBytes *data;
  char *message; /* (nullable) */
} ConnectionEvent;

/* The connection may be closed in it. */
typedef void (*ConnectionFunc) (const ConnectionEvent *event, gpointer user_data);

typedef struct _Connection Connection;

Connection *connection_new (Address *address, GMainContext *context, ConnectionFunc func,
                            gpointer user_data);

/* No event comes any more. What was published is still sent. */
void connection_close (Connection *self);

/* The same, but waits for that, for at most @ms milliseconds, and tells what comes meanwhile. */
void connection_finish (Connection *self, int ms);

/* Each has a number, which is the caller's choice and not 0. @is_exact: a message of the broker
 * that nobody was there has the subject of what nobody has heard, and not that of the subscription;
 * all messages take longer then. */
void connection_subscribe (Connection *self, const char *subject, guint tag, gboolean is_exact);

/* Ends it. Messages that have come already are still told. */
void connection_drain (Connection *self, guint tag);

/* Takes @data. @reply: (nullable). @message_id: (nullable): the broker drops another one with it.
 */
void connection_publish (Connection *self, const char *subject, const char *reply,
                         const char *message_id, GBytes *data);
void connection_publish_text (Connection *self, const char *subject, const char *reply,
                              const char *text);

/* Bytes that a message may have, once it is up. */
gsize connection_get_max_payload (Connection *self);

G_END_DECLS
