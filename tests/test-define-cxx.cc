/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* C++ calls what C defines, and defines functions of its own. */

#include "tests/define-functions.h"
#include "tests/fixture.h"

#include <string>

PROCFUN_DEFINE_ENUM (Case, CASE_UPPER, CASE_LOWER)
PROCFUN_DEFINE_STRUCT (Text, (char *, words), (Case, letters), (bool, shout), (gboolean, end))

/* C has _Generic for this, C++ has templates: the same types must have the same kinds. */
#define ASSERT_KIND(Type, its_kind)                                                                \
  static_assert (PROCFUN_KIND_OF_ (Type) == PROCFUN_KIND_##its_kind, "")
ASSERT_KIND (void, VOID);
ASSERT_KIND (gboolean, GBOOLEAN);
ASSERT_KIND (bool, BOOL);
ASSERT_KIND (unsigned char, UINT8);
ASSERT_KIND (gint16, INT16);
ASSERT_KIND (uint16_t, UINT16);
ASSERT_KIND (int, INT32);
ASSERT_KIND (unsigned, UINT32);
ASSERT_KIND (gint64, INT64);
ASSERT_KIND (long long, INT64);
ASSERT_KIND (unsigned long long, UINT64);
ASSERT_KIND (double, DOUBLE);
ASSERT_KIND (float, FLOAT);
ASSERT_KIND (char *, STRING);
ASSERT_KIND (const gchar *, CONST_STRING);
ASSERT_KIND (ProcfunMaybeString, MAYBE_STRING);
ASSERT_KIND (GStrv, STRV);
ASSERT_KIND (GBytes *, BYTES);
ASSERT_KIND (GVariant *, VARIANT);
ASSERT_KIND (ProcfunFd, FD);
ASSERT_KIND (GUnixFDList *, FD_LIST);
ASSERT_KIND (ProcfunBuffer *, BUFFER);
ASSERT_KIND (GInputStream *, INPUT_STREAM);
ASSERT_KIND (ProcfunInt16s, INT16S);
ASSERT_KIND (ProcfunUint64s, UINT64S);
ASSERT_KIND (ProcfunDoubles, DOUBLES);
ASSERT_KIND (Text, STRUCT);
ASSERT_KIND (TextArray, ARRAY);
ASSERT_KIND (Case, ENUM);
ASSERT_KIND (CaseArray, ARRAY);
ASSERT_KIND (char **, NONE);
ASSERT_KIND (Text *, NONE);

/* A function may need objects that exist because constructors ran, here those of another file, too.
 */
extern const std::string greeting;
static const std::string exclamation = "!";

PROCFUN_DEFINE_FUNCTION (greet, char *, (Text, text))
{
  std::string all = greeting + ", " + text.words + (text.shout ? exclamation : "");

  return text.letters == CASE_UPPER ? g_utf8_strup (all.c_str (), -1)
                                    : g_utf8_strdown (all.c_str (), -1);
}

namespace inner
{
PROCFUN_DEFINE_STATIC_FUNCTION (count, guint64, (GStrv, words), (GBytes *, bytes))
{
  return g_strv_length (words) + g_bytes_get_size (bytes);
}
}

static void
test_call_c (void)
{
  const double coordinates[] = { 0, 0, 3000, 1000 };
  ProcfunDoubles numbers = { coordinates, G_N_ELEMENTS (coordinates), NULL };
  GError *error = NULL;
  g_auto (Route) route = route_new_process ("home", numbers, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (route.name, ==, "home");
  g_assert_cmpuint (route.places.length, ==, 2);
  g_assert_cmpfloat (route_length (route, UNIT_METRE), ==, 4000);
  g_assert_cmpfloat (route_length_process (route, UNIT_KILOMETRE, &error), ==, 4);
  g_assert_no_error (error);
  g_assert_true (route_forget_process (&error));
  g_assert_no_error (error);
}

static void
test_error_from_c (void)
{
  const double coordinate = 0;
  ProcfunDoubles numbers = { &coordinate, 1, NULL };
  g_autoptr (GError) error = NULL;
  Route route = route_new_process ("home", numbers, &error);

  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_null (route.name);
}

static void
test_own (void)
{
  Text text = { (char *)"World", CASE_LOWER, true, TRUE };
  GError *error = NULL;
  g_autofree char *result = greet_process (text, &error);
  const char *words[] = { "a", "b", NULL };
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abc", 3);

  g_assert_no_error (error);
  g_assert_cmpstr (result, ==, "hello, world!");
  g_assert_cmpuint (inner::count_process ((GStrv)words, bytes, &error), ==, 5);
  g_assert_no_error (error);
  g_assert_cmpstr (procfun_function_get_signature (greet_function ()), ==, "greet((sibb))s");
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *static_cast<GAsyncResult **> (user_data) = G_ASYNC_RESULT (g_object_ref (result));
}

static void
test_with_settings (void)
{
  Text text = { (char *)"World", CASE_UPPER, false, TRUE };
  const char *words[] = { "a", "b", NULL };
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abc", 3);
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = greet_call (text);
  ProcfunCallSettings settings = {};
  g_autoptr (GAsyncResult) called = NULL, run = NULL;
  GError *error = NULL;

  settings.deadline = G_TIME_SPAN_HOUR;
  g_assert_cmpuint (
      inner::count_process_with ((GStrv)words, bytes, PROCFUN_EXECUTOR (pool), &settings, &error),
      ==, 5);
  g_assert_no_error (error);
  inner::count_process_with_async ((GStrv)words, bytes, PROCFUN_EXECUTOR (pool), NULL, NULL,
                                   keep_result, &called);
  greet_run_async (call, NULL, keep_result, &run);
  while (called == NULL || run == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (inner::count_process_finish (called, &error), ==, 5);
  g_assert_no_error (error);
  g_autofree char *result = greet_run_finish (call, run, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (result, ==, "HELLO, WORLD");
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/define/cxx/c++-calls-functions-of-c", test_call_c);
  fixture_add_func ("/define/cxx/c++-gets-errors-of-c", test_error_from_c);
  fixture_add_func ("/define/cxx/c++ calls with an executor and settings", test_with_settings);
  fixture_add_func ("/define/cxx/c++-defines-functions", test_own);

  return fixture_run ();
}
