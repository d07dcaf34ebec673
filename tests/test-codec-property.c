/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <procfun.h>

#include "procfun/values/schema.h"
#include "procfun/values/serialised.h"
#include "tests/fixture.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Random values of random types are the same after a round through each codec, and random damage to
 * what the codecs wrote never does more than make them fail. A failure is repeated with --seed. */

#define MAX_LEVELS 8

static const char basic_types[] = "bynqiuxtdsogh";

static guint
pick (guint n)
{
  return (guint)g_test_rand_int_range (0, (gint32)n);
}

static guint64
random_bits (void)
{
  return (guint64)(guint32)g_test_rand_int () << 32 | (guint32)g_test_rand_int ();
}

/* Types: */

static void
append_random_type (GString *type, guint levels)
{
  guint choice = levels == 0 ? 0 : pick (12);

  switch (choice)
    {
    case 7:
      g_string_append_c (type, 'v');
      break;
    case 8:
      g_string_append_c (type, 'm');
      append_random_type (type, levels - 1);
      break;
    case 9:
      g_string_append_c (type, 'a');
      append_random_type (type, levels - 1);
      break;
    case 10:
      g_string_append (type, "a{");
      g_string_append_c (type, basic_types[pick (strlen (basic_types))]);
      append_random_type (type, levels - 1);
      g_string_append_c (type, '}');
      break;
    case 11:
      g_string_append_c (type, '(');
      for (guint i = pick (5); i > 0; i--)
        append_random_type (type, levels - 1);
      g_string_append_c (type, ')');
      break;
    default:
      g_string_append_c (type, basic_types[pick (strlen (basic_types))]);
      break;
    }
}

static ProcfunSchema *
random_schema (void)
{
  g_autoptr (GString) type = g_string_new (NULL);

  append_random_type (type, pick (MAX_LEVELS + 1));
  return procfun_schema_new ((const GVariantType *)type->str);
}

/* The same type, with names at each tuple and nicks at each int32, which JSON writes otherwise. */
static ProcfunSchema *
with_names (ProcfunSchema *schema)
{
  static const gint32 values[] = { 0, -1, G_MAXINT32 };
  static const char *const nicks[] = { "zero", "minus \"one\"", "größte" };
  static const char *const names[] = { "a", "b\\", "ü", "", "type" };
  g_autoptr (GPtrArray) children
      = g_ptr_array_new_with_free_func ((GDestroyNotify)procfun_schema_unref);

  if (schema->type_class == G_VARIANT_CLASS_INT32)
    return procfun_schema_new_enum (G_N_ELEMENTS (values), values, nicks);
  if (schema->type_class == G_VARIANT_CLASS_ARRAY
      && schema->children[0]->type_class != G_VARIANT_CLASS_DICT_ENTRY)
    {
      g_autoptr (ProcfunSchema) element = with_names (schema->children[0]);

      return procfun_schema_new_array (element);
    }
  if (schema->type_class != G_VARIANT_CLASS_TUPLE || schema->n_children > G_N_ELEMENTS (names))
    return procfun_schema_ref (schema);

  for (guint i = 0; i < schema->n_children; i++)
    g_ptr_array_add (children, with_names (schema->children[i]));
  return procfun_schema_new_named (
      g_test_rand_bit () ? PROCFUN_SCHEMA_STRUCT : PROCFUN_SCHEMA_ARGUMENTS, schema->n_children,
      names, (ProcfunSchema *const *)children->pdata);
}

/* Values: */

static double
random_double (void)
{
  static const double extremes[] = { 0.0,
                                     -0.0,
                                     1.0,
                                     -1.0,
                                     DBL_MAX,
                                     -DBL_MAX,
                                     DBL_MIN,
                                     -DBL_MIN,
                                     NAN,
                                     INFINITY,
                                     -INFINITY,
                                     DBL_EPSILON,
                                     0.1,
                                     1e21,
                                     1e22,
                                     1e23,
                                     5e-324,
                                     9007199254740992.0,
                                     2.2250738585072011e-308,
                                     1e16,
                                     1e15,
                                     123456.789 };
  guint64 bits = random_bits ();
  double value;

  if (g_test_rand_bit ())
    return extremes[pick (G_N_ELEMENTS (extremes))];
  memcpy (&value, &bits, sizeof value);
  /* one NaN is like another in JSON */
  return isnan (value) ? (double)NAN : value;
}

