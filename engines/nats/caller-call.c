/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/caller-call.h"

/* Low bits of a number are those of the attempt. */
#define ATTEMPT_BITS 8

/* So long in µs after its deadline a host may yet say that a call has missed it. */
#define LATE 500000

static void
copy_message (ProcfunMessage *self, const ProcfunMessage *other)
{
  *self = *other;
  if (self->head != NULL)
    g_bytes_ref (self->head);
  if (self->payload != NULL)
    g_bytes_ref (self->payload);
}

static void
clear_message (ProcfunMessage *self)
{
  g_clear_pointer (&self->head, g_bytes_unref);
  g_clear_pointer (&self->payload, g_bytes_unref);
}

static void
free_word (gpointer word)
{
  clear_message (word);
  g_free (word);
}

CallerCall *
caller_call_new (guint64 id, const char *subject, const ProcfunMessage *message, gint64 expires)
{
  CallerCall *self = g_new0 (CallerCall, 1);

  self->id = id;
  self->subject = g_strdup (subject);
  self->expires = expires;
  copy_message (&self->message, message);
  return self;
}

void
caller_call_free (CallerCall *self)
{
  g_clear_pointer (&self->talk, talk_free);
  g_clear_error (&self->end_reason);
  g_queue_clear_full (&self->words, free_word);
  clear_message (&self->message);
  g_free (self->subject);
  g_free (self);
}

guint64
caller_call_get_number (const CallerCall *self)
{
  return self->id << ATTEMPT_BITS | (self->attempt & ((1U << ATTEMPT_BITS) - 1));
}

guint64
caller_call_get_id (guint64 number)
{
  return number >> ATTEMPT_BITS;
}

GBytes *
caller_call_make_packet (const CallerCall *self, const Packet *caller, gsize part_max)
{
  const ProcfunMessage *message = &self->message;
  const guint64 size = packet_get_message_size (message);
  const gboolean is_large = size + g_bytes_get_size (caller->profile) > part_max;
  g_autoptr (GBytes) data = is_large ? NULL : packet_cut_message (message, 0, (gsize)size);
  Packet packet = *caller;

  packet.type = PACKET_CALL;
  packet.flags = is_large ? PACKET_IS_LARGE : 0;
  packet.kind = message->kind;
  packet.message_flags = message->flags;
  packet.id = caller_call_get_number (self);
  packet.head_size = message->head != NULL ? g_bytes_get_size (message->head) : 0;
  packet.size = size;
  packet.data = data;
  return packet_make (&packet);
}

gboolean
caller_call_is_expired (const CallerCall *self, gint64 now)
{
  const gint64 late = self->talk != NULL ? LATE : 0;

  return self->expires > 0 && now >= self->expires + late && self->end_reason == NULL;
}

void
caller_call_add_word (CallerCall *self, const ProcfunMessage *word)
{
  ProcfunMessage *copy = g_new0 (ProcfunMessage, 1);

  copy_message (copy, word);
  g_queue_push_tail (&self->words, copy);
}

void
caller_call_say_words (CallerCall *self)
{
  ProcfunMessage *word;

  while ((word = g_queue_pop_head (&self->words)) != NULL)
    {
      talk_send (self->talk, word);
      free_word (word);
    }
}
