/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"
#include "tests/thunk.h"

#include "procfun/values/type.h"
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

PROCFUN_DEFINE_ENUM (Mode, MODE_FAST, MODE_VERY_SLOW, (MODE_LAST, 77))
PROCFUN_DEFINE_STRUCT (Point, (double, x), (double, y))
PROCFUN_DEFINE_STRUCT (Plain, (guint8, a), (gboolean, b), (gint16, c), (Point, d), (bool, e),
                       (float, f), (Mode, g), (gint64, h), (guint8, i))
#define ECHO(name, Type)                                                                           \
  PROCFUN_DEFINE_STATIC_FUNCTION (echo_##name, Type, (Type, value)) { return value; }

ECHO (gboolean, gboolean)
ECHO (bool, bool)
ECHO (guint8, guint8)
ECHO (uchar, unsigned char)
ECHO (uint8, uint8_t)
ECHO (gint16, gint16)
ECHO (int16, int16_t)
ECHO (short, short)
ECHO (guint16, guint16)
ECHO (uint16, uint16_t)
ECHO (ushort, unsigned short)
ECHO (gint32, gint32)
ECHO (gint, gint)
ECHO (int, int)
ECHO (int32, int32_t)
ECHO (signed, signed)
ECHO (guint32, guint32)
ECHO (guint, guint)
ECHO (unsigned, unsigned)
ECHO (uint32, uint32_t)
ECHO (gint64, gint64)
ECHO (int64, int64_t)
ECHO (long_long, long long)
ECHO (guint64, guint64)
ECHO (uint64, uint64_t)
ECHO (unsigned_long_long, unsigned long long)
ECHO (gsize, gsize)
ECHO (size_t, size_t)
ECHO (gssize, gssize)
ECHO (long, long)
ECHO (glong, glong)
ECHO (gulong, gulong)
ECHO (unsigned_long, unsigned long int)
ECHO (double, double)
ECHO (gdouble, gdouble)
ECHO (float, float)
ECHO (gfloat, gfloat)
ECHO (mode, Mode)
ECHO (point, Point)
ECHO (plain, Plain)

#define assert_echo(name, type_string, Type, ...)                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    static const Type values[] = { __VA_ARGS__ };                                                  \
    const ProcfunDefinition *definition = &procfun_definition_of_echo_##name;                      \
    g_autofree char *its_type = type_string_of (&definition->result);                              \
                                                                                                   \
    g_assert_cmpstr (its_type, ==, type_string);                                                   \
    g_assert_cmpuint (definition->result_size, ==, sizeof (Type));                                 \
    g_assert_cmpuint (type_size (&definition->args[0]), ==, sizeof (Type));                        \
    for (gsize i = 0; i < G_N_ELEMENTS (values); i++)                                              \
      {                                                                                            \
        gconstpointer pointers[] = { &values[i] };                                                 \
        GError *error = NULL;                                                                      \
        Type back;                                                                                 \
                                                                                                   \
        thunk_call (definition, pointers, &back, &error);                                          \
        g_assert_no_error (error);                                                                 \
        g_assert_cmpmem (&back, sizeof (Type), &values[i], sizeof (Type));                         \
      }                                                                                            \
  }                                                                                                \
  G_STMT_END

static char *
type_string_of (const ProcfunMember *member)
{
  g_autoptr (ProcfunSchema) schema = type_schema (member);

  return g_variant_type_dup_string (procfun_schema_get_variant_type (schema));
}