static guint64
random_integer (void)
{
  static const guint64 extremes[] = { 0,
                                      1,
                                      127,
                                      128,
                                      255,
                                      32767,
                                      32768,
                                      65535,
                                      G_MAXINT32,
                                      (guint64)G_MAXINT32 + 1,
                                      G_MAXUINT32,
                                      9007199254740991,
                                      9007199254740992,
                                      9007199254740993,
                                      G_MAXINT64,
                                      (guint64)G_MAXINT64 + 1,
                                      G_MAXUINT64,
                                      99999999,
                                      100000000,
                                      999999999999999999 };
  guint64 value = random_bits () >> pick (64);

  if (g_test_rand_bit ())
    value = extremes[pick (G_N_ELEMENTS (extremes))];
  return g_test_rand_bit () ? value : -value;
}

static char *
random_string (void)
{
  static const gunichar extremes[]
      = { 1,      8,      9,       10,      12,       13,       31,     32,     '"',    '\\',
          '/',    127,    128,     0x7ff,   0x800,    0xd7ff,   0xe000, 0xfdd0, 0xfeff, 0xfffe,
          0xffff, 0x2028, 0x10000, 0x1fffe, 0x10fffe, 0x10ffff, 'a',    '~' };
  GString *string = g_string_new (NULL);
  guint length = pick (3) == 0 ? 0 : pick (20);

  if (pick (200) == 0)
    length = 300 + pick (70000); /* framing offsets of other widths */
  for (guint i = 0; i < length; i++)
    g_string_append_unichar (string, g_test_rand_bit () ? extremes[pick (G_N_ELEMENTS (extremes))]
                                                        : 'a' + pick (26));
  return g_string_free (string, FALSE);
}

static GVariant *
random_text (char type_class)
{
  static const char *const paths[] = { "/", "/a", "/org/example/A_9" };
  static const char *const signatures[] = { "", "i", "a{sv}", "aai(ss)" };
  g_autofree char *string = NULL;

  if (type_class == G_VARIANT_CLASS_OBJECT_PATH)
    return g_variant_new_object_path (paths[pick (G_N_ELEMENTS (paths))]);
  if (type_class == G_VARIANT_CLASS_SIGNATURE)
    return g_variant_new_signature (signatures[pick (G_N_ELEMENTS (signatures))]);
  string = random_string ();
  return g_variant_new_string (string);
}

static GVariant *random_value (const ProcfunSchema *schema, guint levels);

static GVariant *
random_container (const ProcfunSchema *schema, guint levels)
{
  GVariantBuilder builder;
  guint n = schema->n_children;

  g_variant_builder_init (&builder, schema->type);
  if (schema->type_class == G_VARIANT_CLASS_ARRAY)
    {
      n = levels == 0 ? pick (2) : pick (5);
      if (schema->children[0]->depth == 1 && pick (50) == 0)
        n = 300;
    }
  else if (schema->type_class == G_VARIANT_CLASS_MAYBE)
    n = pick (3) != 0;

  for (guint i = 0; i < n; i++)
    g_variant_builder_add_value (&builder,
                                 random_value (schema->children[i < schema->n_children ? i : 0],
                                               levels > 0 ? levels - 1 : 0));
  return g_variant_builder_end (&builder);
}

static GVariant *
random_value (const ProcfunSchema *schema, guint levels)
{
  g_autoptr (ProcfunSchema) inner = NULL;
  g_autoptr (GString) type = NULL;

  switch (schema->type_class)
    {
    case G_VARIANT_CLASS_BOOLEAN:
      return g_variant_new_boolean (g_test_rand_bit ());
    case G_VARIANT_CLASS_BYTE:
      return g_variant_new_byte ((guint8)random_integer ());
    case G_VARIANT_CLASS_INT16:
      return g_variant_new_int16 ((gint16)random_integer ());
    case G_VARIANT_CLASS_UINT16:
      return g_variant_new_uint16 ((guint16)random_integer ());
    case G_VARIANT_CLASS_INT32:
      return g_variant_new_int32 ((gint32)random_integer ());
    case G_VARIANT_CLASS_UINT32:
      return g_variant_new_uint32 ((guint32)random_integer ());
    case G_VARIANT_CLASS_INT64:
      return g_variant_new_int64 ((gint64)random_integer ());
    case G_VARIANT_CLASS_UINT64:
      return g_variant_new_uint64 (random_integer ());
    case G_VARIANT_CLASS_HANDLE:
      return g_variant_new_handle ((gint32)(random_integer () & G_MAXINT32));
    case G_VARIANT_CLASS_DOUBLE:
      return g_variant_new_double (random_double ());
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
      return random_text (schema->type_class);
    case G_VARIANT_CLASS_VARIANT:
      type = g_string_new (NULL);
      append_random_type (type, levels > 0 ? levels - 1 : 0);
      inner = procfun_schema_new ((const GVariantType *)type->str);
      return g_variant_new_variant (random_value (inner, levels > 0 ? levels - 1 : 0));
    default:
      return random_container (schema, levels);
    }
}

