/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include <procfun.h>

#include "procfun/codecs/gvariant.h"

#include <string.h>

/* A codec as a program might add it: GVariant's text format. */
#define TEST_TYPE_CODEC (test_codec_get_type ())
G_DECLARE_FINAL_TYPE (TestCodec, test_codec, TEST, CODEC, GObject)

struct _TestCodec
{
  GObject parent_instance;
  const char *name;
};

static void test_codec_iface_init (ProcfunCodecInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TestCodec, test_codec, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (PROCFUN_TYPE_CODEC, test_codec_iface_init))

static const char *
test_codec_get_name (ProcfunCodec *codec)
{
  return TEST_CODEC (codec)->name;
}

static GBytes *
test_codec_encode (ProcfunCodec *codec, ProcfunSchema *schema, GVariant *value, GError **error)
{
  char *text = g_variant_print (value, FALSE);

  return g_bytes_new_take (text, strlen (text));
}

static GVariant *
test_codec_decode (ProcfunCodec *codec, ProcfunSchema *schema, GBytes *data, GError **error)
{
  gsize size;
  const char *text = g_bytes_get_data (data, &size);

  /* without the type, so that it may be a wrong one */
  return g_variant_parse (NULL, text, text + size, NULL, error);
}

static void
test_codec_iface_init (ProcfunCodecInterface *iface)
{
  iface->get_name = test_codec_get_name;
  iface->encode = test_codec_encode;
  iface->decode = test_codec_decode;
}

static void
test_codec_class_init (TestCodecClass *klass)
{
}

static void
test_codec_init (TestCodec *self)
{
}

static ProcfunCodec *
test_codec_new (const char *name)
{
  TestCodec *self = g_object_new (TEST_TYPE_CODEC, NULL);

  self->name = name;
  return PROCFUN_CODEC (self);
}

static void
test_lookup (void)
{
  g_assert_true (procfun_codec_lookup ("json") == procfun_codec_get_json ());
  g_assert_true (procfun_codec_lookup ("gvariant") == procfun_codec_get_gvariant ());
  g_assert_null (procfun_codec_lookup ("xml"));
  g_assert_cmpstr (procfun_codec_get_name (procfun_codec_get_json ()), ==, "json");
  g_assert_cmpstr (procfun_codec_get_name (procfun_codec_get_gvariant ()), ==, "gvariant");
}

static void
test_register (void)
{
  g_autoptr (ProcfunCodec) text = test_codec_new ("text");
  g_autoptr (ProcfunCodec) other = test_codec_new ("text");
  g_autoptr (ProcfunCodec) json = test_codec_new ("json");
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE_INT32);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (procfun_codec_register (text));
  g_assert_true (procfun_codec_register (text));
  g_assert_false (procfun_codec_register (other));
  g_assert_false (procfun_codec_register (json));
  g_assert_true (procfun_codec_lookup ("text") == text);

  bytes = procfun_codec_encode (text, schema, g_variant_new_int32 (5), &error);
  g_assert_no_error (error);
  value = procfun_codec_decode (text, schema, bytes, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_variant_get_int32 (value), ==, 5);
}

/* A value of another type never gets through, whatever the codec does. */
static void
test_wrong_type (void)
{
  g_autoptr (ProcfunCodec) text = test_codec_new ("text");
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE_INT32);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("'five'", 6);
  g_autoptr (GError) error = NULL;

  g_assert_null (procfun_codec_decode (text, schema, bytes, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
  g_assert_cmpstr (error->message, ==, "The value is of type “s”, not “i”");
  g_clear_error (&error);

  g_assert_null (procfun_codec_encode (text, schema, g_variant_new_string ("five"), &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
  g_assert_cmpstr (error->message, ==, "The value is of type “s”, not “i”");
}

static const char *const codecs[] = { "json", "gvariant" };

static void
test_round_trip (gconstpointer data)
{
  static const char *const values[]
      = { "5", "'x'", "(1, 'a', [true, false])", "{'a': <1>, 'b': <'x'>}", "@as []", "b'abc'" };
  ProcfunCodec *codec = procfun_codec_lookup (data);

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) value = g_variant_parse (NULL, values[i], NULL, NULL, &error);
      g_autoptr (ProcfunSchema) schema = procfun_schema_new (g_variant_get_type (value));
      g_autoptr (GBytes) bytes = procfun_codec_encode (codec, schema, value, &error);
      g_autoptr (GVariant) decoded = NULL;

      g_assert_no_error (error);
      decoded = procfun_codec_decode (codec, schema, bytes, &error);
      g_assert_no_error (error);
      g_assert_cmpvariant (decoded, value);
      g_assert_false (g_variant_is_floating (decoded));
      g_assert_true (g_variant_is_normal_form (decoded));
    }
}

static void
test_floating (gconstpointer data)
{
  ProcfunCodec *codec = procfun_codec_lookup (data);
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE_STRING);
  g_autoptr (GBytes) consumed
      = procfun_codec_encode (codec, schema, g_variant_new_string ("x"), NULL);
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_string ("x"));
  g_autoptr (GBytes) borrowed = procfun_codec_encode (codec, schema, value, NULL);

  g_assert_true (g_bytes_equal (consumed, borrowed));
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, "x");
}

