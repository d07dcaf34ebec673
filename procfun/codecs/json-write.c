/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/intl.h"
#include "procfun/codecs/base64.h"
#include "procfun/codecs/gvariant.h"
#include "procfun/codecs/json-keys.h"
#include "procfun/codecs/json-path.h"
#include "procfun/codecs/json-text.h"
#include "procfun/codecs/json.h"
#include "procfun/procfun-error.h"
#include "procfun/values/byte-buffer.h"
#include "procfun/values/serialised.h"

/* Walks over the serialised form, in which nothing has to be allocated, locked or counted. */
typedef struct
{
  Buffer out;
  SchemaCache schemas;
  guint level; /* containers around the value */
  GError **error;
} JsonWriter;

static gboolean write_value (JsonWriter *self, const ProcfunSchema *schema, const guint8 *data,
                             gsize size, const JsonPlace *place);

#define LOAD(type, data)                                                                           \
  ({                                                                                               \
    type loaded;                                                                                   \
    memcpy (&loaded, (data), sizeof loaded);                                                       \
    loaded;                                                                                        \
  })

/* An integer of any type: whether it is negative, and without its sign. */
static inline guint64
load_integer (char type_class, const guint8 *data, gboolean *negative)
{
  gint64 value;

  switch (type_class)
    {
    case G_VARIANT_CLASS_BYTE:
      value = *data;
      break;
    case G_VARIANT_CLASS_INT16:
      value = LOAD (gint16, data);
      break;
    case G_VARIANT_CLASS_UINT16:
      value = LOAD (guint16, data);
      break;
    case G_VARIANT_CLASS_UINT32:
      value = LOAD (guint32, data);
      break;
    case G_VARIANT_CLASS_UINT64:
      *negative = FALSE;
      return LOAD (guint64, data);
    case G_VARIANT_CLASS_INT64:
      value = LOAD (gint64, data);
      break;
    default:
      value = LOAD (gint32, data);
      break;
    }
  *negative = value < 0;
  return value < 0 ? -(guint64)value : (guint64)value;
}

static void
write_integer (Buffer *out, char type_class, const guint8 *data)
{
  char *text = (char *)buffer_reserve (out, NUMBER_MAX_LENGTH);
  gboolean negative;
  guint64 magnitude = load_integer (type_class, data, &negative);

  out->length += (gsize)(json_put_integer (text, magnitude, negative) - text);
}

/* Many, with a comma after each. */
static void
write_integers (Buffer *out, const ProcfunSchema *schema, const guint8 *data, gsize size)
{
  const gsize step = schema->fixed_size;
  const guint8 *end = data + size;

  while (data < end)
    {
      const guint8 *pause = (gsize)(end - data) > 64 * step ? data + 64 * step : end;
      char *start = (char *)buffer_reserve (out, 64 * (NUMBER_MAX_LENGTH + 1));
      char *text = start;

      for (; data < pause; data += step)
        {
          gboolean negative;
          guint64 magnitude = load_integer (schema->type_class, data, &negative);

          text = json_put_integer (text, magnitude, negative);
          *text++ = ',';
        }
      out->length += (gsize)(text - start);
    }
}

static gboolean
write_handle (JsonWriter *self, const guint8 *data, const JsonPlace *place)
{
  const gint32 handle = LOAD (gint32, data);

  if (handle < 0)
    return wire_json_set_error (self->error, PROCFUN_ERROR_ENCODE, place,
                                _ ("a handle can't be %d"), handle);
  write_integer (&self->out, G_VARIANT_CLASS_HANDLE, data);
  return TRUE;
}

static void
write_enum (Buffer *out, const ProcfunSchema *schema, const guint8 *data)
{
  const gint32 value = LOAD (gint32, data);

  for (guint i = 0; i < schema->n_nicks; i++)
    if (schema->values[i] == value)
      {
        wire_json_append_text (out, schema->names[i], strlen (schema->names[i]));
        return;
      }
  write_integer (out, G_VARIANT_CLASS_INT32, data);
}

static void
write_base64 (Buffer *out, const guint8 *data, gsize size)
{
  const gsize length = (size + 2) / 3 * 4;
  char *room = (char *)buffer_reserve (out, length + 2);

  room[0] = '"';
  wire_base64_encode (room + 1, data, size);
  room[length + 1] = '"';
  out->length += length + 2;
}

