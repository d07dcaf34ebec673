/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/serialised.h"

#include <string.h>

static gsize
align_up (gsize size, gsize alignment)
{
  return (size + alignment - 1) & ~(alignment - 1);
}

static guint
width_for_size (gsize size)
{
  return size <= G_MAXUINT8 ? 1 : size <= G_MAXUINT16 ? 2 : size <= G_MAXUINT32 ? 4 : 8;
}

/* Framing offsets are little-endian everywhere. */
static gsize
read_offset (const guint8 *data, guint width)
{
  guint64 offset = 0;

  for (guint i = 0; i < width; i++)
    offset |= (guint64)data[i] << (8 * i);
  return offset;
}

guint
wire_serialised_offset_width (gsize contents, gsize n_offsets)
{
  for (guint width = 1; width < 8; width *= 2)
    if (width_for_size (contents + n_offsets * width) <= width)
      return width;
  return 8;
}

void
wire_serialised_append_offsets (Buffer *out, gsize start, const gsize *offsets, gsize n,
                                gboolean in_reverse)
{
  const guint width = wire_serialised_offset_width (out->length - start, n);
  guint8 *room = buffer_reserve (out, n * width);

  for (gsize i = 0; i < n; i++)
    {
      guint64 offset = in_reverse ? offsets[n - 1 - i] : offsets[i];

      for (guint byte = 0; byte < width; byte++, offset >>= 8)
        *room++ = (guint8)offset;
    }
  out->length += n * width;
}

static gboolean
is_zero (const guint8 *data, gsize start, gsize end)
{
  for (gsize i = start; i < end; i++)
    if (data[i] != 0)
      return FALSE;
  return TRUE;
}

static gboolean
init_array (SerialisedIter *self)
{
  const gsize element_size = self->schema->children[0]->fixed_size;

  if (element_size != 0)
    {
      self->n_children = self->size / element_size;
      return self->size % element_size == 0;
    }
  if (self->size == 0)
    return TRUE;

  self->width = width_for_size (self->size);
  self->table = read_offset (self->data + self->size - self->width, self->width);
  if (self->table >= self->size || (self->size - self->table) % self->width != 0)
    return FALSE;

  self->offset = self->table;
  self->n_children = (self->size - self->table) / self->width;
  return wire_serialised_offset_width (self->table, self->n_children) == self->width;
}

static gboolean
init_members (SerialisedIter *self)
{
  const ProcfunSchema *schema = self->schema;

  self->n_children = schema->n_children;
  if (schema->fixed_size != 0)
    return self->size == schema->fixed_size;
  /* An offset of no bytes is zero: GLib accepts that as normal if no member has bytes. */
  if (schema->n_offsets == 0 || self->size == 0)
    return TRUE;

  self->width = width_for_size (self->size);
  if (self->size / self->width < schema->n_offsets)
    return FALSE;
  self->table = self->size - (gsize)schema->n_offsets * self->width;
  self->offset = self->size;
  return wire_serialised_offset_width (self->table, schema->n_offsets) == self->width;
}

gboolean
wire_serialised_iter_init (SerialisedIter *self, const ProcfunSchema *schema, const guint8 *data,
                           gsize size)
{
  *self = (SerialisedIter){ .schema = schema, .data = data, .size = size, .table = size };

  return schema->type_class == G_VARIANT_CLASS_ARRAY ? init_array (self) : init_members (self);
}

gboolean
wire_serialised_iter_next (SerialisedIter *self, const guint8 **data, gsize *size)
{
  const gboolean array = self->schema->type_class == G_VARIANT_CLASS_ARRAY;
  const ProcfunSchema *child = self->schema->children[array ? 0 : self->index];
  const gsize start = align_up (self->position, child->alignment);
  gsize end;

  self->index++;
  if (child->fixed_size != 0)
    end = start + child->fixed_size;
  else if (array)
    {
      end = read_offset (self->data + self->offset, self->width);
      self->offset += self->width;
    }
  else if (self->index < self->n_children)
    {
      /* those of a tuple stand in reverse order */
      self->offset -= self->width;
      end = read_offset (self->data + self->offset, self->width);
    }
  else
    end = self->table;

  if (end < start || end > self->table || !is_zero (self->data, self->position, start))
    return FALSE;

  *data = self->data + start;
  *size = end - start;
  self->position = end;
  return TRUE;
}

gboolean
wire_serialised_iter_end (const SerialisedIter *self)
{
  /* A tuple of a fixed size is padded, and an empty one is a byte long. */
  if (self->schema->type_class != G_VARIANT_CLASS_ARRAY && self->schema->fixed_size != 0)
    return is_zero (self->data, self->position, self->size);
  return self->position == self->table;
}

gboolean
wire_serialised_split_variant (const guint8 *data, gsize size, const char **type,
                               gsize *type_length, gsize *value_size)
{
  const guint8 *nul = size > 0 ? memrchr (data, 0, size) : NULL;

  if (nul == NULL)
    return FALSE;
  *type = (const char *)nul + 1;
  *type_length = size - (gsize)(nul + 1 - data);
  *value_size = (gsize)(nul - data);
  return TRUE;
}

