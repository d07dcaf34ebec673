/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"
#include "tests/json-schemas.h"

#include "procfun/codecs/json.h"
#include "procfun/procfun-error.h"
#include "procfun/values/schema.h"

#include <string.h>

/* Values in JSON and back: the table of the reference, line by line. */

static void
assert_written (const char *name, const char *value, const char *json)
{
  g_autoptr (ProcfunSchema) schema = schemas_new (name);
  g_autoptr (GVariant) variant = schemas_parse_value (schema, value);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = wire_json_write (schema, variant, &error);
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_assert_cmpstr (text, ==, json);
}

static void
assert_read (const char *name, const char *json, const char *value)
{
  g_autoptr (ProcfunSchema) schema = schemas_new (name);
  g_autoptr (GVariant) expected = schemas_parse_value (schema, value);
  g_autoptr (GVariant) normal = g_variant_get_normal_form (expected);
  g_autoptr (GVariant) found = NULL;
  g_autoptr (GVariant) untrusted = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  found = wire_json_read (schema, json, strlen (json), &error);
  g_assert_no_error (error);
  g_assert_cmpvariant (found, expected);
  g_assert_cmpmem (g_variant_get_data (found), g_variant_get_size (found),
                   g_variant_get_data (normal), g_variant_get_size (normal));

  /* GLib is told to trust it; would it, if it looked? */
  bytes = g_variant_get_data_as_bytes (found);
  untrusted = g_variant_ref_sink (g_variant_new_from_bytes (schema->type, bytes, FALSE));
  g_assert_true (g_variant_is_normal_form (untrusted));
}

typedef struct
{
  const char *schema;
  const char *value; /* in GVariant's text format */
  const char *json;
} Case;