static GVariant *
decode_gvariant (const char *type, gconstpointer data, gsize size, GError **error)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE (type));
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  return procfun_codec_decode (procfun_codec_get_gvariant (), schema, bytes, error);
}

static void
test_gvariant_refuses (void)
{
  static const struct
  {
    const char *type;
    const char *data;
    gsize size;
  } cases[] = {
    { "b", "\2", 1 },                  /* neither true nor false */
    { "i", "\1\0\0", 3 },              /* short */
    { "i", "\1\0\0\0\0", 5 },          /* long */
    { "ai", "\1\0\0\0\0", 5 },         /* no multiple */
    { "ab", "\1\2", 2 },               /* neither */
    { "s", "", 0 },                    /* not ended */
    { "s", "a", 1 },                   /* not ended */
    { "s", "a\0b\0", 4 },              /* ended twice */
    { "s", "\xff\0", 2 },              /* not UTF-8 */
    { "o", "a\0", 2 },                 /* no path */
    { "g", "(\0", 2 },                 /* no signature */
    { "()", "\1", 1 },                 /* not zero */
    { "()", "", 0 },                   /* short */
    { "(yi)", "\1\1\0\0\5\0\0\0", 8 }, /* padding not zero */
    { "(iy)", "\5\0\0\0\1\0\0\1", 8 }, /* padding not zero */
    { "mi", "\0\0\0", 3 },             /* neither nothing nor an int32 */
    { "ms", "a\0\1", 3 },              /* not ended by zero */
    { "as", "a\0b\0\2\3", 6 },         /* offset too small */
    { "as", "a\0b\0\2\5", 6 },         /* offset too large */
    { "as", "a\0b\0\4\2", 6 },         /* offsets not in order */
    { "(ss)", "a\0b\0", 4 },           /* no offset */
    { "(ss)", "a\0b\0\5", 5 },         /* offset too large */
    { "v", "", 0 },                    /* no type */
    { "v", "\5\0\0\0i", 5 },           /* no separator */
    { "v", "\5\0\0\0\0", 5 },          /* no type */
    { "v", "\5\0\0\0\0?", 6 },         /* not definite */
    { "v", "\5\0\0\0\0ii", 7 },        /* two types */
    { "v", "\5\0\0\0i", 5 },           /* short */
    { "av", "\5\0\0\0\0i\7", 7 },      /* offset too large */
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%u: %s", i, cases[i].type);
      g_assert_null (decode_gvariant (cases[i].type, cases[i].data, cases[i].size, &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
    }
}

/* On i386 that of a double is 4 within structs, which is enough for GLib. */
typedef struct
{
  char before;
  double number;
} Aligned;

/* Wherever the bytes lie in memory. */
static void
test_gvariant_alignment (void)
{
  const double doubles[] = { 1.5, 2.5, 3.5 };
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("ad"));
  guint8 room[sizeof doubles + 8];

  for (guint offset = 0; offset < 8; offset++)
    {
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GVariant) value = NULL;
      g_autoptr (GError) error = NULL;
      const double *read;
      gsize n;

      memcpy (room + offset, doubles, sizeof doubles);
      bytes = g_bytes_new_static (room + offset, sizeof doubles);
      value = procfun_codec_decode (procfun_codec_get_gvariant (), schema, bytes, &error);
      g_assert_no_error (error);
      read = g_variant_get_fixed_array (value, &n, sizeof (double));
      g_assert_cmpuint ((gsize)read % G_STRUCT_OFFSET (Aligned, number), ==, 0);
      g_assert_cmpmem (read, n * sizeof (double), doubles, sizeof doubles);
    }
}

/* Large arrays of numbers are not looked at byte by byte, but their size is. */
static void
test_gvariant_large_bytes (void)
{
  g_autofree guint8 *data = g_malloc0 (1 << 20);
  g_autoptr (GVariant) value = decode_gvariant ("ay", data, 1 << 20, NULL);
  g_autoptr (GVariant) uneven = decode_gvariant ("ad", data, (1 << 20) - 1, NULL);

  g_assert_cmpuint (g_variant_get_size (value), ==, 1 << 20);
  g_assert_null (uneven);
}