/* Cannot happen in normal form, which was checked; yet nothing outside @data is read. */
static gboolean
not_normal (JsonWriter *self, const JsonPlace *place)
{
  return wire_json_set_error (self->error, PROCFUN_ERROR_ENCODE, place,
                              _ ("not in GVariant's normal form"));
}

static gboolean
is_plain_integer (const ProcfunSchema *schema)
{
  return schema->kind == PROCFUN_SCHEMA_PLAIN && strchr ("ynqiuxt", schema->type_class) != NULL;
}

static gboolean
write_fixed_elements (JsonWriter *self, const ProcfunSchema *element, const guint8 *data,
                      gsize size, const JsonPlace *place)
{
  Buffer *out = &self->out;
  const guint8 *end = data + size;
  JsonPlace inside = { .parent = place };

  buffer_append_byte (out, '[');
  if (is_plain_integer (element))
    write_integers (out, element, data, size);
  else
    for (; data < end; data += element->fixed_size, inside.number++)
      {
        if (!write_value (self, element, data, element->fixed_size, &inside))
          return FALSE;
        buffer_append_byte (out, ',');
      }

  if (out->data[out->length - 1] == ',')
    out->length--;
  buffer_append_byte (out, ']');
  return TRUE;
}

static gboolean
write_elements (JsonWriter *self, const ProcfunSchema *schema, const guint8 *data, gsize size,
                const JsonPlace *place)
{
  const ProcfunSchema *element = schema->children[0];
  JsonPlace inside = { .parent = place };
  SerialisedIter iter;

  if (!wire_serialised_iter_init (&iter, schema, data, size))
    return not_normal (self, place);
  if (element->fixed_size != 0)
    return write_fixed_elements (self, element, data, size, place);

  buffer_append_byte (&self->out, '[');
  for (; iter.index < iter.n_children; inside.number++)
    {
      if (iter.index > 0)
        buffer_append_byte (&self->out, ',');
      if (!wire_serialised_iter_next (&iter, &data, &size))
        return not_normal (self, &inside);
      if (!write_value (self, element, data, size, &inside))
        return FALSE;
    }
  buffer_append_byte (&self->out, ']');
  return TRUE;
}

/* Fields of a struct are written by name; other tuples, and pairs, in order. */
static gboolean
write_members (JsonWriter *self, const ProcfunSchema *schema, const guint8 *data, gsize size,
               const JsonPlace *place)
{
  const gboolean named = schema->kind == PROCFUN_SCHEMA_STRUCT;
  SerialisedIter iter;

  if (!wire_serialised_iter_init (&iter, schema, data, size))
    return not_normal (self, place);

  buffer_append_byte (&self->out, named ? '{' : '[');
  while (iter.index < iter.n_children)
    {
      const gsize index = iter.index;
      const char *name = schema->names != NULL ? schema->names[index] : NULL;
      JsonPlace inside = { place, name, name != NULL ? JSON_PLACE_WHOLE : index };

      if (index > 0)
        buffer_append_byte (&self->out, ',');
      if (named)
        {
          g_assert (name != NULL);
          wire_json_append_text (&self->out, name, strlen (name));
          buffer_append_byte (&self->out, ':');
        }
      if (!wire_serialised_iter_next (&iter, &data, &size))
        return not_normal (self, &inside);
      if (!write_value (self, schema->children[index], data, size, &inside))
        return FALSE;
    }
  buffer_append_byte (&self->out, named ? '}' : ']');
  return TRUE;
}

static gboolean
has_duplicates (const SerialisedIter *entries)
{
  SerialisedIter iter = *entries;
  JsonKey few[16];
  g_autofree JsonKey *many
      = iter.n_children > G_N_ELEMENTS (few) ? g_new (JsonKey, iter.n_children) : NULL;
  JsonKey *keys = many != NULL ? many : few;

  for (gsize i = 0; i < iter.n_children; i++)
    {
      if (!wire_serialised_iter_next (&iter, &keys[i].data, &keys[i].size))
        return TRUE;
      keys[i].size = strnlen ((const char *)keys[i].data, keys[i].size);
    }
  return wire_json_find_duplicate (keys, iter.n_children) != NULL;
}