/* Written so, and read back. */
static const Case both[] = {
  { "b", "true", "true" },
  { "b", "false", "false" },
  { "y", "0x00", "0" },
  { "y", "0xff", "255" },
  { "n", "-32768", "-32768" },
  { "n", "32767", "32767" },
  { "q", "65535", "65535" },
  { "i", "-2147483648", "-2147483648" },
  { "i", "2147483647", "2147483647" },
  { "u", "4294967295", "4294967295" },
  { "x", "-5", "-5" },
  { "x", "9007199254740992", "9007199254740992" },
  { "x", "9007199254740993", "\"9007199254740993\"" },
  { "x", "-9007199254740992", "-9007199254740992" },
  { "x", "-9007199254740993", "\"-9007199254740993\"" },
  { "x", "-9223372036854775808", "\"-9223372036854775808\"" },
  { "x", "9223372036854775807", "\"9223372036854775807\"" },
  { "t", "9007199254740992", "9007199254740992" },
  { "t", "9007199254740993", "\"9007199254740993\"" },
  { "t", "18446744073709551615", "\"18446744073709551615\"" },
  { "d", "0.0", "0.0" },
  { "d", "-0.0", "-0.0" },
  { "d", "1.0", "1.0" },
  { "d", "0.1", "0.1" },
  { "d", "1e21", "1e21" },
  { "d", "1e22", "1e22" },
  { "d", "1e308", "1e308" },
  { "d", "2.2250738585072014e-308", "2.2250738585072014e-308" },
  { "d", "1e-7", "1e-7" },
  { "d", "nan", "\"NaN\"" },
  { "d", "inf", "\"Infinity\"" },
  { "d", "-inf", "\"-Infinity\"" },
  { "s", "''", "\"\"" },
  { "s", "'a\"b\\\\c/d'", "\"a\\\"b\\\\c/d\"" },
  { "s", "'\\b\\f\\n\\r\\t'", "\"\\b\\f\\n\\r\\t\"" },
  { "s", "'\\u0001\\u001f\\u007f'", "\"\\u0001\\u001f\x7f\"" },
  { "s", "'über 𝄞 \\u2028\\uffff'", "\"über 𝄞 \xe2\x80\xa8\xef\xbf\xbf\"" },
  { "o", "'/org/example'", "\"/org/example\"" },
  { "g", "'a{sv}'", "\"a{sv}\"" },
  { "ay", "[]", "\"\"" },
  { "ay", "b'f\\000'", "\"ZgA=\"" },
  { "ay", "[0xff]", "\"/w==\"" },
  { "ay", "[0xfb, 0xff, 0xfe]", "\"+//+\"" },
  { "as", "[]", "[]" },
  { "as", "['', 'a']", "[\"\",\"a\"]" },
  { "ai", "[1, -2]", "[1,-2]" },
  { "aai", "[[], [1], []]", "[[],[1],[]]" },
  { "aay", "[b'a', b'']", "[\"YQA=\",\"AA==\"]" },
  { "a{sv}", "{}", "{}" },
  { "a{sv}", "{'a': <1>, 'b': <'x'>}",
    "{\"a\":{\"type\":\"i\",\"value\":1},\"b\":{\"type\":\"s\",\"value\":\"x\"}}" },
  { "a{si}", "{'': 1, 'ü\"': 2}", "{\"\":1,\"ü\\\"\":2}" },
  { "a{oi}", "{'/a': 1, '/b': 2}", "{\"/a\":1,\"/b\":2}" },
  { "a{gs}", "{'ai': 'x', '': 'y'}", "{\"ai\":\"x\",\"\":\"y\"}" },
  { "a{si}", "[{'a', 1}, {'b', 2}, {'a', 3}]", "[[\"a\",1],[\"b\",2],[\"a\",3]]" },
  { "a{is}", "{1: 'a', -2: 'b'}", "[[1,\"a\"],[-2,\"b\"]]" },
  { "a{by}", "{true: 0x01}", "[[true,1]]" },
  { "a{dd}", "{1.5: 2.5}", "[[1.5,2.5]]" },
  { "a{sa{sai}}", "{'a': {'b': [1]}}", "{\"a\":{\"b\":[1]}}" },
  { "{sv}", "{'a', <1>}", "[\"a\",{\"type\":\"i\",\"value\":1}]" },
  { "mi", "nothing", "null" },
  { "mi", "5", "5" },
  { "ms", "nothing", "null" },
  { "ms", "'null'", "\"null\"" },
  { "mai", "@mai []", "[]" },
  { "mv", "<5>", "{\"type\":\"i\",\"value\":5}" },
  { "m()", "()", "[]" },
  { "mmi", "nothing", "null" },
  { "mmi", "just nothing", "[]" },
  { "mmi", "just just 5", "[5]" },
  { "mmmi", "nothing", "null" },
  { "mmmi", "just nothing", "[]" },
  { "mmmi", "just just nothing", "[[]]" },
  { "mmmi", "just just just 5", "[[5]]" },
  { "mms", "just just ''", "[\"\"]" },
  { "ammi", "[nothing, just nothing, just just 1]", "[null,[],[1]]" },
  { "m(mi)", "just (nothing,)", "[null]" },
  { "m(mi)", "nothing", "null" },
  { "mami", "[nothing, 1]", "[null,1]" },
  { "()", "()", "[]" },
  { "(i)", "(1,)", "[1]" },
  { "(yyi(d)y)", "(1, 2, 3, (4.5,), 5)", "[1,2,3,[4.5],5]" },
  { "(sas)", "('a', ['b', 'c'])", "[\"a\",[\"b\",\"c\"]]" },
  { "(asai)", "(['b', 'c'], [7])", "[[\"b\",\"c\"],[7]]" },
  { "v", "<5>", "{\"type\":\"i\",\"value\":5}" },
  { "v", "<byte 5>", "{\"type\":\"y\",\"value\":5}" },
  { "v", "<<5>>", "{\"type\":\"v\",\"value\":{\"type\":\"i\",\"value\":5}}" },
  { "v", "<(1, 2)>", "{\"type\":\"(ii)\",\"value\":[1,2]}" },
  { "v", "<objectpath '/a'>", "{\"type\":\"o\",\"value\":\"/a\"}" },
  { "v", "<uint64 18446744073709551615>", "{\"type\":\"t\",\"value\":\"18446744073709551615\"}" },
  { "v", "<@mmi just nothing>", "{\"type\":\"mmi\",\"value\":[]}" },
  { "v", "<{'a', 1}>", "{\"type\":\"{si}\",\"value\":[\"a\",1]}" },
  { "av", "[<1>, <'a'>]", "[{\"type\":\"i\",\"value\":1},{\"type\":\"s\",\"value\":\"a\"}]" },
  { "h", "0", "0" },
  { "h", "2147483647", "2147483647" },
  { "Colour", "0", "\"red\"" },
  { "Colour", "1", "\"green\"" },
  { "Colour", "-7", "\"dark-blue\"" },
  { "Colour", "42", "42" },
  { "Point", "(1.5, -0.0)", "{\"x\":1.5,\"y\":-0.0}" },
  { "Pixels", "[(1, 2), (3, 4)]", "[{\"x\":1,\"y\":2},{\"x\":3,\"y\":4}]" },
  { "distance", "((1, 2), (3, 4), 'x')", "[{\"x\":1,\"y\":2},{\"x\":3,\"y\":4},\"x\"]" },
  { "nothing", "()", "[]" },
};

