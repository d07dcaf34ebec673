/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/packet.h"

#include <string.h>

#define PACKET_MAGIC 0xf6
#define PACKET_VERSION 1

#define HEAD_MAX ((guint64)256 * 1024)
#define FROM_MAX 256
#define PROFILE_MAX (64 * 1024)

/* Numbers are little-endian. Behind it come the subject of the sender and the profile, each with
 * padding, and the data; and the next packet, if @next is not 0, so many bytes behind this one. */
typedef struct
{
  guint8 magic;
  guint8 version;
  guint8 type;
  guint8 flags;
  guint8 kind;
  guint8 message_flags;
  guint16 from_size;
  guint32 profile_size;
  guint32 next;
  guint64 id;
  guint64 number;
  gint64 heartbeat;
  guint64 head_size;
  guint64 size;
} PacketHeader;

G_STATIC_ASSERT (sizeof (PacketHeader) == 56);

static guint64
pad (guint64 size)
{
  return (size + 7) & ~(guint64)7;
}

static gsize
get_size (GBytes *bytes)
{
  return bytes != NULL ? g_bytes_get_size (bytes) : 0;
}

static void
copy (guint8 *to, GBytes *bytes)
{
  if (get_size (bytes) > 0)
    memcpy (to, g_bytes_get_data (bytes, NULL), get_size (bytes));
}

GBytes *
packet_make (const Packet *self)
{
  const gsize from_size = strlen (self->from);
  const gsize profile_at = sizeof (PacketHeader) + pad (from_size);
  const gsize data_at = profile_at + pad (get_size (self->profile));
  const gsize size = data_at + get_size (self->data);
  guint8 *bytes = g_malloc (size);
  const PacketHeader header = { .magic = PACKET_MAGIC,
                                .version = PACKET_VERSION,
                                .type = (guint8)self->type,
                                .flags = (guint8)self->flags,
                                .kind = (guint8)self->kind,
                                .message_flags = (guint8)self->message_flags,
                                .from_size = GUINT16_TO_LE ((guint16)from_size),
                                .profile_size = GUINT32_TO_LE ((guint32)get_size (self->profile)),
                                .id = GUINT64_TO_LE (self->id),
                                .number = GUINT64_TO_LE (self->number),
                                .heartbeat = GINT64_TO_LE (self->heartbeat),
                                .head_size = GUINT64_TO_LE (self->head_size),
                                .size = GUINT64_TO_LE (self->size) };

  memset (bytes, 0, data_at);
  memcpy (bytes, &header, sizeof header);
  memcpy (bytes + sizeof header, self->from, from_size);
  copy (bytes + profile_at, self->profile);
  copy (bytes + data_at, self->data);
  return g_bytes_new_take (bytes, size);
}

/* Whether an answer can be sent there: it must not be a pattern, or two subjects. */
static gboolean
is_subject (const char *text, gsize size)
{
  if (size == 0 || size > FROM_MAX)
    return FALSE;
  for (gsize i = 0; i < size; i++)
    if (!g_ascii_isalnum (text[i]) && strchr ("._-", text[i]) == NULL)
      return FALSE;
  return strncmp (text, "pf.", 3) == 0;
}

/* @size: of all that there is; then of this packet. */
static gboolean
check (const PacketHeader *header, gsize *all, gsize *profile_at, gsize *data_at)
{
  const gsize next = GUINT32_FROM_LE (header->next);
  const gsize size = next > 0 ? next : *all;
  const gsize from_size = GUINT16_FROM_LE (header->from_size);
  const gsize profile_size = GUINT32_FROM_LE (header->profile_size);

  *profile_at = sizeof *header + pad (from_size);
  *data_at = *profile_at + pad (profile_size);
  if (size > *all || next % 8 != 0)
    return FALSE;
  *all = size;
  return header->magic == PACKET_MAGIC && header->version == PACKET_VERSION && header->type > 0
         && header->type < PACKET_AFTER_LAST && profile_size <= PROFILE_MAX && *data_at <= size
         && is_subject ((const char *)(header + 1), from_size)
         && GUINT64_FROM_LE (header->head_size) <= HEAD_MAX
         && GINT64_FROM_LE (header->heartbeat) >= 0;
}