static gboolean
write_entry (JsonWriter *self, const ProcfunSchema *schema, const guint8 *data, gsize size,
             const JsonPlace *place)
{
  JsonPlace inside;
  SerialisedIter iter;
  const guint8 *child;
  gsize child_size;

  if (!wire_serialised_iter_init (&iter, schema, data, size)
      || !wire_serialised_iter_next (&iter, &child, &child_size) || child_size == 0)
    return not_normal (self, place);

  inside = (JsonPlace){ place, (const char *)child, child_size - 1 };
  wire_json_append_text (&self->out, inside.name, inside.number);
  buffer_append_byte (&self->out, ':');
  if (!wire_serialised_iter_next (&iter, &child, &child_size))
    return not_normal (self, &inside);
  return write_value (self, schema->children[1], child, child_size, &inside);
}

static gboolean
write_dictionary (JsonWriter *self, const ProcfunSchema *schema, const guint8 *data, gsize size,
                  const JsonPlace *place)
{
  const ProcfunSchema *entry = schema->children[0];
  SerialisedIter iter;

  /* Of basic types, just strings, object paths and signatures vary in size. */
  if (entry->children[0]->fixed_size != 0)
    return write_elements (self, schema, data, size, place);
  if (!wire_serialised_iter_init (&iter, schema, data, size))
    return not_normal (self, place);
  if (has_duplicates (&iter))
    return write_elements (self, schema, data, size, place);

  self->level++;
  buffer_append_byte (&self->out, '{');
  while (iter.index < iter.n_children)
    {
      if (iter.index > 0)
        buffer_append_byte (&self->out, ',');
      if (!wire_serialised_iter_next (&iter, &data, &size))
        return not_normal (self, place);
      if (!write_entry (self, entry, data, size, place))
        return FALSE;
    }
  buffer_append_byte (&self->out, '}');
  self->level--;
  return TRUE;
}

static gboolean
write_array (JsonWriter *self, const ProcfunSchema *schema, const guint8 *data, gsize size,
             const JsonPlace *place)
{
  switch (schema->children[0]->type_class)
    {
    case G_VARIANT_CLASS_BYTE:
      write_base64 (&self->out, data, size);
      return TRUE;
    case G_VARIANT_CLASS_DICT_ENTRY:
      return write_dictionary (self, schema, data, size, place);
    default:
      return write_elements (self, schema, data, size, place);
    }
}

/* @nested: directly within another maybe. */
static gboolean
write_maybe (JsonWriter *self, const ProcfunSchema *schema, const guint8 *data, gsize size,
             gboolean nested, const JsonPlace *place)
{
  const ProcfunSchema *child = schema->children[0];
  const JsonPlace within = { .parent = place };
  const JsonPlace *inside = nested ? &within : place;
  gboolean done = TRUE;

  if (nested)
    buffer_append_byte (&self->out, '[');

  if (size == 0)
    {
      if (!nested)
        JSON_LITERAL (&self->out, "null");
    }
  else
    {
      /* a byte marks the presence of a value, which may itself have no bytes */
      gsize value_size = child->fixed_size != 0 ? size : size - 1;

      if (child->type_class == G_VARIANT_CLASS_MAYBE)
        {
          self->level++;
          done = write_maybe (self, child, data, value_size, TRUE, inside);
          self->level--;
        }
      else
        done = write_value (self, child, data, value_size, inside);
    }

  if (nested)
    buffer_append_byte (&self->out, ']');
  return done;
}

static gboolean
write_variant (JsonWriter *self, const guint8 *data, gsize size, const JsonPlace *place)
{
  g_autoptr (ProcfunSchema) inner = NULL;
  const JsonPlace inside = json_place_name (place, "value");
  const char *type;
  gsize type_length, value_size;

  if (!wire_serialised_split_variant (data, size, &type, &type_length, &value_size))
    return not_normal (self, place);
  inner = wire_schema_cache_get (&self->schemas, type, type_length);
  if (inner == NULL)
    return not_normal (self, place);
  if (self->level + inner->depth > PROCFUN_SCHEMA_MAX_DEPTH)
    return wire_json_set_error (self->error, PROCFUN_ERROR_ENCODE, place, _ ("more than %d levels"),
                                PROCFUN_SCHEMA_MAX_DEPTH);

  JSON_LITERAL (&self->out, "{\"type\":\"");
  buffer_append (&self->out, type, type_length);
  JSON_LITERAL (&self->out, "\",\"value\":");
  if (!write_value (self, inner, data, value_size, &inside))
    return FALSE;
  buffer_append_byte (&self->out, '}');
  return TRUE;
}