/* Read, but not written so. */
static const Case also_read[] = {
  { "i", "5", " \t\r\n5 \n" },
  { "i", "100", "1e2" },
  { "i", "1", "1.0" },
  { "i", "0", "-0" },
  { "u", "0", "-0.0" },
  { "y", "15", "1500E-2" },
  { "x", "5", "\"5\"" },
  { "x", "-9223372036854775808", "-9223372036854775808" },
  { "x", "-9223372036854775808", "\"-9223372036854775808\"" },
  { "t", "18446744073709551615", "18446744073709551615" },
  { "t", "10000000000000000000", "1e19" },
  { "t", "0", "\"-0\"" },
  { "d", "1.0", "1" },
  { "d", "-0.0", "-0" },
  { "d", "0.1", "0.1000000000000000055511151231257827" },
  { "d", "0.0", "1e-400" },
  { "d", "9007199254740992", "9007199254740993" },
  { "s", "'/'", "\"\\/\"" },
  { "s", "'aé𝄞b'", "\"\\u0061\\u00e9\\uD834\\udd1eb\"" },
  { "s", "'\\uffff'", "\"\\uFFFF\"" },
  { "o", "'/a/b'", "\"\\/a\\/b\"" },
  { "ay", "[0xff]", "\"\\/w==\"" },
  { "ay", "[0xff, 0x00]", "[255, 0]" },
  { "ay", "[]", "[]" },
  { "ai", "[1, 2]", "[ 1 , 2 ]" },
  { "ai", "[]", "[ ]" },
  { "a{si}", "{'a': 1}", "[[\"a\", 1]]" },
  { "a{si}", "{}", "[]" },
  { "a{si}", "{'a': 1}", "{ \"\\u0061\" : 1 }" },
  { "a{is}", "{1: 'a', -2: 'b'}", "{\"1\": \"a\", \"-2\": \"b\"}" },
  { "a{is}", "{100: 'a'}", "{\"1e2\": \"a\"}" },
  { "a{ti}", "{18446744073709551615: 1}", "{\"18446744073709551615\": 1}" },
  { "a{bi}", "{true: 1, false: 0}", "{\"true\": 1, \"false\": 0}" },
  { "a{di}", "{1.5: 1, inf: 2, -inf: 3, -2.0: 4}",
    "{\"1.5\": 1, \"Infinity\": 2, \"-Infinity\": 3, \"-2\": 4}" },
  { "a{oi}", "{'/a': 1}", "{\"\\/a\": 1}" },
  { "v", "<5>", "{\"value\": 5, \"type\": \"i\"}" },
  { "v", "<5>", "{\"t\\u0079pe\": \"\\u0069\", \"value\": 5}" },
  { "v", "<<5>>", "{\"value\": {\"value\": 5, \"type\": \"i\"}, \"type\": \"v\"}" },
  { "Colour", "1", "1" },
  { "Colour", "1", "\"lime\"" },
  { "Colour", "1", "\"gr\\u0065en\"" },
  { "Point", "(1.5, 2.0)", "[1.5, 2]" },
  { "Point", "(1.5, 2.0)", "{\"y\": 2, \"x\": 1.5}" },
  { "Pixels", "[(1, 2), (3, 4)]", "[[1, 2], {\"y\": 4, \"x\": 3}]" },
  { "distance", "((1, 2), (3, 4), 'x')", "{\"a\": [1, 2], \"b\": [3, 4], \"title\": \"x\"}" },
  { "distance", "((1, 2), (3, 4), 'x')",
    "{\"title\": \"x\", \"b\": {\"y\": 4, \"x\": 3}, \"a\": [1, 2]}" },
  { "nothing", "()", "{}" },
};

