/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/talk.h"

#include <string.h>

/* Bytes that may be on the way. */
#define WINDOW ((gsize)1024 * 1024)

/* Time in µs until parts are sent again: the first, and the longest. */
#define REPEAT_MIN 250000
#define REPEAT_MAX (4 * G_USEC_PER_SEC)

typedef struct
{
  ProcfunMessage message;
  guint64 size;
  guint64 sent; /* bytes of it, in parts */
  gboolean has_begun;
} Outgoing;

typedef struct
{
  guint64 number;
  GBytes *packet;
} Part;

struct _Talk
{
  Connection *connection; /* unowned */
  char *to;
  char *from;
  guint64 id;
  gsize part_max;
  TalkFunc func;
  gpointer user_data;
  GDestroyNotify destroy; /* (nullable) */

  GQueue messages;   /* (element-type Outgoing): not sent, or not all of them */
  GQueue parts;      /* (element-type Part): sent, and not acknowledged */
  gsize n_bytes;     /* of these */
  GPtrArray *bundle; /* (element-type GBytes): packets that go in one message */
  gsize n_bundled;   /* bytes of these */
  guint64 last_sent;
  gint64 repeat_after; /* in µs */
  gint64 repeat_at;    /* monotonic time */

  guint64 last_taken;
  gboolean owes_answer;
  Packet first;  /* of the message that has come in part; its type is 0 otherwise */
  guint8 *bytes; /* of it */
  guint64 n_taken;
  guint64 room; /* for bytes */
};

Talk *
talk_new (Connection *connection, const char *to, const char *from, guint64 id, gsize part_max,
          TalkFunc func, gpointer user_data, GDestroyNotify destroy)
{
  Talk *self = g_new0 (Talk, 1);

  self->connection = connection;
  self->to = g_strdup (to);
  self->from = g_strdup (from);
  self->id = id;
  self->part_max = part_max;
  self->func = func;
  self->user_data = user_data;
  self->destroy = destroy;
  self->repeat_after = REPEAT_MIN;
  self->bundle = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  return self;
}

static void
outgoing_free (gpointer outgoing)
{
  Outgoing *self = outgoing;

  g_clear_pointer (&self->message.head, g_bytes_unref);
  g_clear_pointer (&self->message.payload, g_bytes_unref);
  g_free (self);
}

static void
part_free (gpointer part)
{
  Part *self = part;

  g_bytes_unref (self->packet);
  g_free (self);
}

static void
forget_message (Talk *self)
{
  packet_clear (&self->first);
  self->first = (Packet){ 0 };
  g_clear_pointer (&self->bytes, g_free);
  self->n_taken = 0;
  self->room = 0;
}

void
talk_free (Talk *self)
{
  g_queue_clear_full (&self->messages, outgoing_free);
  g_queue_clear_full (&self->parts, part_free);
  g_ptr_array_unref (self->bundle);
  forget_message (self);
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_free (self->to);
  g_free (self->from);
  g_free (self);
}

const char *
talk_get_peer (const Talk *self)
{
  return self->to;
}

gboolean
talk_is_quiet (const Talk *self)
{
  return g_queue_is_empty ((GQueue *)&self->messages) && g_queue_is_empty ((GQueue *)&self->parts);
}

gboolean
talk_has_begun (const Talk *self)
{
  return self->last_taken > 0;
}

gboolean
talk_has_answered (const Talk *self)
{
  return self->last_sent > 0 || !g_queue_is_empty ((GQueue *)&self->messages);
}

/* Sending */

static void
flush (Talk *self)
{
  if (self->bundle->len == 0)
    return;
  connection_publish (self->connection, self->to, NULL, NULL,
                      self->bundle->len == 1 ? g_bytes_ref (self->bundle->pdata[0])
                                             : packet_join (self->bundle));
  g_ptr_array_set_size (self->bundle, 0);
  self->n_bundled = 0;
}

static void
publish (Talk *self, GBytes *packet)
{
  const gsize size = g_bytes_get_size (packet);

  if (self->n_bundled + size > self->part_max)
    flush (self);
  g_ptr_array_add (self->bundle, g_bytes_ref (packet));
  self->n_bundled += size;
}

static void
send_part (Talk *self, Outgoing *outgoing)
{
  const gsize size = (gsize)MIN (outgoing->size - outgoing->sent, self->part_max);
  g_autoptr (GBytes) data = packet_cut_message (&outgoing->message, outgoing->sent, size);
  Packet packet = {
    .type = PACKET_PART,
    .kind = outgoing->message.kind,
    .message_flags = outgoing->message.flags,
    .from = self->from,
    .id = self->id,
    .number = ++self->last_sent,
    .head_size = outgoing->message.head != NULL ? g_bytes_get_size (outgoing->message.head) : 0,
    .size = outgoing->size,
    .data = data,
  };
  Part *part = g_new0 (Part, 1);

  packet.flags = outgoing->has_begun ? 0 : PACKET_FIRST;
  outgoing->has_begun = TRUE;
  outgoing->sent += size;
  if (outgoing->sent == outgoing->size)
    packet.flags |= PACKET_LAST;
  part->number = packet.number;
  part->packet = packet_make (&packet);
  self->n_bytes += g_bytes_get_size (part->packet);
  g_queue_push_tail (&self->parts, part);
  publish (self, part->packet);
}