static gboolean
is_normal_string (char type_class, const guint8 *data, gsize size)
{
  const char *text = (const char *)data;

  if (size == 0 || data[size - 1] != 0)
    return FALSE;
  switch (type_class)
    {
    case G_VARIANT_CLASS_OBJECT_PATH:
      return strlen (text) == size - 1 && g_variant_is_object_path (text);
    case G_VARIANT_CLASS_SIGNATURE:
      return strlen (text) == size - 1 && g_variant_is_signature (text);
    default:
      return g_utf8_validate_len (text, size - 1, NULL);
    }
}

/* @level counts the containers around the value. The depth is checked at variants only: all other
 * levels are those of the type. */
static gboolean
is_normal (const ProcfunSchema *schema, const guint8 *data, gsize size, guint level,
           SchemaCache *schemas)
{
  g_autoptr (ProcfunSchema) inner = NULL;
  SerialisedIter iter;
  const char *type;
  gsize type_length;

  if (schema->fixed_size != 0 && size != schema->fixed_size)
    return FALSE;
  if (schema->all_normal)
    return schema->fixed_size != 0 || size % schema->children[0]->fixed_size == 0;

  switch (schema->type_class)
    {
    case G_VARIANT_CLASS_BOOLEAN:
      return data[0] <= 1;

    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
      return is_normal_string (schema->type_class, data, size);

    case G_VARIANT_CLASS_VARIANT:
      if (!wire_serialised_split_variant (data, size, &type, &type_length, &size))
        return FALSE;
      inner = wire_schema_cache_get (schemas, type, type_length);
      return inner != NULL && level + 1 + inner->depth <= PROCFUN_SCHEMA_MAX_DEPTH
             && is_normal (inner, data, size, level + 1, schemas);

    case G_VARIANT_CLASS_MAYBE:
      if (size == 0)
        return TRUE;
      if (schema->children[0]->fixed_size == 0 && data[--size] != 0)
        return FALSE;
      return is_normal (schema->children[0], data, size, level + 1, schemas);

    default:
      if (!wire_serialised_iter_init (&iter, schema, data, size))
        return FALSE;
      while (iter.index < iter.n_children)
        {
          gboolean array = schema->type_class == G_VARIANT_CLASS_ARRAY;
          const ProcfunSchema *child = schema->children[array ? 0 : iter.index];

          if (!wire_serialised_iter_next (&iter, &data, &size)
              || !is_normal (child, data, size, level + 1, schemas))
            return FALSE;
        }
      return wire_serialised_iter_end (&iter);
    }
}

gboolean
wire_serialised_is_normal (const ProcfunSchema *schema, const guint8 *data, gsize size)
{
  static const guint8 nothing[1] = { 0 };
  g_auto (SchemaCache) schemas = { 0 };

  if (schema->depth > PROCFUN_SCHEMA_MAX_DEPTH)
    return FALSE;
  return is_normal (schema, size > 0 ? data : nothing, size, 0, &schemas);
}

/* A bound on the schemas that a hostile sender can make us keep. */
#define SCHEMA_CACHE_MAX 256

static gboolean
schema_is (const ProcfunSchema *schema, const char *type, gsize length)
{
  return g_variant_type_get_string_length (schema->type) == length
         && memcmp (schema->type, type, length) == 0;
}

ProcfunSchema *
wire_schema_cache_get (SchemaCache *self, const char *type, gsize length)
{
  const char *end;
  ProcfunSchema *schema;

  if (length == 1)
    return procfun_schema_find_leaf (*type);
  if (self->last != NULL && schema_is (self->last, type, length))
    return procfun_schema_ref (self->last);
  if (length == 0 || !g_variant_type_string_scan (type, type + length, &end) || end != type + length
      || !g_variant_type_is_definite ((const GVariantType *)type))
    return NULL;

  if (self->schemas == NULL)
    self->schemas = g_hash_table_new_full (g_variant_type_hash, g_variant_type_equal, NULL,
                                           (GDestroyNotify)procfun_schema_unref);
  schema = g_hash_table_lookup (self->schemas, type);
  if (schema == NULL)
    {
      if (g_hash_table_size (self->schemas) >= SCHEMA_CACHE_MAX)
        g_hash_table_remove_all (self->schemas);
      schema = procfun_schema_new ((const GVariantType *)type);
      g_hash_table_insert (self->schemas, (gpointer)schema->type, schema);
    }
  g_clear_pointer (&self->last, procfun_schema_unref);
  self->last = procfun_schema_ref (schema);
  return procfun_schema_ref (schema);
}

void
wire_schema_cache_clear (SchemaCache *self)
{
  g_clear_pointer (&self->last, procfun_schema_unref);
  g_clear_pointer (&self->schemas, g_hash_table_unref);
}