static void
test_both (gconstpointer data)
{
  const Case *test = data;

  assert_written (test->schema, test->value, test->json);
  assert_read (test->schema, test->json, test->value);
}

static void
test_read (gconstpointer data)
{
  const Case *test = data;

  assert_read (test->schema, test->json, test->value);
}

/* Values of up to 128 levels, as many as GVariant can hold. */
static void
test_levels (void)
{
  g_autoptr (ProcfunSchema) variant = schemas_new ("v");
  static const char *const open = "{\"type\":\"v\",\"value\":";
  static const char *const inner = "{\"type\":\"i\",\"value\":5}";

  for (guint n = 120; n < 140; n++)
    {
      g_autofree char *variants = schemas_repeat (open, inner, "}", n - 1);
      g_autofree char *backwards = schemas_repeat ("{\"value\":", "{\"value\":5,\"type\":\"i\"}",
                                                   ",\"type\":\"v\"}", n - 1);
      g_autofree char *array_type = schemas_repeat ("a", "i", "", n);
      g_autofree char *arrays = schemas_repeat ("[", "5", "]", n);
      g_autofree char *in_variant = g_strdup_printf ("{\"type\":\"a%s\",\"value\":[]}", array_type);
      g_autoptr (GVariant) value = NULL;
      g_autoptr (GVariant) backwards_value = NULL;
      g_autoptr (GBytes) text = NULL;
      g_autoptr (GError) error = NULL;

      value = wire_json_read (variant, variants, strlen (variants), &error);
      g_clear_error (&error);
      backwards_value = wire_json_read (variant, backwards, strlen (backwards), &error);

      /* n variants and a number are n + 1 levels */
      if (n + 1 > 128)
        {
          g_assert_null (value);
          g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
          g_assert_null (backwards_value);
        }
      else
        {
          g_assert_no_error (error);
          g_assert_cmpvariant (value, backwards_value);
          g_assert_true (g_variant_is_normal_form (value));
          text = wire_json_write (variant, value, &error);
          g_assert_no_error (error);
          g_assert_cmpmem (g_bytes_get_data (text, NULL), g_bytes_get_size (text), variants,
                           strlen (variants));
        }

      g_clear_error (&error);
      if (g_variant_type_string_is_valid (array_type))
        {
          g_autoptr (ProcfunSchema) schema = schemas_new (array_type);
          g_autoptr (GVariant) array = wire_json_read (schema, arrays, strlen (arrays), &error);

          g_autoptr (GBytes) array_text = NULL;

          g_assert_true ((array != NULL) == (n + 1 <= 128));
          g_clear_error (&error);
          if (array != NULL)
            array_text = wire_json_write (schema, array, &error);
          g_assert_no_error (error);
        }

      /* the levels count although the array is empty, as for GVariant */
      if (n + 3 > 128)
        schemas_assert_refused (variant, in_variant, strlen (in_variant), NULL);
    }
}