static void
send_parts (Talk *self)
{
  Outgoing *outgoing;

  while (self->n_bytes < WINDOW && (outgoing = g_queue_peek_head (&self->messages)) != NULL)
    {
      if (g_queue_is_empty (&self->parts))
        self->repeat_at = g_get_monotonic_time () + self->repeat_after;
      send_part (self, outgoing);
      if (outgoing->sent == outgoing->size)
        outgoing_free (g_queue_pop_head (&self->messages));
    }
  flush (self);
}

void
talk_add (Talk *self, const ProcfunMessage *message)
{
  Outgoing *outgoing = g_new0 (Outgoing, 1);

  outgoing->message = *message;
  if (message->head != NULL)
    g_bytes_ref (message->head);
  if (message->payload != NULL)
    g_bytes_ref (message->payload);
  outgoing->size = packet_get_message_size (message);
  g_queue_push_tail (&self->messages, outgoing);
}

void
talk_send (Talk *self, const ProcfunMessage *message)
{
  talk_add (self, message);
  send_parts (self);
}

static void
repeat (Talk *self, gint64 now)
{
  for (GList *l = self->parts.head; l != NULL; l = l->next)
    publish (self, ((Part *)l->data)->packet);
  flush (self);
  self->repeat_after = MIN (2 * self->repeat_after, REPEAT_MAX);
  self->repeat_at = now + self->repeat_after;
}

static void
take_acknowledgement (Talk *self, guint64 number)
{
  Part *part;

  while ((part = g_queue_peek_head (&self->parts)) != NULL && part->number <= number)
    {
      self->n_bytes -= g_bytes_get_size (part->packet);
      part_free (g_queue_pop_head (&self->parts));
      self->repeat_after = REPEAT_MIN;
      self->repeat_at = g_get_monotonic_time () + self->repeat_after;
    }
  send_parts (self);
}

/* Taking */

void
talk_acknowledge (Talk *self)
{
  const Packet packet
      = { .type = PACKET_ACK, .from = self->from, .id = self->id, .number = self->last_taken };

  self->owes_answer = FALSE;
  connection_publish (self->connection, self->to, NULL, NULL, packet_make (&packet));
}

/* Room is made for what has come, and not for what is promised. */
static gboolean
append (Talk *self, GBytes *data)
{
  const gsize size = g_bytes_get_size (data);

  if (size > self->first.size - self->n_taken)
    return FALSE;
  if (size == 0)
    return TRUE;
  if (self->n_taken + size > self->room)
    {
      self->room = MIN (MAX (2 * self->room, self->n_taken + size), self->first.size);
      self->bytes = g_realloc (self->bytes, self->room);
    }
  memcpy (self->bytes + self->n_taken, g_bytes_get_data (data, NULL), size);
  self->n_taken += size;
  return TRUE;
}

static gboolean
begin_message (Talk *self, const Packet *packet)
{
  if (self->first.type != 0)
    return FALSE;
  self->first = *packet;
  self->first.from = NULL;
  self->first.profile = NULL;
  self->first.data = NULL;
  return TRUE;
}

static gboolean
tell (Talk *self, const Packet *first, GBytes *bytes)
{
  ProcfunMessage message;
  GBytes *head, *payload;

  if (!packet_split_message (first, bytes, &message))
    return FALSE;
  head = message.head;
  payload = message.payload;
  self->func (&message, self->user_data);
  g_bytes_unref (head);
  g_bytes_unref (payload);
  return TRUE;
}

static gboolean
end_message (Talk *self)
{
  const Packet first = self->first;
  g_autoptr (GBytes) bytes
      = g_bytes_new_take (g_steal_pointer (&self->bytes), (gsize)self->n_taken);

  forget_message (self);
  return tell (self, &first, bytes);
}

static gboolean
take_part (Talk *self, const Packet *packet)
{
  const gboolean is_whole
      = (packet->flags & PACKET_FIRST) != 0 && (packet->flags & PACKET_LAST) != 0;

  if (packet->number != self->last_taken + 1)
    {
      talk_acknowledge (self); /* it has come already, or one before it has not */
      return TRUE;
    }
  self->last_taken++;
  self->owes_answer = TRUE;
  if (is_whole && self->first.type == 0)
    return tell (self, packet, packet->data);
  if ((packet->flags & PACKET_FIRST) != 0 && !begin_message (self, packet))
    return FALSE;
  if (self->first.type == 0 || !append (self, packet->data))
    return FALSE;
  if ((packet->flags & PACKET_LAST) != 0)
    return end_message (self);
  talk_acknowledge (self);
  return TRUE;
}

gboolean
talk_take (Talk *self, const Packet *packet)
{
  if (packet->type == PACKET_PART)
    return take_part (self, packet);
  take_acknowledgement (self, packet->number);
  return TRUE;
}

void
talk_advance (Talk *self, gint64 now, gboolean again)
{
  if (self->owes_answer)
    talk_acknowledge (self);
  if (!g_queue_is_empty (&self->parts) && (again || now >= self->repeat_at))
    repeat (self, now);
  send_parts (self);
}
