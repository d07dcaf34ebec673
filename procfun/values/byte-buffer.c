/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/byte-buffer.h"

void
wire_buffer_grow (Buffer *self, gsize more)
{
  const gboolean is_in_room = self->data == self->room;
  gsize needed;

  if (!g_size_checked_add (&needed, self->length, more) || needed > G_MAXSIZE / 2)
    g_error ("No room for %" G_GSIZE_FORMAT " more bytes", more);

  self->allocated = MAX (MAX (needed, self->allocated * 2), 64);
  self->data = g_realloc (is_in_room ? NULL : self->data, self->allocated);
  if (is_in_room && self->length > 0)
    memcpy (self->data, self->room, self->length);
}

void
wire_buffer_clear (Buffer *self)
{
  if (self->data != self->room)
    g_free (self->data);
  *self = (Buffer){ 0 };
}

GBytes *
wire_buffer_steal (Buffer *self)
{
  GBytes *bytes;

  /* Room that was never touched takes no memory, so a moderate amount of it is kept. To return it
   * would make malloc() ask the kernel for such sizes each time. */
  if (self->data == self->room)
    bytes = g_bytes_new (self->data, self->length);
  else if (self->allocated > 2 * self->length + 4096)
    bytes = g_bytes_new_take (g_realloc (self->data, MAX (self->length, 1)), self->length);
  else
    bytes = g_bytes_new_take (self->data, self->length);
  *self = (Buffer){ 0 };
  return bytes;
}