static void
test_write_too_deep (void)
{
  g_autoptr (ProcfunSchema) schema = schemas_new ("v");
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_variant (g_variant_new_int32 (5)));
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 150; i++)
    {
      GVariant *outer = g_variant_ref_sink (g_variant_new_variant (value));

      g_variant_unref (value);
      value = outer;
    }
  g_assert_null (wire_json_write (schema, value, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
}

/* GVariant has types that are deeper than the values it can hold. */
static void
test_write_type_too_deep (void)
{
  g_autofree char *type = schemas_repeat ("a", "i", "", 128);
  g_autoptr (GVariant) value = NULL;
  g_autoptr (ProcfunSchema) schema = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_variant_type_string_is_valid (type))
    {
      g_test_skip ("This GLib has no such types");
      return;
    }
  schema = schemas_new (type);
  value = g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE (type), NULL, 0, TRUE, NULL, NULL));
  g_assert_null (wire_json_write (schema, value, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
}

static void
test_write_handle (void)
{
  static const Case cases[] = { { "h", "-1", "/: a handle can't be -1" },
                                { "(sah)", "('', [0, -1])", "/1/1: a handle can't be -1" },
                                { "aah", "[[], [-1]]", "/1/0: a handle can't be -1" },
                                { "a{sh}", "{'a': 0, 'b/c': -1}", "/b~1c: a handle can't be -1" },
                                { "a{ih}", "{7: -1}", "/0/1: a handle can't be -1" },
                                { "v", "<handle -1>", "/value: a handle can't be -1" },
                                { "mmh", "just just -1", "/0: a handle can't be -1" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ProcfunSchema) schema = schemas_new (cases[i].schema);
      g_autoptr (GVariant) value = schemas_parse_value (schema, cases[i].value);
      g_autoptr (GError) error = NULL;

      g_assert_null (wire_json_write (schema, value, &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
      g_assert_cmpstr (error->message, ==, cases[i].json);
    }
}

/* More than are remembered, each twice, and one around all others. */
static void
test_many_types (void)
{
  g_autoptr (ProcfunSchema) schema = schemas_new ("v");
  g_autoptr (GVariant) list = NULL;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GVariant) read = NULL;
  g_autoptr (GBytes) json = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("av"));

  for (guint i = 0; i < 1000; i++)
    {
      GVariantBuilder tuple = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_TUPLE);

      for (guint bit = 0; bit < 10; bit++)
        g_variant_builder_add (&tuple, i / 2 >> bit & 1 ? "y" : "b", TRUE);
      g_variant_builder_add (&builder, "v", g_variant_builder_end (&tuple));
    }
  list = g_variant_ref_sink (g_variant_builder_end (&builder));
  value = g_variant_ref_sink (g_variant_new ("v", g_variant_new ("(@avs)", list, "x")));
  json = wire_json_write (schema, value, &error);
  g_assert_no_error (error);
  read = wire_json_read (schema, g_bytes_get_data (json, NULL), g_bytes_get_size (json), &error);
  g_assert_no_error (error);
  g_assert_cmpvariant (read, value);
}

/* Bytes that are no value are written as the value that GLib makes of them. */
static void
test_write_not_normal (void)
{
  static const guint8 data[] = { 'a', 'b', 2, 99, 3 };
  g_autoptr (ProcfunSchema) schema = schemas_new ("as");
  g_autoptr (GVariant) value = g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE ("as"), data, sizeof data, FALSE, NULL, NULL));
  g_autoptr (GVariant) normal = g_variant_get_normal_form (value);
  g_autoptr (GBytes) text = wire_json_write (schema, value, NULL);
  g_autoptr (GVariant) read = NULL;

  g_assert_false (g_variant_is_normal_form (value));
  read = wire_json_read (schema, g_bytes_get_data (text, NULL), g_bytes_get_size (text), NULL);
  g_assert_cmpvariant (read, normal);
}