static gboolean
write_container (JsonWriter *self, const ProcfunSchema *schema, const guint8 *data, gsize size,
                 const JsonPlace *place)
{
  switch (schema->type_class)
    {
    case G_VARIANT_CLASS_ARRAY:
      return write_array (self, schema, data, size, place);
    case G_VARIANT_CLASS_MAYBE:
      return write_maybe (self, schema, data, size, FALSE, place);
    case G_VARIANT_CLASS_VARIANT:
      return write_variant (self, data, size, place);
    default:
      return write_members (self, schema, data, size, place);
    }
}

static gboolean
write_value (JsonWriter *self, const ProcfunSchema *schema, const guint8 *data, gsize size,
             const JsonPlace *place)
{
  Buffer *out = &self->out;
  gboolean done;

  if (schema->fixed_size != 0 && size != schema->fixed_size)
    return not_normal (self, place);

  switch (schema->type_class)
    {
    case G_VARIANT_CLASS_BOOLEAN:
      buffer_append (out, *data != 0 ? "true" : "false", *data != 0 ? 4 : 5);
      return TRUE;
    case G_VARIANT_CLASS_INT32:
      if (schema->kind == PROCFUN_SCHEMA_ENUM)
        write_enum (out, schema, data);
      else
        write_integer (out, G_VARIANT_CLASS_INT32, data);
      return TRUE;
    case G_VARIANT_CLASS_BYTE:
    case G_VARIANT_CLASS_INT16:
    case G_VARIANT_CLASS_UINT16:
    case G_VARIANT_CLASS_UINT32:
    case G_VARIANT_CLASS_INT64:
    case G_VARIANT_CLASS_UINT64:
      write_integer (out, schema->type_class, data);
      return TRUE;
    case G_VARIANT_CLASS_HANDLE:
      return write_handle (self, data, place);
    case G_VARIANT_CLASS_DOUBLE:
      wire_json_append_double (out, LOAD (double, data));
      return TRUE;
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
      if (size == 0)
        return not_normal (self, place);
      wire_json_append_text (out, (const char *)data, size - 1);
      return TRUE;
    default:
      self->level++;
      done = write_container (self, schema, data, size, place);
      self->level--;
      return done;
    }
}

gboolean
wire_json_write_serialised (ProcfunSchema *schema, const guint8 *data, gsize size, Buffer *out,
                            GError **error)
{
  static const guint8 nothing[1] = { 0 };
  JsonWriter self = { .out = *out, .error = error };
  gboolean done;

  buffer_reserve (&self.out, size + size / 2 + 16);
  done = write_value (&self, schema, data != NULL ? data : nothing, size, NULL);
  *out = self.out;
  wire_schema_cache_clear (&self.schemas);
  return done;
}

GBytes *
wire_json_write (ProcfunSchema *schema, GVariant *value, GError **error)
{
  g_auto (Buffer) out = { NULL };
  g_autoptr (GVariant) normal = NULL;

  if (schema->depth > PROCFUN_SCHEMA_MAX_DEPTH)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE, _ ("The type is too deep"));
      return NULL;
    }

  normal = wire_variant_normalise (schema, value);
  if (!wire_json_write_serialised (schema, g_variant_get_data (normal), g_variant_get_size (normal),
                                   &out, error))
    return NULL;
  return wire_buffer_steal (&out);
}

gboolean
wire_json_write_next (SerialisedIter *array, Buffer *out, GError **error)
{
  const gsize length = out->length;
  JsonWriter self = { .out = *out, .error = error };
  const guint8 *data;
  gsize size;
  gboolean done = wire_serialised_iter_next (array, &data, &size)
                      ? write_value (&self, array->schema->children[0], data, size, NULL)
                      : not_normal (&self, NULL);

  *out = self.out;
  wire_schema_cache_clear (&self.schemas);
  if (!done)
    out->length = length;
  return done;
}