static void
test_scalars (void)
{
  const char *long_type = sizeof (long) == 8 ? "x" : "i";
  const char *ulong_type = sizeof (long) == 8 ? "t" : "u";

  assert_echo (gboolean, "b", gboolean, FALSE, TRUE);
  assert_echo (bool, "b", bool, false, true);
  assert_echo (guint8, "y", guint8, 0, 255);
  assert_echo (uchar, "y", unsigned char, 0, 255);
  assert_echo (uint8, "y", uint8_t, 0, 255);
  assert_echo (gint16, "n", gint16, G_MININT16, -1, G_MAXINT16);
  assert_echo (int16, "n", int16_t, INT16_MIN, INT16_MAX);
  assert_echo (short, "n", short, G_MINSHORT, G_MAXSHORT);
  assert_echo (guint16, "q", guint16, 0, G_MAXUINT16);
  assert_echo (uint16, "q", uint16_t, 0, UINT16_MAX);
  assert_echo (ushort, "q", unsigned short, 0, G_MAXUSHORT);
  assert_echo (gint32, "i", gint32, G_MININT32, -1, G_MAXINT32);
  assert_echo (gint, "i", gint, G_MININT, G_MAXINT);
  assert_echo (int, "i", int, G_MININT, G_MAXINT);
  assert_echo (int32, "i", int32_t, INT32_MIN, INT32_MAX);
  assert_echo (signed, "i", signed, G_MININT, G_MAXINT);
  assert_echo (guint32, "u", guint32, 0, G_MAXUINT32);
  assert_echo (guint, "u", guint, 0, G_MAXUINT);
  assert_echo (unsigned, "u", unsigned, 0, G_MAXUINT);
  assert_echo (uint32, "u", uint32_t, 0, UINT32_MAX);
  assert_echo (gint64, "x", gint64, G_MININT64, -1, G_MAXINT64);
  assert_echo (int64, "x", int64_t, INT64_MIN, INT64_MAX);
  assert_echo (long_long, "x", long long, G_MININT64, G_MAXINT64);
  assert_echo (guint64, "t", guint64, 0, G_MAXUINT64);
  assert_echo (uint64, "t", uint64_t, 0, UINT64_MAX);
  assert_echo (unsigned_long_long, "t", unsigned long long, 0, G_MAXUINT64);
  assert_echo (gsize, ulong_type, gsize, 0, G_MAXSIZE);
  assert_echo (size_t, ulong_type, size_t, 0, G_MAXSIZE);
  assert_echo (gssize, long_type, gssize, G_MINSSIZE, G_MAXSSIZE);
  assert_echo (long, long_type, long, G_MINLONG, G_MAXLONG);
  assert_echo (glong, long_type, glong, G_MINLONG, G_MAXLONG);
  assert_echo (gulong, ulong_type, gulong, 0, G_MAXULONG);
  assert_echo (unsigned_long, ulong_type, unsigned long, 0, G_MAXULONG);
  assert_echo (double, "d", double, 0, -0.0, DBL_MAX, DBL_MIN, DBL_TRUE_MIN, NAN, INFINITY,
               -INFINITY, 0.1);
  assert_echo (gdouble, "d", gdouble, 0.1);
  assert_echo (float, "d", float, 0, -0.0f, FLT_MAX, -FLT_MAX, FLT_TRUE_MIN, NAN, INFINITY, 0.1f);
  assert_echo (gfloat, "d", gfloat, 0.1f);
}

static void
test_gboolean_is_normalised (void)
{
  gboolean odd = 42;
  gconstpointer args[] = { &odd };
  gboolean result;

  g_assert_true (thunk_call (&procfun_definition_of_echo_gboolean, args, &result, NULL));
  g_assert_cmpint (result, ==, TRUE);
}

static void
test_plain_structs (void)
{
  Plain plain, result;
  gconstpointer args[] = { &plain };

  assert_echo (mode, "i", Mode, MODE_FAST, MODE_VERY_SLOW, MODE_LAST, (Mode)1234);
  assert_echo (point, "(dd)", Point, { 1, -2.5 }, { INFINITY, 0.1 });

  /* Padding makes this one unfit for comparing memory. */
  memset (&plain, 0xff, sizeof plain);
  plain = (Plain){ 1, TRUE, -3, { 4, 5 }, true, 0.5f, MODE_LAST, G_MININT64, 255 };
  g_assert_true (thunk_call (&procfun_definition_of_echo_plain, args, &result, NULL));
  g_assert_cmpint (result.a, ==, 1);
  g_assert_cmpint (result.b, ==, TRUE);
  g_assert_cmpint (result.c, ==, -3);
  g_assert_cmpfloat (result.d.x, ==, 4);
  g_assert_cmpfloat (result.d.y, ==, 5);
  g_assert_true (result.e);
  g_assert_cmpfloat (result.f, ==, 0.5f);
  g_assert_cmpint (result.g, ==, MODE_LAST);
  g_assert_cmpint (result.h, ==, G_MININT64);
  g_assert_cmpint (result.i, ==, 255);
}

/* In GVariant's own words, that is, in the layout that it means. */
static void
test_layout (void)
{
  Plain plain = { 1, TRUE, -3, { 4, 5 }, true, 0.5f, MODE_LAST, G_MININT64, 255 };
  gconstpointer args[] = { &plain };
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GVariant) expected = g_variant_ref_sink (
      g_variant_new ("((ybn(dd)bdixy))", 1, TRUE, -3, 4.0, 5.0, TRUE, 0.5, 77, G_MININT64, 255));
  GUnixFDList *fds = NULL;

  variant = g_variant_ref_sink (
      type_arguments_to_variant (procfun_definition_of_echo_plain.args, 1, args, &fds, NULL));
  g_assert_true (g_variant_equal (variant, expected));
  g_assert_cmpmem (g_variant_get_data (variant), g_variant_get_size (variant),
                   g_variant_get_data (expected), g_variant_get_size (expected));
  g_assert_null (fds);
}

