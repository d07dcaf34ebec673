/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/connection.h"
#include <nats/nats.h>
#include <signal.h>

G_BEGIN_DECLS

/* Inside of connections: there are two kinds. */

typedef struct
{
  void (*close) (Connection *self);
  void (*finish) (Connection *self, int ms);
  void (*subscribe) (Connection *self, const char *subject, guint tag, gboolean is_exact);
  void (*drain) (Connection *self, guint tag);
  void (*publish) (Connection *self, const char *subject, const char *reply, const char *message_id,
                   GBytes *data);
  gsize (*get_max_payload) (Connection *self);
} ConnectionClass;

struct _Connection
{
  const ConnectionClass *klass;
};

/* Threads of libnats read, and one of ours writes: what TLS has to read and write may block. */
Connection *threaded_connection_new (Address *address, GMainContext *context, ConnectionFunc func,
                                     gpointer user_data);

/* The thread of the main context reads and writes. */
Connection *polled_connection_new (Address *address, GMainContext *context, ConnectionFunc func,
                                   gpointer user_data);

/* Does not take @message. */
ConnectionEvent *connection_event_new_message (guint tag, natsMsg *message);
ConnectionEvent *connection_event_new (ConnectionEventType type, const char *message);
void connection_event_free (gpointer event);

/* A message that cannot be sent is lost as if it had been on the way: all that matters is sent
 * again. (transfer full) (nullable): what is not needed any more */
natsMsg *connection_send (natsConnection *nats, const char *subject, const char *reply,
                          const char *message_id, GBytes *data);

/* Threads inherit the mask of who makes them, and those of libnats that of ours. */
void connection_block_signals (sigset_t *before);
void connection_start_thread (GThreadFunc func, gpointer user_data);

G_END_DECLS
