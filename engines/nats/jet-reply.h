/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/connection.h"

G_BEGIN_DECLS

/* An answer of JetStream, in JSON. */
typedef struct
{
  GError *error;    /* (nullable) */
  guint64 sequence; /* of a message that was stored */
  gint64 ack_wait;  /* of a consumer, in µs */
} JetReply;

/* @event: an answer, or a status in its place. */
void jet_reply_read (JetReply *self, const ConnectionEvent *event);
void jet_reply_clear (JetReply *self);

/* The same from a text. */
void jet_reply_read_text (JetReply *self, const char *text, gsize size);

/* How often a message was given to somebody, in the subject by which it is acknowledged; 0: it is
 * no such subject. */
guint jet_reply_get_n_deliveries (const char *subject);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JetReply, jet_reply_clear)

G_END_DECLS
