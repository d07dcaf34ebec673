/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/json-batch.h"

#include "procfun/codecs/json-scalar.h"
#include "procfun/values/schema.h"

struct _JsonBatch
{
  JsonReader reader; /* its output has the elements */
  ProcfunSchema *element;
  GVariantType *type; /* of the array */
  Buffer ends;        /* (element-type gsize): of the elements, where their size varies */
  gsize n;
};

JsonBatch *
wire_json_batch_new (ProcfunSchema *element)
{
  JsonBatch *self = g_new0 (JsonBatch, 1);

  self->element = procfun_schema_ref (element);
  self->type = g_variant_type_new_array (element->type);
  return self;
}

void
wire_json_batch_free (JsonBatch *self)
{
  wire_json_reader_clear (&self->reader);
  wire_buffer_clear (&self->ends);
  g_variant_type_free (self->type);
  procfun_schema_unref (self->element);
  g_free (self);
}

static void
note_end (JsonBatch *self)
{
  if (self->element->fixed_size == 0)
    buffer_append (&self->ends, &self->reader.out.length, sizeof self->reader.out.length);
  self->n++;
}

/* A tuple of one value has the bytes of that value. */
gboolean
wire_json_batch_add (JsonBatch *self, ProcfunSchema *schema, const char *text, gsize length,
                     GError **error)
{
  JsonReader *reader = &self->reader;
  const gsize before = reader->out.length;
  gboolean done;

  if (!wire_json_check_depth (schema, error))
    return FALSE;
  reader->scanner = (JsonScanner){ text, text, text + length, error };
  reader->level = 0;
  buffer_reserve (&reader->out, length + 8);
  done = wire_json_read_text (reader, schema);
  reader->offsets.length = 0;
  if (done)
    note_end (self);
  else
    reader->out.length = before;
  return done;
}

void
wire_json_batch_add_value (JsonBatch *self, GVariant *value)
{
  g_autoptr (GVariant) own = g_variant_ref_sink (value);

  buffer_align (&self->reader.out, self->element->alignment);
  buffer_append (&self->reader.out, g_variant_get_data (own), g_variant_get_size (own));
  note_end (self);
}

gsize
wire_json_batch_get_n (const JsonBatch *self)
{
  return self->n;
}

gsize
wire_json_batch_get_size (const JsonBatch *self)
{
  return self->reader.out.length;
}

GVariant *
wire_json_batch_steal (JsonBatch *self)
{
  g_autoptr (GBytes) bytes = NULL;

  if (self->ends.length > 0)
    wire_serialised_append_offsets (&self->reader.out, 0, (const gsize *)(gpointer)self->ends.data,
                                    self->ends.length / sizeof (gsize), FALSE);
  bytes = wire_buffer_steal (&self->reader.out);
  self->ends.length = 0;
  self->n = 0;
  return g_variant_ref_sink (g_variant_new_from_bytes (self->type, bytes, TRUE));
}
