/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/json-schemas.h"

#include "procfun/codecs/json.h"
#include "procfun/procfun-error.h"
#include "procfun/values/schema.h"

#include <string.h>

ProcfunSchema *
schemas_new (const char *name)
{
  static const gint32 values[] = { 0, 1, -7, 1 };
  static const char *const nicks[] = { "red", "green", "dark-blue", "lime" };
  static const char *const xy[] = { "x", "y" };
  static const char *const names[] = { "a", "b", "title" };

  if (g_str_equal (name, "Colour"))
    return procfun_schema_new_enum (G_N_ELEMENTS (values), values, nicks);

  if (g_str_equal (name, "Point") || g_str_equal (name, "Pixel"))
    {
      g_autoptr (ProcfunSchema) number
          = procfun_schema_new (G_VARIANT_TYPE (name[1] == 'o' ? "d" : "y"));

      return procfun_schema_new_named (PROCFUN_SCHEMA_STRUCT, 2, xy,
                                       (ProcfunSchema *[]){ number, number });
    }

  if (g_str_equal (name, "Pixels"))
    {
      g_autoptr (ProcfunSchema) pixel = schemas_new ("Pixel");

      return procfun_schema_new_array (pixel);
    }

  if (g_str_equal (name, "distance"))
    {
      g_autoptr (ProcfunSchema) pixel = schemas_new ("Pixel");
      g_autoptr (ProcfunSchema) string = procfun_schema_new (G_VARIANT_TYPE_STRING);

      return procfun_schema_new_named (PROCFUN_SCHEMA_ARGUMENTS, 3, names,
                                       (ProcfunSchema *[]){ pixel, pixel, string });
    }

  if (g_str_equal (name, "nothing"))
    return procfun_schema_new_named (PROCFUN_SCHEMA_ARGUMENTS, 0, NULL, NULL);

  return procfun_schema_new (G_VARIANT_TYPE (name));
}

GVariant *
schemas_parse_value (ProcfunSchema *schema, const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value;

  value = g_variant_parse (procfun_schema_get_variant_type (schema), text, NULL, NULL, &error);
  g_assert_no_error (error);
  return value;
}

void
schemas_assert_refused (ProcfunSchema *schema, const char *json, gsize length, const char *message)
{
  g_autoptr (GError) error = NULL;
  /* of exactly this size, so that a tool for memory sees when more is read */
  g_autofree char *copy = g_memdup2 (json, length);
  g_autoptr (GVariant) value = wire_json_read (schema, copy != NULL ? copy : "", length, &error);

  g_assert_null (value);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
  if (message != NULL)
    g_assert_cmpstr (error->message, ==, message);
}

char *
schemas_repeat (const char *open, const char *middle, const char *close, guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append (text, open);
  g_string_append (text, middle);
  for (guint i = 0; i < n; i++)
    g_string_append (text, close);
  return g_string_free (text, FALSE);
}
