/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/packet.h"
#include "engines/nats/talk.h"

G_BEGIN_DECLS

/* A call as its caller keeps it. */
typedef struct
{
  guint64 id;
  guint attempt; /* a host that has not begun it gives it back, and it is submitted again */
  char *subject;
  ProcfunMessage message;
  gint64 submitted_at; /* monotonic time */
  gint64 expires;      /* monotonic time in µs; 0: never */

  /* While it waits in the broker */
  gint64 repeat_at;     /* monotonic time; 0: it is stored */
  guint64 sequence;     /* in the stream, once it is stored */
  GQueue words;         /* (element-type ProcfunMessage) */
  GError *end_reason;   /* (nullable): it is to be taken out of the stream */
  gboolean is_recalled; /* likewise, and to be submitted again if it was there */
  gboolean is_deleted;  /* it was there; a host that has it all the same has time to say so */
  gboolean is_doubtful; /* a host that is gone may have begun it */

  Talk *talk;          /* (nullable): no host has said that it has it */
  gboolean has_answer; /* which the library has been told */
} CallerCall;

CallerCall *caller_call_new (guint64 id, const char *subject, const ProcfunMessage *message,
                             gint64 expires);
void caller_call_free (CallerCall *self);

/* The number by which it is known to hosts, and back. */
guint64 caller_call_get_number (const CallerCall *self);
guint64 caller_call_get_id (guint64 number);

/* The packet for the broker. @caller: who it is from. A message that does not fit into
 * @part_max bytes stays with the caller. */
GBytes *caller_call_make_packet (const CallerCall *self, const Packet *caller, gsize part_max);

/* It has ended, whatever the host says. */
gboolean caller_call_is_expired (const CallerCall *self, gint64 now);

/* Keeps a word for the host that will have it, and says all that were kept. */
void caller_call_add_word (CallerCall *self, const ProcfunMessage *word);
void caller_call_say_words (CallerCall *self);

G_END_DECLS
