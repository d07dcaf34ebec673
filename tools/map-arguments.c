/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/map-arguments.h"

#include "procfun/base/intl.h"
#include "procfun/codecs/json-batch.h"
#include "procfun/values/schema.h"
#include "tools/fields.h"
#include <string.h>

struct _MapArguments
{
  ProcfunFunction *function;
  ProcfunSchema *schema; /* of the arguments; the function owns it */
  RecordFormat format;
  JsonBatch *array;
  guint *columns;  /* (nullable): of each argument, where a header has named them */
  guint n_columns; /* that a record has */
};

/* One argument can be written without brackets, if it cannot begin with one. */
typedef enum
{
  FORM_ALL,
  FORM_EITHER,
  FORM_ONLY
} Form;

static gboolean
check_format (MapArguments *self, GError **error)
{
  const char *name = procfun_function_get_name (self->function);
  guint n = self->schema->n_children;

  if (self->format.gap != NULL || !self->format.is_raw || n == 1)
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("--raw-input: %s() takes %u arguments: say how they are separated, with "
                  "--colsep, --csv or --tsv"),
               name, n);
  return FALSE;
}

MapArguments *
map_arguments_new (ProcfunFunction *function, const RecordFormat *format, GError **error)
{
  g_autoptr (MapArguments) self = g_new0 (MapArguments, 1);

  self->function = function;
  self->schema = procfun_function_get_arguments_schema (function);
  self->format = *format;
  self->n_columns = self->schema->n_children;
  self->array = wire_json_batch_new (self->schema);
  return check_format (self, error) ? g_steal_pointer (&self) : NULL;
}

void
map_arguments_free (MapArguments *self)
{
  g_clear_pointer (&self->array, wire_json_batch_free);
  g_free (self->columns);
  g_free (self);
}

/* JSON */

static Form
get_form (ProcfunSchema *schema, const char *text, gsize size)
{
  gsize i = 0;

  if (schema->n_children != 1)
    return FORM_ALL;
  while (i < size && g_ascii_isspace (text[i]))
    i++;
  if (i == size || (text[i] != '[' && text[i] != '{'))
    return FORM_ONLY;
  return g_variant_type_is_basic (schema->children[0]->type) ? FORM_ALL : FORM_EITHER;
}

static gboolean
add_json (MapArguments *self, const char *text, gsize size, GError **error)
{
  Form form = get_form (self->schema, text, size);

  if (form == FORM_ALL)
    return wire_json_batch_add (self->array, self->schema, text, size, error);
  return (form == FORM_EITHER && wire_json_batch_add (self->array, self->schema, text, size, NULL))
         || wire_json_batch_add (self->array, self->schema->children[0], text, size, error);
}

/* Fields: text where the argument is text, and JSON otherwise */

static gboolean
is_text (const ProcfunSchema *schema)
{
  return schema->type_class == 's' || schema->type_class == 'o' || schema->type_class == 'g'
         || g_variant_type_equal (schema->type, G_VARIANT_TYPE ("ms"));
}

/* (transfer full): floating */
static GVariant *
make_text (const ProcfunSchema *schema, const char *text, gsize size, GError **error)
{
  g_autofree char *copy = g_strndup (text, size);

  if (!g_utf8_validate_len (text, size, NULL))
    g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE, _ ("this is not UTF-8"));
  else if (schema->type_class == 'o' && !g_variant_is_object_path (copy))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE, _ ("“%s” is no object path"), copy);
  else if (schema->type_class == 'g' && !g_variant_is_signature (copy))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE, _ ("“%s” is no signature"), copy);
  else if (schema->type_class == 'o')
    return g_variant_new_object_path (copy);
  else if (schema->type_class == 'g')
    return g_variant_new_signature (copy);
  else if (schema->type_class == 'm')
    return g_variant_new_maybe (NULL, g_variant_new_take_string (g_steal_pointer (&copy)));
  else
    return g_variant_new_take_string (g_steal_pointer (&copy));
  return NULL;
}

