/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/plain-call.h"

#include "procfun/base/debug.h"
#include "procfun/codecs/json.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/core/failure.h"
#include "procfun/core/function.h"
#include "procfun/procfun-error.h"
#include "procfun/values/schema.h"
#include "procfun/values/type-packed.h"

void
plain_call_clear (PlainCall *self)
{
  wire_buffer_clear (&self->args);
  g_clear_object (&self->call);
  g_clear_pointer (&self->variant, g_variant_unref);
  g_clear_error (&self->error);
}

ProcfunCall *
plain_call_make (PlainCall *self)
{
  self->call = procfun_call_new_packed (self->function, wire_buffer_steal (&self->args));
  procfun_call_begin_late (self->call, self->submitted_at, self->started_at);
  return self->call;
}

gboolean
plain_call_encode (const PlainCall *self, ProcfunCodec *codec, Buffer *out)
{
  ProcfunSchema *schema = self->function->args_schema;
  g_autoptr (GVariant) args = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (codec == procfun_codec_get_json ())
    return wire_json_write_serialised (schema, self->args.data, self->args.length, out, NULL);
  args = g_variant_ref_sink (
      g_variant_new_from_data (procfun_function_get_arguments_type (self->function),
                               self->args.data, self->args.length, TRUE, NULL, NULL));
  bytes = procfun_codec_encode (codec, schema, args, NULL);
  if (bytes != NULL)
    buffer_append (out, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return bytes != NULL;
}

gboolean
plain_call_read_result (PlainCall *self, const guint8 *data, gsize size)
{
  const ProcfunSchema *schema = self->function->return_schema;
  const TypePlain *plain = self->function->plain_result;
  guint8 nothing;

  if (plain != NULL && schema->all_normal)
    return size == plain->size && type_plain_unpack (plain, data, &self->result);
  return type_unpack (&self->definition->result, schema, data, size, NULL,
                      self->definition->result_size > 0 ? self->result : &nothing);
}

static gboolean
read_json (PlainCall *self, const guint8 *data, gsize size)
{
  BufferRoom room;
  g_auto (Buffer) out = BUFFER_IN (room);

  return wire_json_read_serialised (self->function->return_schema, (const char *)data, size, &out,
                                    NULL)
         && plain_call_read_result (self, out.data, out.length);
}

gboolean
plain_call_decode_result (PlainCall *self, ProcfunCodec *codec, const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) value = NULL;

  if (codec == procfun_codec_get_json ())
    return read_json (self, data, size);
  bytes = g_bytes_new_static (data, size);
  value = procfun_codec_decode (codec, self->function->return_schema, bytes, NULL);
  return value != NULL
         && plain_call_read_result (self, g_variant_get_data (value), g_variant_get_size (value));
}

/* An error of the library carries the failure that a call would have. */
void
plain_call_count (PlainCall *self, ProcfunExecutor *executor, gint64 ended_at)
{
  const ProcfunCause cause = g_error_matches (self->error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
                                 ? PROCFUN_CAUSE_CANCELLED
                                 : PROCFUN_CAUSE_ERROR;
  const Ending ending = { .submitted_at = self->submitted_at,
                          .started_at = self->started_at,
                          .ended_at = ended_at,
                          .succeeded = self->error == NULL,
                          .cause = self->error != NULL ? cause : 0 };

  procfun_executor_count (executor, &ending);
  if (self->error != NULL && self->error->domain == PROCFUN_ERROR)
    {
      g_autoptr (ProcfunFailure) failure
          = procfun_failure_new (cause, procfun_function_get_name (self->function));

      failure_attach (failure, self->error);
    }
}

PlainCallStatus
procfun_executor_run_plain (ProcfunExecutor *executor, PlainCall *self)
{
  ProcfunExecutorClass *klass = PROCFUN_EXECUTOR_GET_CLASS (executor);
  PlainCallStatus status;

  if (klass->run_plain == NULL || debug_has (DEBUG_LOGS | DEBUG_MARKS)
      || !procfun_executor_try_enter (executor))
    return PLAIN_CALL_NOT_BEGUN;
  self->submitted_at = g_get_monotonic_time ();
  status = (PlainCallStatus)klass->run_plain (executor, self);
  if (status == PLAIN_CALL_NOT_BEGUN)
    procfun_executor_withdraw (executor);
  else if (status == PLAIN_CALL_MADE)
    {
      procfun_executor_leave (executor, self->call, self->error);
      procfun_call_end (self->call, self->variant, self->error);
    }
  else if (status != PLAIN_CALL_SENT)
    plain_call_count (self, executor, g_get_monotonic_time ());
  return status;
}