PROCFUN_DEFINE_STATIC_FUNCTION (twice, char *, (const char *, first), (char *, second))
{
  return g_strconcat (first, second, NULL);
}

PROCFUN_DEFINE_STATIC_FUNCTION (maybe, ProcfunMaybeString, (ProcfunMaybeString, text))
{
  return g_strdup (text);
}

PROCFUN_DEFINE_STATIC_FUNCTION (reverse, GStrv, (GStrv, words))
{
  GStrv reversed = g_new0 (char *, g_strv_length (words) + 1);

  for (gsize i = 0, n = g_strv_length (words); i < n; i++)
    reversed[n - i - 1] = g_strdup (words[i]);
  return reversed;
}

static void
test_strings (void)
{
  const char *first = "a“ü", *second = "";
  gconstpointer args[] = { &first, &second };
  ProcfunMaybeString texts[] = { NULL, (char *)"", (char *)"x" };
  g_autofree char *result = NULL;

  g_assert_true (thunk_call (&procfun_definition_of_twice, args, &result, NULL));
  g_assert_cmpstr (result, ==, "a“ü");

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      gconstpointer text[] = { &texts[i] };
      g_autofree ProcfunMaybeString maybe_result = NULL;

      g_assert_true (thunk_call (&procfun_definition_of_maybe, text, &maybe_result, NULL));
      g_assert_cmpstr (maybe_result, ==, texts[i]);
    }
}

static void
test_strv (void)
{
  g_auto (GStrv) words = g_strsplit ("one  three", " ", -1);
  g_auto (GStrv) none = g_new0 (char *, 1);
  g_auto (GStrv) result = NULL;
  g_auto (GStrv) none_result = NULL;
  gconstpointer args[] = { &words }, none_args[] = { &none };

  g_assert_true (thunk_call (&procfun_definition_of_reverse, args, &result, NULL));
  g_assert_cmpstrv (result, ((const char *const[]){ "three", "", "one", NULL }));
  g_assert_true (thunk_call (&procfun_definition_of_reverse, none_args, &none_result, NULL));
  g_assert_cmpuint (g_strv_length (none_result), ==, 0);
}

PROCFUN_DEFINE_STATIC_FUNCTION (tail, GBytes *, (GBytes *, bytes), (gsize, offset))
{
  return g_bytes_new_from_bytes (bytes, offset, g_bytes_get_size (bytes) - offset);
}

PROCFUN_DEFINE_STATIC_FUNCTION (box, GVariant *, (GVariant *, value), (gboolean, twice))
{
  return twice ? g_variant_new_variant (value) : g_variant_ref (value);
}

static void
test_bytes_and_variants (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new ("a\0b", 3);
  gsize offsets[] = { 1, 3 };
  gboolean truths[] = { FALSE, TRUE };

  for (gsize i = 0; i < 2; i++)
    {
      gconstpointer args[] = { &bytes, &offsets[i] };
      g_autoptr (GBytes) result = NULL;

      g_assert_true (thunk_call (&procfun_definition_of_tail, args, &result, NULL));
      g_assert_cmpmem (g_bytes_get_data (result, NULL), g_bytes_get_size (result), "\0b",
                       3 - offsets[i]);
    }

  /* Floating arguments are sunk, and a floating result is what functions return, too. */
  for (gsize i = 0; i < 2; i++)
    {
      GVariant *value = g_variant_new ("(ims)", 5, NULL);
      g_autofree char *printed = g_variant_print (value, TRUE);
      g_autofree char *boxed = g_strdup_printf ("<%s>", printed);
      g_autofree char *result_printed = NULL;
      g_autoptr (GVariant) result = NULL;
      gconstpointer args[] = { &value, &truths[i] };

      g_assert_true (thunk_call (&procfun_definition_of_box, args, &result, NULL));
      g_assert_false (g_variant_is_floating (result));
      result_printed = g_variant_print (result, TRUE);
      g_assert_cmpstr (result_printed, ==, truths[i] ? boxed : printed);
    }
}

