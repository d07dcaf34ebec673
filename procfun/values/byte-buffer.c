/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/byte-buffer.h"

void
wire_buffer_grow (Buffer *self, gsize more)
{
  gsize needed;

  if (!g_size_checked_add (&needed, self->length, more) || needed > G_MAXSIZE / 2)
    g_error ("No room for %" G_GSIZE_FORMAT " more bytes", more);

  self->allocated = MAX (MAX (needed, self->allocated * 2), 64);
  self->data = g_realloc (self->data, self->allocated);
}

void
wire_buffer_clear (Buffer *self)
{
  g_free (self->data);
  *self = (Buffer){ 0 };
}

GBytes *
wire_buffer_steal (Buffer *self)
{
  GBytes *bytes;

  /* Room that was never touched takes no memory, so a moderate amount of it is kept. To return it
   * would make malloc() ask the kernel for such sizes each time. */
  if (self->allocated > 2 * self->length + 4096)
    self->data = g_realloc (self->data, MAX (self->length, 1));

  bytes = g_bytes_new_take (self->data, self->length);
  *self = (Buffer){ 0 };
  return bytes;
}
