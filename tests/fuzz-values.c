/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values and texts that somebody else wrote. What can be read is written again, and must be the
 * same when that is read. */

#include "tests/fuzz-targets.h"
#include "tests/json-schemas.h"

#include "procfun/codecs/gvariant.h"
#include "procfun/codecs/json-scanner.h"
#include "procfun/codecs/json.h"
#include "procfun/remote/host-spec.h"
#include "procfun/values/schema.h"
#include "procfun/values/serialised.h"
#include <string.h>

/* (nullable): the first line is no type, and no name of a schema. */
static ProcfunSchema *
take_schema (FuzzInput *input)
{
  static const char *const names[]
      = { "Colour", "Point", "Pixel", "Pixels", "distance", "nothing" };
  g_autofree char *line = fuzz_take_line (input);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (line, names[i]) == 0)
      return schemas_new (line);
  return g_variant_type_string_is_valid (line) && g_variant_type_is_definite ((gpointer)line)
             ? schemas_new (line)
             : NULL;
}

/* JSON knows one NaN of many, and of a maybe in a maybe some values. */
static void
check_round (ProcfunSchema *schema, GVariant *value, gboolean must)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) again = NULL;
  g_autoptr (GBytes) text = wire_json_write (schema, value, &error);

  if (text == NULL && !must)
    return;
  g_assert_no_error (error);
  again = wire_json_read (schema, g_bytes_get_data (text, NULL), g_bytes_get_size (text), &error);
  g_assert_no_error (error);
  if (!g_variant_equal (value, again))
    {
      g_autoptr (GBytes) text_again = wire_json_write (schema, again, NULL);

      g_assert_false (must);
      g_assert_true (g_bytes_equal (text, text_again));
    }
}

void
fuzz_json (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  g_autoptr (ProcfunSchema) schema = take_schema (&input);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) text = NULL;
  g_autoptr (GVariant) value = NULL;

  if (schema == NULL)
    return;
  text = fuzz_take_bytes (&input, G_MAXSIZE);
  value = wire_json_read (schema, g_bytes_get_data (text, NULL), g_bytes_get_size (text), &error);
  g_assert_true ((value == NULL) == (error != NULL));
  if (value == NULL)
    {
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return;
    }
  g_assert_true (g_variant_is_normal_form (value));
  g_assert_true (wire_json_check (g_bytes_get_data (text, NULL), g_bytes_get_size (text),
                                  2 * PROCFUN_SCHEMA_MAX_DEPTH, NULL));
  check_round (schema, value, TRUE);
}

void
fuzz_gvariant (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  g_autoptr (ProcfunSchema) schema = take_schema (&input);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) theirs = NULL;
  g_autoptr (GVariant) value = NULL;

  if (schema == NULL)
    return;
  bytes = fuzz_take_bytes (&input, G_MAXSIZE);
  theirs = g_variant_ref_sink (
      g_variant_new_from_bytes (procfun_schema_get_variant_type (schema), bytes, FALSE));
  value = wire_variant_decode (schema, bytes, NULL);
  /* The levels of a type count, also where an empty array has fewer. */
  g_assert_cmpint (value != NULL, ==,
                   schema->depth <= PROCFUN_SCHEMA_MAX_DEPTH && g_variant_is_normal_form (theirs));
  if (value != NULL)
    check_round (schema, value, FALSE);
}

void
fuzz_limits (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunLimits) limits = procfun_limits_new_from_string (text, &error);
  g_autoptr (ProcfunLimits) again = NULL;
  g_autofree char *written = NULL;

  g_assert_true ((limits == NULL) == (error != NULL));
  if (limits == NULL)
    return;
  written = procfun_limits_to_string (limits);
  again = procfun_limits_new_from_string (written, &error);
  g_assert_no_error (error);
  g_assert_true (procfun_limits_equal (limits, again));
}

void
fuzz_hosts (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) specs = host_spec_parse_list (text, &error);

  g_assert_true ((specs == NULL) == (error != NULL));
  host_spec_is_list (text);
  for (guint i = 0; specs != NULL && i < specs->len; i++)
    {
      const HostSpec *spec = specs->pdata[i];
      g_auto (GStrv) command = NULL;

      if (spec->command == NULL) /* its engine knows it by its URL */
        continue;
      command = host_spec_make_command (spec, "/opt/bin/a b", NULL, NULL);
      g_assert_true (command == NULL || command[0] != NULL);
    }
}