#define DEFINE_DOUBLED(Name, name, Number)                                                         \
  PROCFUN_DEFINE_STATIC_FUNCTION (doubled_##name, Name, (Name, numbers))                           \
  {                                                                                                \
    Number *all = g_new (Number, numbers.length);                                                  \
                                                                                                   \
    for (gsize i = 0; i < numbers.length; i++)                                                     \
      all[i] = numbers.data[i] * 2;                                                                \
    return procfun_##name##_new_take (all, numbers.length);                                        \
  }                                                                                                \
                                                                                                   \
  static void test_##name (void)                                                                   \
  {                                                                                                \
    const Number all[] = { 1, 2, 50 };                                                             \
                                                                                                   \
    for (gsize length = 0; length <= 3; length++)                                                  \
      {                                                                                            \
        Name numbers = { length > 0 ? all : NULL, length, NULL };                                  \
        gconstpointer args[] = { &numbers };                                                       \
        g_auto (Name) result = { NULL, 0, NULL };                                                  \
                                                                                                   \
        g_assert_true (thunk_call (&procfun_definition_of_doubled_##name, args, &result, NULL));   \
        g_assert_cmpuint (result.length, ==, length);                                              \
        for (gsize i = 0; i < length; i++)                                                         \
          g_assert_true (result.data[i] == all[i] * 2);                                            \
      }                                                                                            \
  }

DEFINE_DOUBLED (ProcfunInt16s, int16s, gint16)
DEFINE_DOUBLED (ProcfunUint16s, uint16s, guint16)
DEFINE_DOUBLED (ProcfunInt32s, int32s, gint32)
DEFINE_DOUBLED (ProcfunUint32s, uint32s, guint32)
DEFINE_DOUBLED (ProcfunInt64s, int64s, gint64)
DEFINE_DOUBLED (ProcfunUint64s, uint64s, guint64)
DEFINE_DOUBLED (ProcfunDoubles, doubles, double)

static void
test_number_arrays (void)
{
  test_int16s ();
  test_uint16s ();
  test_int32s ();
  test_uint32s ();
  test_int64s ();
  test_uint64s ();
  test_doubles ();
}

/* Numbers that own their memory, or a part of it, are not copied, nor are those that arrive. */
static void
test_no_copies (void)
{
  const ProcfunMember *member = &procfun_definition_of_doubled_doubles.result;
  double *all = g_new0 (double, 100);
  g_auto (ProcfunDoubles) numbers = procfun_doubles_new_take (all, 100);
  ProcfunDoubles part = { all + 10, 5, numbers.owner };
  g_auto (ProcfunDoubles) result = { NULL, 0, NULL };
  g_autoptr (GVariant) variant = NULL;
  GUnixFDList *fds = NULL;

  variant = g_variant_ref_sink (type_to_variant (member, &part, &fds, NULL));
  g_assert_true (g_variant_get_data (variant) == all + 10);
  g_assert_true (type_from_variant (member, variant, NULL, &result, NULL));
  g_assert_true (result.data == all + 10);
  g_assert_cmpuint (result.length, ==, 5);
}

/* Some numbers only: bytes on the wire may begin anywhere. */
static void
test_unaligned_numbers (void)
{
  const ProcfunMember *member = &procfun_definition_of_doubled_doubles.result;
  double number = 0.1;
  g_autoptr (GVariant) variant = NULL;
  g_auto (ProcfunDoubles) result = { NULL, 0, NULL };
  char *memory = g_malloc (sizeof number + 1);

  memcpy (memory + 1, &number, sizeof number);
  variant = g_variant_ref_sink (g_variant_new_from_data (G_VARIANT_TYPE ("ad"), memory + 1,
                                                         sizeof number, TRUE, g_free, memory));
  g_assert_true (type_from_variant (member, variant, NULL, &result, NULL));
  g_assert_cmpuint ((gsize)result.data % sizeof number, ==, 0);
  g_assert_cmpfloat (result.data[0], ==, number);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/type/scalars-survive", test_scalars);
  fixture_add_func ("/type/gboolean-is-normalised", test_gboolean_is_normalised);
  fixture_add_func ("/type/plain-structs-survive", test_plain_structs);
  fixture_add_func ("/type/layout-is-that-of-gvariant", test_layout);
  fixture_add_func ("/type/strings-survive", test_strings);
  fixture_add_func ("/type/strv-survives", test_strv);
  fixture_add_func ("/type/bytes-and-variants-survive", test_bytes_and_variants);
  fixture_add_func ("/type/numbers/survive", test_number_arrays);
  fixture_add_func ("/type/numbers/are-not-copied", test_no_copies);
  fixture_add_func ("/type/numbers/unaligned-are-copied", test_unaligned_numbers);

  return fixture_run ();
}
