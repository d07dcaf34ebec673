/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/call-streams.h"

#include "procfun/base/intl.h"
#include "procfun/core/function.h"
#include "procfun/core/stream-pump.h"
#include "procfun/procfun-error.h"
#include <gio/gfiledescriptorbased.h>

static gboolean
needs_pump (const ProcfunMember *arg, gconstpointer value)
{
  GInputStream *stream
      = arg->kind == PROCFUN_KIND_INPUT_STREAM ? *(GInputStream *const *)value : NULL;

  return stream != NULL && !G_IS_FILE_DESCRIPTOR_BASED (stream);
}

gboolean
piped_values_init (PipedValues *self, const ProcfunMember *args, gsize n_args,
                   gconstpointer const *values, GError **error)
{
  *self
      = (PipedValues){ .pumps = g_ptr_array_new_with_free_func ((GDestroyNotify)stream_pump_end) };
  for (gsize i = 0; i < n_args; i++)
    {
      StreamPump *pump;

      self->values[i] = values[i];
      if (!needs_pump (&args[i], values[i]))
        continue;
      pump = stream_pump_new (*(GInputStream *const *)values[i], &self->streams[i], error);
      if (pump == NULL)
        {
          g_prefix_error (error, "/%s: ", args[i].name);
          return FALSE;
        }
      g_ptr_array_add (self->pumps, pump);
      self->values[i] = &self->streams[i];
    }
  return TRUE;
}

void
piped_values_clear (PipedValues *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (self->streams); i++)
    g_clear_object (&self->streams[i]);
  g_clear_pointer (&self->pumps, g_ptr_array_unref);
}

void
call_take_pumps (ProcfunCall *self, PipedValues *values)
{
  if (values->pumps->len > 0)
    self->pumps = g_steal_pointer (&values->pumps);
}

void
call_start_pumps (ProcfunCall *self)
{
  for (guint i = 0; i < self->pumps->len; i++)
    stream_pump_start (self->pumps->pdata[i], self->canceller);
}

/* Without the other end of its pipe, a pump has nobody to write to. */
void
call_end_pumps (ProcfunCall *self)
{
  g_clear_object (&self->fd_list);
  g_clear_pointer (&self->pumps, g_ptr_array_unref);
}

void
call_cut_pumps_at_failure (ProcfunCall *self)
{
  for (guint i = 0; self->pumps != NULL && i < self->pumps->len; i++)
    stream_pump_cut_at_failure (self->pumps->pdata[i]);
}

static void
replace_error (ProcfunCall *self, GError *reason, GError **error)
{
  g_clear_error (error);
  procfun_call_take_failure (self, NULL);
  g_propagate_prefixed_error (error, reason, _ ("a stream that %s() reads failed: "),
                              procfun_function_get_name (self->function));
}

GVariant *
call_check_pumps (ProcfunCall *self, GVariant *result, GError **error)
{
  const gboolean is_cancelled = g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  for (guint i = 0; self->pumps != NULL && i < self->pumps->len; i++)
    {
      StreamPump *pump = self->pumps->pdata[i];
      GError *reason
          = is_cancelled || stream_pump_was_cut (pump) ? stream_pump_get_error (pump) : NULL;

      if (reason == NULL)
        continue;
      g_clear_pointer (&result, g_variant_unref);
      replace_error (self, reason, error);
      break;
    }
  return result;
}