static void
test_gvariant_too_deep (void)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE_VARIANT);
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_variant (g_variant_new_int32 (5)));

  for (guint n = 1; n < 200; n++)
    {
      GVariant *outer;
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) bytes
          = procfun_codec_encode (procfun_codec_get_gvariant (), schema, value, &error);
      g_autoptr (GVariant) decoded = NULL;

      if (n + 1 > 128)
        g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
      else
        {
          g_assert_no_error (error);
          decoded = procfun_codec_decode (procfun_codec_get_gvariant (), schema, bytes, &error);
          g_assert_no_error (error);
          g_assert_cmpvariant (decoded, value);
        }
      outer = g_variant_ref_sink (g_variant_new_variant (value));
      g_variant_unref (value);
      value = outer;
    }
}

/* The levels of a type count, as in JSON: GLib calls the empty array of 129 levels normal, too. */
static void
test_gvariant_deep_types (void)
{
  for (gsize n_arrays = 126; n_arrays <= 128; n_arrays++)
    {
      g_autofree char *arrays = g_strnfill (n_arrays, 'a');
      g_autofree char *type = g_strconcat (arrays, "v", NULL);
      g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE (type));
      g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) value
          = procfun_codec_decode (procfun_codec_get_gvariant (), schema, nothing, &error);
      g_autoptr (GVariant) theirs
          = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type), nothing, FALSE));
      g_autoptr (GBytes) bytes = NULL;

      g_assert_true (g_variant_is_normal_form (theirs));
      if (n_arrays + 1 <= 128)
        {
          g_assert_no_error (error);
          bytes = procfun_codec_encode (procfun_codec_get_gvariant (), schema, value, &error);
          g_assert_no_error (error);
          continue;
        }
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
      g_assert_cmpstr (error->message, ==, "The value has more than 128 levels");
      g_clear_error (&error);
      bytes = procfun_codec_encode (procfun_codec_get_gvariant (), schema, theirs, &error);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
    }
}

/* Bytes that are no value travel as the value that GLib makes of them. */
static void
test_gvariant_encode_not_normal (void)
{
  static const guint8 data[] = { 'a', 'b', 2, 99, 3 };
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("as"));
  g_autoptr (GVariant) value = g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE ("as"), data, sizeof data, FALSE, NULL, NULL));
  g_autoptr (GVariant) normal = g_variant_get_normal_form (value);
  g_autoptr (GBytes) bytes
      = procfun_codec_encode (procfun_codec_get_gvariant (), schema, value, NULL);
  g_autoptr (GVariant) decoded
      = procfun_codec_decode (procfun_codec_get_gvariant (), schema, bytes, NULL);

  g_assert_cmpvariant (decoded, normal);
}

static gpointer
use_codecs (gpointer data)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("a{sv}"));

  for (guint i = 0; i < 500; i++)
    {
      g_autofree char *name = g_strdup_printf ("thread-%u", i);
      g_autoptr (ProcfunCodec) codec = test_codec_new (g_intern_string (name));
      g_autoptr (GVariant) value
          = g_variant_ref_sink (g_variant_new_parsed ("{'a': <%i>, 'b': <(1, 2)>}", i));

      procfun_codec_register (codec);
      g_assert_nonnull (procfun_codec_lookup (name));
      for (guint j = 0; j < G_N_ELEMENTS (codecs); j++)
        {
          ProcfunCodec *known = procfun_codec_lookup (codecs[j]);
          g_autoptr (GBytes) bytes = procfun_codec_encode (known, schema, value, NULL);
          g_autoptr (GVariant) decoded = procfun_codec_decode (known, schema, bytes, NULL);

          g_assert_cmpvariant (decoded, value);
        }
    }
  return NULL;
}

static void
test_threads (void)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("codec", use_codecs, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/codec/lookup-finds-by-name", test_lookup);
  fixture_add_func ("/codec/register-makes-known", test_register);
  fixture_add_func ("/codec/wrong-type-is-refused", test_wrong_type);
  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    {
      g_autofree char *round_trip = g_strdup_printf ("/codec/%s/round-trip", codecs[i]);
      g_autofree char *floating = g_strdup_printf ("/codec/%s/floating", codecs[i]);

      fixture_add_data_func (round_trip, codecs[i], test_round_trip);
      fixture_add_data_func (floating, codecs[i], test_floating);
    }
  fixture_add_func ("/codec/gvariant/refuses-what-is-not-normal", test_gvariant_refuses);
  fixture_add_func ("/codec/gvariant/unaligned-bytes-are-copied", test_gvariant_alignment);
  fixture_add_func ("/codec/gvariant/large-bytes-are-read", test_gvariant_large_bytes);
  fixture_add_func ("/codec/gvariant/too-deep-is-refused", test_gvariant_too_deep);
  fixture_add_func ("/codec/gvariant/levels-of-the-type-count", test_gvariant_deep_types);
  fixture_add_func ("/codec/gvariant/encode-normalises", test_gvariant_encode_not_normal);
  fixture_add_func ("/codec/is-shared-by-threads", test_threads);

  return fixture_run ();
}
