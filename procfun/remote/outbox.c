/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/outbox.h"

#include "procfun/remote/piece.h"
#include <errno.h>
#include <unistd.h>

/* Bytes of pieces that may be on their way. What is more would stand before small messages in the
 * buffers of the kernel and of ssh. */
#define WINDOW ((guint64)1024 * 1024)

/* A message on its way out, in pieces. */
typedef struct _Outgoing
{
  struct _Outgoing *next; /* (nullable) (owned): of the same call, which must not overtake it */
  LinkType type;
  guint32 id;
  GBytes *head;
  GBytes *payload; /* (nullable) */
  gsize sent;
} Outgoing;

static void
outgoing_free (gpointer outgoing)
{
  Outgoing *self = outgoing;

  g_bytes_unref (self->head);
  g_clear_pointer (&self->payload, g_bytes_unref);
  g_clear_pointer (&self->next, outgoing_free);
  g_free (self);
}

void
outbox_init (Outbox *self)
{
  self->out = g_byte_array_new ();
  self->n_written = 0;
  g_queue_init (&self->small);
  g_queue_init (&self->bulk);
  self->in_window = 0;
  self->n_waiting = 0;
}

void
outbox_clear (Outbox *self)
{
  g_byte_array_unref (self->out);
  g_queue_clear_full (&self->small, outgoing_free);
  g_queue_clear_full (&self->bulk, outgoing_free);
}

static gsize
get_payload_size (const Outgoing *self)
{
  return self->payload != NULL ? g_bytes_get_size (self->payload) : 0;
}

static gsize
get_total (const Outgoing *self)
{
  return g_bytes_get_size (self->head) + get_payload_size (self);
}

static void
append_part (GByteArray *out, GBytes *bytes, gsize offset, gsize size)
{
  const guint8 *data = size > 0 ? g_bytes_get_data (bytes, NULL) : NULL;

  if (size > 0)
    g_byte_array_append (out, data + offset, (guint)size);
}

/* TRUE: it was the last one. */
static gboolean
append_piece (Outbox *self, Outgoing *message)
{
  const gsize head_size = g_bytes_get_size (message->head);
  const gsize total = get_total (message);
  const gsize size = MIN (total - message->sent, PIECE_MAX);
  const gsize of_head = message->sent < head_size ? MIN (size, head_size - message->sent) : 0;
  const gboolean is_first = message->sent == 0;
  const gboolean is_last = message->sent + size == total;
  const PieceHeader header
      = { .magic = PIECE_MAGIC,
          .version = LINK_VERSION,
          .type = (guint8)message->type,
          .flags = (guint8)((is_first ? PIECE_FIRST : 0) | (is_last ? PIECE_LAST : 0)),
          .id = GUINT32_TO_LE (message->id),
          .size = GUINT32_TO_LE ((guint32)size),
          .head_size = GUINT32_TO_LE (is_first ? (guint32)head_size : 0),
          .total = GUINT64_TO_LE (is_first ? total : 0) };

  g_byte_array_append (self->out, (const guint8 *)&header, sizeof header);
  append_part (self->out, message->head, message->sent, of_head);
  append_part (self->out, message->payload, message->sent + of_head - head_size, size - of_head);
  message->sent += size;
  self->n_waiting -= size;
  if (header.flags != PIECE_WHOLE)
    self->in_window += size;
  return is_last;
}

/* The next call has its turn after each piece. */
static void
append_bulk (Outbox *self)
{
  Outgoing *message = g_queue_pop_head (&self->bulk);
  Outgoing *left = message;

  if (append_piece (self, message))
    {
      left = g_steal_pointer (&message->next);
      outgoing_free (message);
    }
  if (left != NULL)
    g_queue_push_tail (&self->bulk, left);
}

static gboolean
may_send_bulk (const Outbox *self)
{
  return self->bulk.length > 0 && self->in_window < WINDOW;
}

static void
fill (Outbox *self)
{
  if (self->n_written < self->out->len)
    return;
  g_byte_array_set_size (self->out, 0);
  self->n_written = 0;
  while (self->small.length > 0 && self->out->len < PIECE_MAX)
    {
      Outgoing *message = g_queue_pop_head (&self->small);

      append_piece (self, message);
      outgoing_free (message);
    }
  if (may_send_bulk (self) && self->out->len < PIECE_MAX)
    append_bulk (self);
}

gboolean
outbox_write (Outbox *self, int fd, gsize max, gboolean *is_blocked)
{
  gsize n_done = 0;

  for (fill (self); self->n_written < self->out->len && n_done < max; fill (self))
    {
      const gssize n
          = write (fd, self->out->data + self->n_written, self->out->len - self->n_written);

      *is_blocked = n < 0 && errno == EAGAIN;
      if (*is_blocked)
        return TRUE;
      if (n < 0 && errno != EINTR)
        return FALSE;
      self->n_written += (gsize)MAX (n, 0);
      n_done += (gsize)MAX (n, 0);
    }
  return TRUE;
}

gboolean
outbox_has_output (const Outbox *self)
{
  return self->n_written < self->out->len || self->small.length > 0 || may_send_bulk (self);
}

static Outgoing *
find_bulk (const Outbox *self, guint32 id)
{
  for (GList *l = id != 0 ? self->bulk.head : NULL; l != NULL; l = l->next)
    if (((Outgoing *)l->data)->id == id)
      return l->data;
  return NULL;
}

void
outbox_push (Outbox *self, LinkType type, guint32 id, GBytes *head, GBytes *payload)
{
  Outgoing *message = g_new (Outgoing, 1);
  Outgoing *before = find_bulk (self, id);
  gsize total;

  *message = (Outgoing){ .type = type, .id = id, .head = head, .payload = payload };
  total = get_total (message);
  self->n_waiting += total;
  while (before != NULL && before->next != NULL)
    before = before->next;
  if (before != NULL)
    before->next = message;
  else
    g_queue_push_tail (total <= PIECE_MAX ? &self->small : &self->bulk, message);
}

gboolean
outbox_take_credit (Outbox *self, guint64 bytes)
{
  if (bytes > self->in_window)
    return FALSE;
  self->in_window -= bytes;
  return TRUE;
}

gsize
outbox_get_unsent (const Outbox *self)
{
  return self->n_waiting + self->out->len - self->n_written;
}