/* Properties: */

static void
assert_same_bytes (GVariant *one, GVariant *other)
{
  g_assert_cmpstr (g_variant_get_type_string (one), ==, g_variant_get_type_string (other));
  g_assert_cmpmem (g_variant_get_data (one), g_variant_get_size (one), g_variant_get_data (other),
                   g_variant_get_size (other));
}

static GBytes *
assert_round_trip (ProcfunCodec *codec, ProcfunSchema *schema, GVariant *value)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = procfun_codec_encode (codec, schema, value, &error);
  g_autoptr (GVariant) decoded = NULL;

  g_assert_no_error (error);
  decoded = procfun_codec_decode (codec, schema, bytes, &error);
  g_assert_no_error (error);
  assert_same_bytes (decoded, value);
  return g_steal_pointer (&bytes);
}

/* Through the nodes of json-glib. */
static void
assert_node_round_trip (ProcfunSchema *schema, GVariant *value)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = procfun_json_from_variant (schema, value, &error);
  g_autoptr (GVariant) read = NULL;

  g_assert_no_error (error);
  read = procfun_json_to_variant (schema, node, &error);
  g_assert_no_error (error);
  assert_same_bytes (read, value);
}

static void
test_round_trip (void)
{
  const guint n = g_test_slow () ? 300000 : 5000;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ProcfunSchema) schema = random_schema ();
      g_autoptr (ProcfunSchema) named = with_names (schema);
      g_autoptr (GVariant) value = g_variant_ref_sink (random_value (schema, MAX_LEVELS));
      g_autoptr (GBytes) json = assert_round_trip (procfun_codec_get_json (), schema, value);

      g_assert_true (
          g_utf8_validate_len (g_bytes_get_data (json, NULL), g_bytes_get_size (json), NULL));
      g_bytes_unref (assert_round_trip (procfun_codec_get_gvariant (), schema, value));
      g_bytes_unref (assert_round_trip (procfun_codec_get_json (), named, value));
      assert_node_round_trip (named, value);
    }
}

/* Each basic type as the key of a dictionary, and in all that can be around it. */
static void
test_each_type (void)
{
  static const char *const around[]
      = { "%c",     "a%c",    "m%c",     "mm%c",       "mmm%c",       "(%c)",
          "a(%cy)", "a(y%c)", "a{%cs}",  "a{%ci}",     "a{%ca{%cv}}", "(m%c%c)",
          "aa%c",   "aam%c",  "a{sa%c}", "(%c(%c)%c)", "ma%c",        "am(%c)" };

  for (guint i = 0; i < strlen (basic_types); i++)
    for (guint j = 0; j < G_N_ELEMENTS (around); j++)
      for (guint k = 0; k < (g_test_slow () ? 1000 : 20); k++)
        {
          g_auto (GStrv) parts = g_strsplit (around[j], "%c", -1);
          const char letter[] = { basic_types[i], '\0' };
          g_autofree char *type = g_strjoinv (letter, parts);
          g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE (type));
          g_autoptr (GVariant) value = g_variant_ref_sink (random_value (schema, 3));

          g_bytes_unref (assert_round_trip (procfun_codec_get_gvariant (), schema, value));
          g_bytes_unref (assert_round_trip (procfun_codec_get_json (), schema, value));
        }
}

/* As a string and as a key. */
static void
test_each_character (void)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("a{ss}"));

  for (gunichar block = 0; block < 0x11000; block += 256)
    {
      GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));
      g_autoptr (GVariant) value = NULL;

      for (gunichar c = MAX (block, 1); c < block + 256; c++)
        {
          char text[8] = { 0 };

          if (!g_unichar_validate (c))
            continue;
          g_unichar_to_utf8 (c, text);
          g_variant_builder_add (&builder, "{ss}", text, text);
        }
      value = g_variant_ref_sink (g_variant_builder_end (&builder));
      g_bytes_unref (assert_round_trip (procfun_codec_get_json (), schema, value));
    }
}

