/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* C++ calls what C defines, and defines functions of its own. */

#include "tests/define-functions.h"
#include "tests/fixture.h"

#include <string>

PROCFUN_DEFINE_ENUM (Case, CASE_UPPER, CASE_LOWER)
PROCFUN_DEFINE_STRUCT (Text, (char *, words), (Case, letters), (bool, shout), (gboolean, end))

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

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/define/cxx/call-c", test_call_c);
  fixture_add_func ("/define/cxx/error-from-c", test_error_from_c);
  fixture_add_func ("/define/cxx/own", test_own);

  return fixture_run ();
}
