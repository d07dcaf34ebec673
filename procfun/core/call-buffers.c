/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/call-buffers.h"

#include "procfun/base/intl.h"
#include "procfun/core/function.h"
#include "procfun/platform/pages.h"
#include "procfun/procfun-error.h"
#include "procfun/values/buffer.h"

gsize
call_buffers_get_size (ProcfunFunction *function, GVariant *args)
{
  const ProcfunDefinition *definition
      = function->n_buffers > 0 ? g_atomic_pointer_get (&function->definition) : NULL;
  gsize size = 0;

  for (guint i = 0; args != NULL && definition != NULL && i < definition->n_args; i++)
    if (definition->args[i].kind == PROCFUN_KIND_BUFFER)
      {
        g_autoptr (GVariant) contents = g_variant_get_child_value (args, i);

        size += g_variant_get_size (contents);
      }
  return size;
}

/* Arguments that are packed are not unpacked for this: there is no buffer among them. */
gsize
call_get_buffers_size (ProcfunCall *self)
{
  return self->function->n_buffers > 0
             ? call_buffers_get_size (self->function, procfun_call_get_arguments (self))
             : 0;
}

void
call_keep_buffers (ProcfunCall *self, const ProcfunMember *args, gsize n_args,
                   gconstpointer const *values)
{
  self->buffers = g_ptr_array_new_with_free_func ((GDestroyNotify)procfun_buffer_unref);
  for (gsize i = 0; i < n_args; i++)
    if (args[i].kind == PROCFUN_KIND_BUFFER)
      g_ptr_array_add (self->buffers, procfun_buffer_ref (*(ProcfunBuffer *const *)values[i]));
}

/* Contents that have come apart from the result */

/* Of `contents` of all calls, and of results that are without them. */
static GMutex lock;

static guint
get_first (ProcfunCall *self)
{
  return (guint)g_variant_type_n_items (procfun_function_get_return_type (self->function))
         - self->function->n_buffers;
}

gboolean
call_keep_contents (ProcfunCall *self, const Part *part)
{
  const guint first = self->buffers != NULL ? get_first (self) : 0;

  if (self->buffers == NULL || part->depth != 1 || part->indices[0] < first
      || part->indices[0] - first >= self->buffers->len)
    return FALSE;
  g_mutex_lock (&lock);
  if (self->contents == NULL)
    {
      self->contents = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
      g_ptr_array_set_size (self->contents, (gint)self->buffers->len);
    }
  g_bytes_unref (self->contents->pdata[part->indices[0] - first]);
  self->contents->pdata[part->indices[0] - first] = g_bytes_ref (part->bytes);
  g_mutex_unlock (&lock);
  return TRUE;
}

void
call_drop_contents (ProcfunCall *self)
{
  g_mutex_lock (&lock);
  g_clear_pointer (&self->contents, g_ptr_array_unref);
  g_mutex_unlock (&lock);
}

/* (transfer full) (nullable): there is no memory for a copy. */
static GBytes *
settle (ProcfunCall *self, guint index, gboolean is_written)
{
  gsize size;
  gconstpointer data;

  if (is_written)
    return buffer_share_bytes (self->buffers->pdata[index]);
  data = g_bytes_get_data (self->contents->pdata[index], &size);
  return pages_copy (data, size);
}

/* With the lock held. FALSE: there is no memory for it. */
static gboolean
complete (ProcfunCall *self, gboolean is_written)
{
  g_autoptr (GArray) parts = parts_new ();
  GVariant *whole;

  for (guint i = 0; i < self->contents->len; i++)
    {
      Part part = { .depth = 1, .indices = { get_first (self) + i } };

      if (self->contents->pdata[i] == NULL)
        continue;
      part.bytes = settle (self, i, is_written);
      if (part.bytes == NULL)
        return FALSE;
      g_array_append_val (parts, part);
    }
  whole = parts_put_back (self->result, parts);
  g_variant_unref (self->result);
  self->result = whole;
  g_clear_pointer (&self->contents, g_ptr_array_unref);
  return TRUE;
}

GVariant *
call_complete_result (ProcfunCall *self)
{
  GVariant *result;

  if (self->function->n_buffers == 0)
    return self->result;
  g_mutex_lock (&lock);
  result = self->contents == NULL || complete (self, FALSE) ? self->result : NULL;
  g_mutex_unlock (&lock);
  return result;
}

GVariant *
call_give_result (ProcfunCall *self, GVariant *result, GError **error)
{
  GVariant *whole;

  if (result == NULL || self->function->n_buffers == 0)
    return result;
  g_variant_unref (result);
  whole = call_complete_result (self);
  if (whole != NULL)
    return g_variant_ref (whole);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
               _ ("there is no memory for the result of %s()"),
               procfun_function_get_name (self->function));
  return NULL;
}

/* With the lock held. (transfer full) */
static GBytes *
get_contents (ProcfunCall *self, guint index)
{
  g_autoptr (GVariant) child = NULL;

  if (self->contents != NULL && self->contents->pdata[index] != NULL)
    return g_bytes_ref (self->contents->pdata[index]);
  child = g_variant_get_child_value (self->result, get_first (self) + index);
  return g_variant_get_data_as_bytes (child);
}

/* With the lock held. FALSE: some have another size. */
static gboolean
check (ProcfunCall *self, GError **error)
{
  for (guint i = 0; i < self->buffers->len; i++)
    {
      g_autoptr (GBytes) contents = get_contents (self, i);
      const gsize size = buffer_get_size (self->buffers->pdata[i]);

      if (g_bytes_get_size (contents) != size)
        {
          g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE,
                       _ ("%s() wrote %zu bytes to a buffer of %zu"),
                       procfun_function_get_name (self->function), g_bytes_get_size (contents),
                       size);
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
call_check_buffers (ProcfunCall *self, GError **error)
{
  gboolean ok;

  if (self->buffers == NULL)
    return TRUE;
  g_mutex_lock (&lock);
  ok = check (self, error);
  g_mutex_unlock (&lock);
  return ok;
}

void
call_write_buffers (ProcfunCall *self)
{
  if (self->buffers == NULL)
    return;
  g_mutex_lock (&lock);
  for (guint i = 0; i < self->buffers->len; i++)
    {
      g_autoptr (GBytes) contents = get_contents (self, i);

      buffer_write (self->buffers->pdata[i], g_bytes_get_data (contents, NULL));
    }
  if (self->contents != NULL)
    complete (self, TRUE);
  g_mutex_unlock (&lock);
  g_clear_pointer (&self->buffers, g_ptr_array_unref);
}
