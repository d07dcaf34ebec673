/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* Bytes that grow at the end, like a GByteArray without a call for each byte; { 0 } is an empty
 * one. */
typedef struct
{
  guint8 *data; /* (owned), unless it is @room */
  gsize length;
  gsize allocated;
  guint8 *room; /* (nullable) (unowned): memory for the first bytes, which lives longer */
} Buffer;

/* An array of the caller, aligned for any value, in which most values of a call have their room. */
typedef guint64 BufferRoom[8];

#define BUFFER_IN(array)                                                                           \
  {                                                                                                \
    .data = (guint8 *)(array), .allocated = sizeof (array), .room = (guint8 *)(array)              \
  }

void wire_buffer_grow (Buffer *self, gsize more);
void wire_buffer_clear (Buffer *self);

/* Takes the bytes out of the buffer, without the unused room. */
GBytes *wire_buffer_steal (Buffer *self);

/* Room for @more bytes; the caller raises length when they are written. */
static inline guint8 *
buffer_reserve (Buffer *self, gsize more)
{
  if (G_UNLIKELY (self->allocated - self->length < more))
    wire_buffer_grow (self, more);
  return self->data + self->length;
}

static inline void
buffer_append (Buffer *self, gconstpointer data, gsize size)
{
  guint8 *room = buffer_reserve (self, size);

  if (size > 0)
    memcpy (room, data, size);
  self->length += size;
}

static inline void
buffer_append_byte (Buffer *self, guint8 byte)
{
  *buffer_reserve (self, 1) = byte;
  self->length++;
}

/* Pads with zeros; @alignment is a power of two, at most 8. */
static inline void
buffer_align (Buffer *self, gsize alignment)
{
  gsize padding = -self->length & (alignment - 1);

  if (padding > 0)
    {
      memset (buffer_reserve (self, 8), 0, 8);
      self->length += padding;
    }
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Buffer, wire_buffer_clear)

G_END_DECLS
