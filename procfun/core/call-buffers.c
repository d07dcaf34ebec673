/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/call-buffers.h"

#include "procfun/base/intl.h"
#include "procfun/core/function.h"
#include "procfun/procfun-error.h"
#include "procfun/values/buffer.h"

gsize
call_buffers_get_size (ProcfunFunction *function, GVariant *args)
{
  const ProcfunDefinition *definition = function->n_buffers > 0 ? function->definition : NULL;
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

/* (transfer full) */
static GVariant *
get_contents (ProcfunCall *self, GVariant *result, guint index)
{
  const gsize first = g_variant_n_children (result) - self->buffers->len;

  return g_variant_get_child_value (result, first + index);
}

gboolean
call_check_buffers (ProcfunCall *self, GVariant *result, GError **error)
{
  for (guint i = 0; self->buffers != NULL && i < self->buffers->len; i++)
    {
      g_autoptr (GVariant) contents = get_contents (self, result, i);
      const gsize size = buffer_get_size (self->buffers->pdata[i]);

      if (g_variant_get_size (contents) != size)
        {
          g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE,
                       _ ("%s() wrote %zu bytes to a buffer of %zu"),
                       procfun_function_get_name (self->function), g_variant_get_size (contents),
                       size);
          return FALSE;
        }
    }
  return TRUE;
}

void
call_write_buffers (ProcfunCall *self, GVariant *result)
{
  for (guint i = 0; self->buffers != NULL && i < self->buffers->len; i++)
    {
      g_autoptr (GVariant) contents = get_contents (self, result, i);

      buffer_write (self->buffers->pdata[i], g_variant_get_data (contents));
    }
  g_clear_pointer (&self->buffers, g_ptr_array_unref);
}