static void
test_large (void)
{
  g_autoptr (ProcfunSchema) bytes = procfun_schema_new (G_VARIANT_TYPE ("ay"));
  g_autoptr (ProcfunSchema) integers = procfun_schema_new (G_VARIANT_TYPE ("ai"));
  g_autoptr (ProcfunSchema) strings = procfun_schema_new (G_VARIANT_TYPE ("as"));
  const gsize n = 1 << 20;
  g_autofree gint32 *data = g_new (gint32, n);
  GVariantBuilder builder;

  for (gsize i = 0; i < n; i++)
    data[i] = (gint32)((guint32)i * 7919);

  for (gsize size = n - 3; size <= n; size++)
    {
      g_autoptr (GVariant) value
          = g_variant_ref_sink (g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, size, 1));

      g_bytes_unref (assert_round_trip (procfun_codec_get_json (), bytes, value));
      g_bytes_unref (assert_round_trip (procfun_codec_get_gvariant (), bytes, value));
    }
  {
    g_autoptr (GVariant) value = g_variant_ref_sink (
        g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, data, n, sizeof *data));

    g_bytes_unref (assert_round_trip (procfun_codec_get_json (), integers, value));
    g_bytes_unref (assert_round_trip (procfun_codec_get_gvariant (), integers, value));
  }
  {
    g_autoptr (GVariant) value = NULL;

    g_variant_builder_init (&builder, G_VARIANT_TYPE ("as"));
    for (gsize i = 0; i < n / 16; i++)
      g_variant_builder_add (&builder, "s", i % 2 ? "" : "x");
    value = g_variant_ref_sink (g_variant_builder_end (&builder));
    g_bytes_unref (assert_round_trip (procfun_codec_get_json (), strings, value));
    g_bytes_unref (assert_round_trip (procfun_codec_get_gvariant (), strings, value));
  }
}

/* Damage: */

/* GLib 2.74 looks at one byte behind a tuple that ends within padding. */
static GBytes *
slice_of_larger (GByteArray *array)
{
  const gsize size = array->len;
  g_autoptr (GBytes) larger = NULL;

  g_byte_array_append (array, (const guint8 *)"\xff", 1);
  larger = g_byte_array_free_to_bytes (array);
  return g_bytes_new_from_bytes (larger, 0, size);
}

static GBytes *
damage (GBytes *bytes)
{
  static const char *const json[] = {
    "[",     "]",        "{",       "}",        ",",  ":",          "\"",
    "\\",    "\\u",      "\\ud800", "null",     "-",  "1e",         "0",
    ".",     "true",     "\xff",    "\xf0\x9d", "\n", "9999999999", "{\"type\":\"v\",\"value\":",
    "1e999", "\"type\"", "[[[[[["
  };
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  GByteArray *damaged = g_byte_array_new ();
  guint times = 1 + pick (4);

  if (size > 0)
    g_byte_array_append (damaged, data, (guint)size);
  for (guint i = 0; i < times; i++)
    {
      guint at = pick (damaged->len + 1);
      guint length = pick (10);

      switch (pick (5))
        {
        case 0:
          g_byte_array_set_size (damaged, at);
          break;
        case 1:
          if (at < damaged->len)
            damaged->data[at] ^= (guint8)(1 << pick (8));
          break;
        case 2:
          if (at < damaged->len)
            damaged->data[at] = (guint8)g_test_rand_int ();
          break;
        case 3:
          if (at + length <= damaged->len)
            g_byte_array_remove_range (damaged, at, length);
          break;
        default:
          {
            const char *insert = json[pick (G_N_ELEMENTS (json))];
            g_autoptr (GByteArray) whole = g_byte_array_new ();

            if (at > 0)
              g_byte_array_append (whole, damaged->data, at);
            g_byte_array_append (whole, (const guint8 *)insert, (guint)strlen (insert));
            if (at < damaged->len)
              g_byte_array_append (whole, damaged->data + at, damaged->len - at);
            g_byte_array_unref (damaged);
            damaged = g_steal_pointer (&whole);
            break;
          }
        }
    }
  return slice_of_larger (damaged);
}

/* Of the exact size on the heap, where reading further would be seen. */
static GVariant *
decode_tightly (ProcfunCodec *codec, ProcfunSchema *schema, GBytes *bytes, GError **error)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  g_autoptr (GBytes) tight = g_bytes_new_take (g_memdup2 (data, size), size);

  return procfun_codec_decode (codec, schema, tight, error);
}

