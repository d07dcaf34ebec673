/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/call-chunk.h"

#include "procfun/core/call.h"

static void
clear_error (gpointer error)
{
  g_clear_error (&((ChunkError *)error)->error);
}

GArray *
chunk_errors_new (void)
{
  GArray *errors = g_array_new (FALSE, FALSE, sizeof (ChunkError));

  g_array_set_clear_func (errors, clear_error);
  return errors;
}

void
chunk_errors_add (GArray *errors, gsize at, GError *error)
{
  const ChunkError added = { at, error };

  g_array_append_val (errors, added);
}

CallChunk *
call_chunk_new (GVariant *args, gsize n)
{
  CallChunk *self = g_new0 (CallChunk, 1);

  self->args = g_variant_ref (args);
  self->n = n;
  self->cost = -1;
  self->errors = chunk_errors_new ();
  return self;
}

void
call_chunk_free (CallChunk *self)
{
  g_variant_unref (self->args);
  g_clear_pointer (&self->results, g_variant_unref);
  g_array_unref (self->errors);
  g_free (self);
}

void
call_chunk_cancel_element (CallChunk *self, gsize at)
{
  if (self->cancel_element != NULL)
    self->cancel_element (self->user_data, at);
}

void
procfun_call_take_chunk (ProcfunCall *call, CallChunk *chunk)
{
  call->chunk = chunk;
}

CallChunk *
procfun_call_get_chunk (ProcfunCall *call)
{
  return call->chunk;
}