/* (transfer full) (nullable): floating or not */
static GVariant *
make_field (ProcfunSchema *schema, const char *text, gsize size, GError **error)
{
  g_autoptr (GBytes) json = NULL;

  if (is_text (schema))
    return make_text (schema, text, size, error);
  if (g_variant_type_equal (schema->type, G_VARIANT_TYPE_BYTESTRING))
    return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, text, size, 1);
  if (schema->kind == PROCFUN_SCHEMA_ENUM && size > 0 && g_ascii_isalpha (text[0]))
    {
      g_autofree char *quoted = g_strdup_printf ("\"%.*s\"", (int)MIN (size, G_MAXINT), text);

      json = g_bytes_new (quoted, strlen (quoted));
    }
  else
    json = g_bytes_new_static (text, size);
  return procfun_codec_decode (procfun_codec_get_json (), schema, json, error);
}

static gboolean
add_field (MapArguments *self, GVariantBuilder *tuple, guint i, const char *text, gsize size,
           GError **error)
{
  GError *own = NULL;
  GVariant *made = make_field (self->schema->children[i], text, size, &own);
  g_autoptr (GVariant) field = made != NULL ? g_variant_take_ref (made) : NULL;

  if (field == NULL)
    {
      g_propagate_prefixed_error (error, own,
                                  "%s: ", procfun_schema_get_child_name (self->schema, i));
      return FALSE;
    }
  g_variant_builder_add_value (tuple, field);
  return TRUE;
}

static gboolean
add_raw (MapArguments *self, const char *text, gsize size, GError **error)
{
  ProcfunSchema *only = self->schema->children[0];
  g_auto (GVariantBuilder) tuple = G_VARIANT_BUILDER_INIT (self->schema->type);

  if (strchr ("ybnqiuxtd", only->type_class) != NULL && only->kind == PROCFUN_SCHEMA_PLAIN)
    return wire_json_batch_add (self->array, only, text, size, error);
  if (!add_field (self, &tuple, 0, text, size, error))
    return FALSE;
  wire_json_batch_add_value (self->array, g_variant_builder_end (&tuple));
  return TRUE;
}

static gboolean
add_fields (MapArguments *self, const char *text, gsize size, GError **error)
{
  g_auto (GVariantBuilder) tuple = G_VARIANT_BUILDER_INIT (self->schema->type);
  g_auto (GStrv) fields
      = fields_split (text, size, self->format.gap, self->format.is_quoted, error);
  guint n = fields != NULL ? g_strv_length (fields) : 0;

  if (fields == NULL)
    return FALSE;
  if (n != self->n_columns)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE,
                   _ ("the number of fields is %u, not %u"), n, self->n_columns);
      return FALSE;
    }
  for (guint i = 0; i < self->schema->n_children; i++)
    {
      const char *field = fields[self->columns != NULL ? self->columns[i] : i];

      if (!add_field (self, &tuple, i, field, strlen (field), error))
        return FALSE;
    }
  wire_json_batch_add_value (self->array, g_variant_builder_end (&tuple));
  return TRUE;
}

static gboolean
find_column (char **fields, const char *name, guint *column)
{
  for (*column = 0; fields[*column] != NULL; (*column)++)
    if (strcmp (fields[*column], name) == 0)
      return TRUE;
  return FALSE;
}

gboolean
map_arguments_set_header (MapArguments *self, const char *text, gsize size, GError **error)
{
  g_auto (GStrv) fields
      = fields_split (text, size, self->format.gap, self->format.is_quoted, error);

  if (fields == NULL)
    return FALSE;
  self->n_columns = g_strv_length (fields);
  self->columns = g_new0 (guint, self->schema->n_children + 1);
  for (guint i = 0; i < self->schema->n_children; i++)
    {
      const char *name = procfun_schema_get_child_name (self->schema, i);

      if (!find_column (fields, name, &self->columns[i]))
        {
          g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                       _ ("--header: no column is named “%s”, as an argument of %s() is"), name,
                       procfun_function_get_name (self->function));
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
map_arguments_add (MapArguments *self, const char *text, gsize size, GError **error)
{
  if (self->format.gap != NULL)
    return add_fields (self, text, size, error);
  return self->format.is_raw ? add_raw (self, text, size, error)
                             : add_json (self, text, size, error);
}

gsize
map_arguments_get_n (MapArguments *self)
{
  return wire_json_batch_get_n (self->array);
}

gsize
map_arguments_get_size (MapArguments *self)
{
  return wire_json_batch_get_size (self->array);
}

GVariant *
map_arguments_steal (MapArguments *self)
{
  return wire_json_batch_steal (self->array);
}