static void
test_damage (gconstpointer data)
{
  ProcfunCodec *codec = procfun_codec_lookup (data);
  const guint n = g_test_slow () ? 100000 : 1500;
  guint still_valid = 0;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ProcfunSchema) schema = random_schema ();
      g_autoptr (ProcfunSchema) named = with_names (schema);
      g_autoptr (GVariant) value = g_variant_ref_sink (random_value (schema, 5));
      g_autoptr (GBytes) bytes = procfun_codec_encode (codec, named, value, NULL);

      for (guint j = 0; j < 10 && g_bytes_get_size (bytes) < 10000; j++)
        {
          g_autoptr (GBytes) damaged = damage (bytes);
          g_autoptr (GError) error = NULL;
          g_autoptr (GVariant) decoded = decode_tightly (codec, named, damaged, &error);
          g_autoptr (GVariant) untrusted = NULL;
          g_autoptr (GBytes) serialised = NULL;

          if (decoded == NULL)
            {
              g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
              g_assert_true (g_utf8_validate (error->message, -1, NULL));
              continue;
            }

          still_valid++;
          serialised = g_variant_get_data_as_bytes (decoded);
          untrusted
              = g_variant_ref_sink (g_variant_new_from_bytes (schema->type, serialised, FALSE));
          g_assert_true (g_variant_is_normal_form (untrusted));
          g_bytes_unref (assert_round_trip (codec, named, decoded));
        }
    }
  g_test_message ("%u were valid in spite of the damage", still_valid);
}

/* Each beginning of a text. */
static void
test_truncated (gconstpointer data)
{
  ProcfunCodec *codec = procfun_codec_lookup (data);
  const guint n = g_test_slow () ? 3000 : 100;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ProcfunSchema) schema = random_schema ();
      g_autoptr (GVariant) value = g_variant_ref_sink (random_value (schema, 4));
      g_autoptr (GBytes) bytes = procfun_codec_encode (codec, schema, value, NULL);

      for (gsize size = 0; size < MIN (g_bytes_get_size (bytes), 500); size++)
        {
          g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, 0, size);
          g_autoptr (GVariant) decoded = decode_tightly (codec, schema, part, NULL);

          /* a shorter number is a number; text begun by a bracket or a quote is not complete */
          if (codec == procfun_codec_get_json ()
              && strchr ("[{\"", *(const char *)g_bytes_get_data (bytes, NULL)) != NULL)
            g_assert_null (decoded);
        }
    }
}

/* Ours and GLib's idea of the normal form agree. */
static void
test_normal_form (void)
{
  const guint n = g_test_slow () ? 300000 : 5000;
  guint normal = 0;
  guint total = 0;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ProcfunSchema) schema = random_schema ();
      g_autoptr (GVariant) value = g_variant_ref_sink (random_value (schema, 5));
      g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (value);

      if (g_bytes_get_size (bytes) > 10000)
        continue;
      for (guint j = 0; j < 10; j++)
        {
          g_autoptr (GBytes) damaged = damage (bytes);
          g_autoptr (GVariant) untrusted
              = g_variant_ref_sink (g_variant_new_from_bytes (schema->type, damaged, FALSE));
          gboolean ours = wire_serialised_is_normal (schema, g_bytes_get_data (damaged, NULL),
                                                     g_bytes_get_size (damaged));

          if (ours != g_variant_is_normal_form (untrusted))
            {
              g_autofree char *type = g_variant_type_dup_string (schema->type);
              g_autofree char *hex
                  = g_base64_encode (g_bytes_get_data (damaged, NULL), g_bytes_get_size (damaged));

              g_error ("%s: %s is %s for us, but not for GLib", type, hex,
                       ours ? "normal" : "not normal");
            }
          normal += ours;
          total++;
        }
    }
  g_test_message ("%u of %u were normal", normal, total);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/codec-property/random-values-survive", test_round_trip);
  fixture_add_func ("/codec-property/each-type-survives", test_each_type);
  fixture_add_func ("/codec-property/each-character-survives", test_each_character);
  fixture_add_func ("/codec-property/large-values-survive", test_large);
  fixture_add_func ("/codec-property/normal-form-is-that-of-glib", test_normal_form);
  fixture_add_data_func ("/codec-property/damage-is-harmless/json", "json", test_damage);
  fixture_add_data_func ("/codec-property/damage-is-harmless/gvariant", "gvariant", test_damage);
  fixture_add_data_func ("/codec-property/truncated-is-refused/json", "json", test_truncated);
  fixture_add_data_func ("/codec-property/truncated-is-refused/gvariant", "gvariant",
                         test_truncated);

  return fixture_run ();
}
