/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/child/packed-call.h"

#include "procfun/child/answer.h"
#include "procfun/codecs/json.h"
#include "procfun/core/function.h"

/* (nullable) */
static PackedInvocation *
get_packed (Server *self)
{
  if (self->packed_of != self->function)
    {
      g_clear_pointer (&self->packed, packed_invocation_free);
      self->packed = packed_invocation_new (self->function);
      self->packed_of = self->function;
    }
  return self->packed;
}

static gboolean
prepare_json (Server *self, const char *text, gsize length)
{
  g_auto (Buffer) args = { 0 };
  g_autoptr (GBytes) bytes = NULL;

  if (!wire_json_read_serialised (procfun_function_get_arguments_schema (self->function), text,
                                  length, &args, NULL))
    return FALSE;
  bytes = wire_buffer_steal (&args);
  return packed_invocation_prepare (self->packed, g_bytes_get_data (bytes, NULL),
                                    g_bytes_get_size (bytes), bytes);
}

gboolean
packed_call_prepare (Server *self, const Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->payload, &size);

  if (frame->fds != NULL || frame->parts != NULL || self->options.arguments != NULL
      || get_packed (self) == NULL)
    return FALSE;
  data += sizeof (FrameCall);
  size -= sizeof (FrameCall);
  if (self->codec == procfun_codec_get_json ())
    return prepare_json (self, (const char *)data, size);
  return self->codec == procfun_codec_get_gvariant ()
         && packed_invocation_prepare (self->packed, data, size, frame->payload);
}

/* *@value: what cannot be written, which is told by trying it once more. */
static GBytes *
write_json (Server *self, Buffer *result, GVariant **value, GError **error)
{
  ProcfunSchema *schema = procfun_function_get_return_schema (self->function);
  g_auto (Buffer) text = { 0 };
  g_autoptr (GBytes) bytes = NULL;

  if (wire_json_write_serialised (schema, result->data, result->length, &text, NULL))
    return server_check_size (self, text.length, error) ? wire_buffer_steal (&text) : NULL;
  bytes = wire_buffer_steal (result);
  *value = g_variant_ref_sink (
      g_variant_new_from_bytes (procfun_function_get_return_type (self->function), bytes, TRUE));
  return NULL;
}

GBytes *
packed_call_run (Server *self, GVariant **value, GError **error)
{
  g_auto (Buffer) result = { 0 };

  if (!packed_invocation_run (self->packed, &result, value, error) || *value != NULL)
    return NULL;
  if (self->codec == procfun_codec_get_json ())
    return write_json (self, &result, value, error);
  return server_check_size (self, result.length, error) ? wire_buffer_steal (&result) : NULL;
}
