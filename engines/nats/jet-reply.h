/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/connection.h"

G_BEGIN_DECLS

/* An answer of JetStream, in JSON. */
typedef struct
{
  GError *error;    /* (nullable) */
  gboolean is_gone; /* the error is that a message is not in the stream any more */
  guint64 sequence; /* of a message that was stored */
  gint64 ack_wait;  /* of a consumer, in µs */
  guint64 last;     /* of a stream: the sequence of the last message; 0: none was stored */
} JetReply;

/* @event: an answer, or a status in its place. */
void jet_reply_read (JetReply *self, const ConnectionEvent *event);
void jet_reply_clear (JetReply *self);

/* The same from a text. */
void jet_reply_read_text (JetReply *self, const char *text, gsize size);

/* Contents of the subject, if there is one, by which a message is acknowledged. */
typedef struct
{
  guint n_deliveries; /* how often it was given to somebody; 0: it is no such subject */
  guint64 sequence;   /* of the message in its stream */
  guint64 n_given;    /* how many messages the broker had given away, with this one */
} JetReceipt;

void jet_receipt_read (JetReceipt *self, const char *subject);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JetReply, jet_reply_clear)

G_END_DECLS
