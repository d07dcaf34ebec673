/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/connection.h"
#include <nats/nats.h>

G_BEGIN_DECLS

/* Messages to and from a broker over a connection of libnats that blocks nobody, or over none as
 * long as it is away; the next one has the same subscriptions. One thread at a time. */

/* Takes @event. In any thread, for what is exact; otherwise in line_read(). */
typedef void (*LineFunc) (ConnectionEvent *event, gpointer user_data);

typedef struct _Line Line;

/* @ref and @unref: of @user_data, for libnats, which may tell a last message after all else. */
Line *line_new (LineFunc func, gpointer user_data, gpointer (*ref) (gpointer user_data),
                GDestroyNotify unref);
void line_free (Line *self);

/* Takes nothing. */
void line_connect (Line *self, natsConnection *nats);
gboolean line_is_connected (const Line *self);

/* Nothing of @nats is used any more, but for subscriptions, which are freed by line_forget() when
 * libnats has closed the connection. What was not written is lost. */
void line_disconnect (Line *self);
void line_forget (Line *self);

/* Tells what has come. */
void line_read (Line *self);

/* Writes what the socket takes. TRUE: there is more. */
gboolean line_write (Line *self);

/* See connection_subscribe(), connection_drain() and connection_publish(). */
void line_subscribe (Line *self, const char *subject, guint tag, gboolean is_exact);
void line_drain (Line *self, guint tag);
void line_publish (Line *self, const char *subject, const char *reply, const char *message_id,
                   GBytes *data);

G_END_DECLS