GBytes *
packet_join (GPtrArray *packets)
{
  GByteArray *all = g_byte_array_new ();
  static const guint8 padding[8] = { 0 };

  for (guint i = 0; i < packets->len; i++)
    {
      const guint begin = all->len;
      gsize size;
      gconstpointer data = g_bytes_get_data (packets->pdata[i], &size);
      guint32 next;

      g_byte_array_append (all, data, (guint)size);
      if (i + 1 == packets->len)
        break;
      g_byte_array_append (all, padding, (guint)(pad (size) - size));
      next = GUINT32_TO_LE (all->len - begin);
      memcpy (all->data + begin + G_STRUCT_OFFSET (PacketHeader, next), &next, sizeof next);
    }
  return g_byte_array_free_to_bytes (all);
}

gboolean
packet_read (Packet *self, GBytes *bytes, gsize *at)
{
  const guint8 *all = g_bytes_get_data (bytes, NULL);
  gsize size = *at < get_size (bytes) ? get_size (bytes) - *at : 0;
  const PacketHeader *header
      = size >= sizeof *header ? (const PacketHeader *)(gconstpointer)(all + *at) : NULL;
  gsize profile_at, data_at;

  *self = (Packet){ 0 };
  if (header == NULL || !check (header, &size, &profile_at, &data_at))
    return FALSE;
  self->type = header->type;
  self->flags = header->flags;
  self->kind = header->kind;
  self->message_flags = header->message_flags;
  self->id = GUINT64_FROM_LE (header->id);
  self->number = GUINT64_FROM_LE (header->number);
  self->heartbeat = GINT64_FROM_LE (header->heartbeat);
  self->head_size = GUINT64_FROM_LE (header->head_size);
  self->size = GUINT64_FROM_LE (header->size);
  self->from = g_strndup ((const char *)(header + 1), GUINT16_FROM_LE (header->from_size));
  self->profile
      = g_bytes_new_from_bytes (bytes, *at + profile_at, GUINT32_FROM_LE (header->profile_size));
  self->data = g_bytes_new_from_bytes (bytes, *at + data_at, size - data_at);
  *at += size;
  return TRUE;
}

void
packet_clear (Packet *self)
{
  g_free ((char *)self->from);
  g_clear_pointer (&self->profile, g_bytes_unref);
  g_clear_pointer (&self->data, g_bytes_unref);
}

/* Messages */

guint64
packet_get_message_size (const ProcfunMessage *message)
{
  return pad (get_size (message->head)) + get_size (message->payload);
}

/* Copies what is of @part, which begins at @part_at of the message, of the bytes @at to @at +
 * @size. */
static void
copy_overlap (guint8 *to, guint64 at, gsize size, GBytes *part, guint64 part_at)
{
  const guint64 begin = MAX (at, part_at);
  const guint64 end = MIN (at + size, part_at + get_size (part));

  if (begin < end)
    memcpy (to + (begin - at), (const guint8 *)g_bytes_get_data (part, NULL) + (begin - part_at),
            end - begin);
}

GBytes *
packet_cut_message (const ProcfunMessage *message, guint64 at, gsize size)
{
  guint8 *bytes = g_malloc0 (MAX (size, 1));

  copy_overlap (bytes, at, size, message->head, 0);
  copy_overlap (bytes, at, size, message->payload, pad (get_size (message->head)));
  return g_bytes_new_take (bytes, size);
}

gboolean
packet_split_message (const Packet *first, GBytes *bytes, ProcfunMessage *message)
{
  const guint64 payload_at = pad (first->head_size);

  if (first->kind > 255 || get_size (bytes) != first->size || payload_at > first->size)
    return FALSE;
  *message = (ProcfunMessage){
    .kind = first->kind,
    .flags = first->message_flags,
    .head = g_bytes_new_from_bytes (bytes, 0, first->head_size),
    .payload = g_bytes_new_from_bytes (bytes, payload_at, first->size - payload_at),
  };
  return TRUE;
}

const char *
packet_get_name (const char *subject)
{
  const char *dot = strrchr (subject, '.');

  return dot != NULL ? dot + 1 : subject;
}