/* Many keys are compared in another way than few. */
static void
test_many_keys (void)
{
  g_autoptr (ProcfunSchema) schema = schemas_new ("a{si}");

  for (guint n = 1; n < 2000; n = n * 2 + 1)
    {
      g_autoptr (GString) json = g_string_new ("{");
      g_autoptr (GVariant) value = NULL;
      g_autoptr (GVariant) twice = NULL;
      g_autoptr (GBytes) text = NULL;
      g_autoptr (GError) error = NULL;
      g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{si}"));

      for (guint i = 0; i < n; i++)
        {
          g_autofree char *key = g_strdup_printf ("k%u", i * 7919 % n);

          g_string_append_printf (json, "%s\"%s\":%u", i > 0 ? "," : "", key, i);
          g_variant_builder_add (&builder, "{si}", key, i);
        }
      g_string_append_c (json, '}');
      value = wire_json_read (schema, json->str, json->len, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (g_variant_n_children (value), ==, n);
      text = wire_json_write (schema, value, NULL);
      g_assert_cmpmem (g_bytes_get_data (text, NULL), g_bytes_get_size (text), json->str,
                       json->len);

      g_string_truncate (json, json->len - 1);
      g_string_append (json, ",\"k0\":0}");
      schemas_assert_refused (schema, json->str, json->len, "/: “k0” is there twice");

      g_variant_builder_add (&builder, "{si}", "k0", 0);
      g_variant_unref (value);
      g_bytes_unref (text);
      value = g_variant_ref_sink (g_variant_builder_end (&builder));
      text = wire_json_write (schema, value, NULL);
      g_assert_true (g_str_has_prefix (g_bytes_get_data (text, NULL), "[[\"k"));
      twice
          = wire_json_read (schema, g_bytes_get_data (text, NULL), g_bytes_get_size (text), &error);
      g_assert_no_error (error);
      g_assert_cmpvariant (twice, value);
    }
}

/* Containers whose framing offsets are of each width. */
static void
test_offset_widths (void)
{
  static const char *const types[]
      = { "as", "aay", "(sss)", "a(sy)", "av", "a{ss}", "ams", "(asas)" };
  static const gsize lengths[]
      = { 0,     1,     82,    83,    84,    100,   124,   125,   126,   127,   250,   251,   252,
          253,   254,   255,   256,   300,   21830, 21840, 21844, 21845, 21846, 32700, 32760, 32764,
          32765, 32766, 32767, 32768, 65530, 65531, 65532, 65533, 65534, 65535, 65536, 70000 };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    for (guint j = 0; j < G_N_ELEMENTS (lengths); j++)
      {
        g_autoptr (ProcfunSchema) schema = schemas_new (types[i]);
        g_autofree char *s = g_strnfill (lengths[j], 'x');
        g_autofree char *bytes = g_strdup_printf ("b'%s'", s);
        const char *string = bytes + 1;
        g_autofree char *text = NULL;
        g_autoptr (GVariant) value = NULL;
        g_autoptr (GVariant) read = NULL;
        g_autoptr (GBytes) json = NULL;
        g_autoptr (GError) error = NULL;

        switch (i)
          {
          case 0:
            text = g_strdup_printf ("[%s, %s, %s]", string, string, string);
            break;
          case 1:
            text = g_strdup_printf ("[%s, %s]", bytes, bytes);
            break;
          case 2:
            text = g_strdup_printf ("(%s, %s, %s)", string, string, string);
            break;
          case 3:
            text = g_strdup_printf ("[(%s, 1), (%s, 2)]", string, string);
            break;
          case 4:
            text = g_strdup_printf ("[<%s>, <1>, <%s>]", string, string);
            break;
          case 5:
            text = g_strdup_printf ("{'a': %s, 'b': %s}", string, string);
            break;
          case 6:
            text = g_strdup_printf ("[just %s, nothing, just %s]", string, string);
            break;
          default:
            text = g_strdup_printf ("([%s], [%s, ''])", string, string);
            break;
          }
        value = schemas_parse_value (schema, text);
        json = wire_json_write (schema, value, &error);
        g_assert_no_error (error);
        read = wire_json_read (schema, g_bytes_get_data (json, NULL), g_bytes_get_size (json),
                               &error);
        g_assert_no_error (error);
        g_assert_cmpmem (g_variant_get_data (read), g_variant_get_size (read),
                         g_variant_get_data (value), g_variant_get_size (value));
      }
}

static void
add_cases (const char *prefix, const Case *cases, guint n, GTestDataFunc test)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *json = g_strndup (cases[i].json, 40);
      g_autofree char *path = NULL;

      /* a path is split at its slashes */
      for (char *p = json; *p != '\0'; p++)
        if (*p == '/' || (guchar)*p < 0x21 || (guchar)*p > 0x7e)
          *p = '_';
      path = g_strdup_printf ("/json/%s/%s/%u-%s", prefix, cases[i].schema, i, json);
      fixture_add_data_func (path, &cases[i], test);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  add_cases ("both", both, G_N_ELEMENTS (both), test_both);
  add_cases ("read", also_read, G_N_ELEMENTS (also_read), test_read);
  fixture_add_func ("/json/levels-are-bounded", test_levels);
  fixture_add_func ("/json/write/too-deep-is-refused", test_write_too_deep);
  fixture_add_func ("/json/write/too-deep-type-is-refused", test_write_type_too_deep);
  fixture_add_func ("/json/write/negative-handle-is-refused", test_write_handle);
  fixture_add_func ("/json/write/not-normal-is-normalised", test_write_not_normal);
  fixture_add_func ("/json/duplicate-among-many-keys-is-found", test_many_keys);
  fixture_add_func ("/json/many-types-survive", test_many_types);
  fixture_add_func ("/json/all-offset-widths-are-written", test_offset_widths);

  return fixture_run ();
}
