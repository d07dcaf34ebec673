/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/buffer.h"

#include "procfun/platform/pages.h"
#include "procfun/procfun-bytes.h"
#include <string.h>

/**
 * SECTION:procfun-buffer
 * @title: ProcfunBuffer
 * @short_description: memory that a function changes in place
 *
 * Memory that a function in another process can write, as the type of an argument; `ay` in GVariant
 * terms.
 */

/**
 * ProcfunBuffer:
 *
 * Memory that a function in another process can write, as the type of an argument; `ay` in GVariant
 * terms.
 *
 * A #GBytes is an argument that a function reads. A #ProcfunBuffer is one that it writes: when the
 * call has succeeded, the caller finds the changes in the memory that it passed.
 *
 * |[<!-- language="C" -->
 * PROCFUN_DEFINE_FUNCTION (invert, void, (ProcfunBuffer *, pixels))
 * {
 *   gsize size;
 *   guint8 *data = procfun_buffer_get_data (pixels, &size);
 *
 *   for (gsize i = 0; i < size; i++)
 *     data[i] = 255 - data[i];
 * }
 *
 * gpointer data;
 * g_autoptr (ProcfunBuffer) pixels = procfun_buffer_new (height * stride, &data);
 *
 * paint (data, width, height, stride);
 * invert_process (pixels, &error);
 * ]|
 *
 * The function works on a copy, in its own process. So a call that fails, is cancelled, is late, or
 * crashes changes nothing. A call that succeeds changes the memory when the wrapper returns its
 * result: `invert_process()`, `invert_run()`, or `invert_process_finish()`, in the thread that
 * calls it. The memory stays where it is, and has the size that it had.
 *
 * A buffer is given to one call at a time, and is neither written nor freed while that runs.
 *
 * A buffer can only be an argument, and not of a generator. Where a call has no C types, the
 * arguments have bytes, `ay`, and the result is a struct of the result, unless that is `void`, and
 * the new contents of the buffers in their order. In JSON that is an object whose members have the
 * names of the arguments, and the result is called `return`.
 *
 * Since: 0.1
 */

struct _ProcfunBuffer
{
  gatomicrefcount n_refs;
  gpointer data;
  gsize size;
  GBytes *memory; /* that has @data */
};

G_DEFINE_BOXED_TYPE (ProcfunBuffer, procfun_buffer, procfun_buffer_ref, procfun_buffer_unref)

/* Takes @memory. */
static ProcfunBuffer *
new_for_memory (GBytes *memory, gpointer data)
{
  ProcfunBuffer *self = g_new (ProcfunBuffer, 1);

  *self = (ProcfunBuffer){ .data = data, .size = g_bytes_get_size (memory), .memory = memory };
  g_atomic_ref_count_init (&self->n_refs);
  return self;
}

ProcfunBuffer *
buffer_new_private (gconstpointer data, gsize size)
{
  GBytes *copy = pages_copy (data, size);

  return copy != NULL ? new_for_memory (copy, (gpointer)g_bytes_get_data (copy, NULL)) : NULL;
}

GBytes *
buffer_share_bytes (ProcfunBuffer *self)
{
  return g_bytes_ref (self->memory);
}

void
buffer_write (ProcfunBuffer *self, gconstpointer data)
{
  if (self->size > 0)
    memcpy (self->data, data, self->size);
}

gsize
buffer_get_size (const ProcfunBuffer *self)
{
  return self->size;
}

/**
 * procfun_buffer_new:
 * @size: the size in bytes, which stays
 * @data: (out) (optional) (transfer none): return location for the memory
 *
 * Makes a buffer of zeroes. Its memory is shared from the beginning, as that of
 * procfun_bytes_new(), so that it is not copied on its way to a function.
 *
 * Returns: (transfer full) (nullable): the buffer, or %NULL where there is no memory for it
 *
 * Since: 0.1
 */
ProcfunBuffer *
procfun_buffer_new (gsize size, gpointer *data)
{
  gpointer memory;
  GBytes *bytes = procfun_bytes_new (size, &memory);

  if (data != NULL)
    *data = memory;
  return bytes != NULL ? new_for_memory (bytes, memory) : NULL;
}

/**
 * procfun_buffer_new_from_bytes:
 * @bytes: the contents
 *
 * Makes a buffer with a copy of @bytes.
 *
 * Returns: (transfer full) (nullable): the buffer, or %NULL where there is no memory for it
 *
 * Since: 0.1
 */
ProcfunBuffer *
procfun_buffer_new_from_bytes (GBytes *bytes)
{
  ProcfunBuffer *self;
  gconstpointer data;
  gsize size;

  g_return_val_if_fail (bytes != NULL, NULL);

  data = g_bytes_get_data (bytes, &size);
  self = procfun_buffer_new (size, NULL);
  if (self != NULL)
    buffer_write (self, data);
  return self;
}

/**
 * procfun_buffer_ref:
 * @self: a #ProcfunBuffer
 *
 * Takes a reference, from any thread.
 *
 * Returns: (transfer full): the same buffer
 *
 * Since: 0.1
 */
ProcfunBuffer *
procfun_buffer_ref (ProcfunBuffer *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->n_refs);
  return self;
}

/**
 * procfun_buffer_unref:
 * @self: (transfer full): a #ProcfunBuffer
 *
 * Drops a reference, from any thread. The memory goes with the last one.
 *
 * Since: 0.1
 */
void
procfun_buffer_unref (ProcfunBuffer *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->n_refs))
    return;
  g_bytes_unref (self->memory);
  g_free (self);
}

/**
 * procfun_buffer_get_data: (skip)
 * @self: a #ProcfunBuffer
 * @size: (out) (optional): return location for the size in bytes
 *
 * Gets the memory, to read and to write. It stays in its place as long as the buffer is there.
 *
 * Returns: (transfer none): the memory
 *
 * Since: 0.1
 */
gpointer
procfun_buffer_get_data (ProcfunBuffer *self, gsize *size)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (size != NULL)
    *size = self->size;
  return self->data;
}

/**
 * procfun_buffer_copy_bytes:
 * @self: a #ProcfunBuffer
 *
 * Copies the contents as they are now.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
GBytes *
procfun_buffer_copy_bytes (ProcfunBuffer *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_bytes_new (self->data, self->size);
}
