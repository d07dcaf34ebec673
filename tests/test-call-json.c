/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/calls.h"
#include "tests/fixture.h"

PROCFUN_DEFINE_STRUCT (Word, (char *, text), (guint, count))

PROCFUN_DEFINE_STATIC_FUNCTION (repeat, Word, (const char *, text), (guint, count))
{
  GString *all = g_string_new (NULL);

  for (guint i = 0; i < count; i++)
    g_string_append (all, text);
  return (Word){ g_string_free (all, FALSE), count };
}

static JsonNode *
parse (const char *json)
{
  JsonNode *node = json_from_string (json, NULL);

  g_assert_nonnull (node);
  return node;
}

static void
test_call (void)
{
  static const char *const arguments[] = { "[\"ab\", 2]", "{\"count\": 2, \"text\": \"ab\"}" };
  g_autoptr (JsonNode) expected = parse ("{\"text\": \"abab\", \"count\": 2}");

  for (gsize i = 0; i < G_N_ELEMENTS (arguments); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) args = parse (arguments[i]);
      g_autoptr (ProcfunCall) call = procfun_call_new_json (repeat_function (), args, &error);
      g_autoptr (GVariant) result = NULL;
      g_autoptr (JsonNode) node = NULL;

      g_assert_no_error (error);
      result = procfun_call_run (call, NULL, &error);
      g_assert_no_error (error);
      node = procfun_call_get_result_json (call, &error);
      g_assert_no_error (error);
      g_assert_true (json_node_equal (node, expected));
    }
}

static void
test_wrong_arguments (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) args = parse ("[\"ab\", -1]");

  g_assert_null (procfun_call_new_json (repeat_function (), args, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE, "repeat()*count*-1*");
}

static void
test_no_result (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) args = parse ("[\"ab\", 1]");
  g_autoptr (ProcfunCall) call = procfun_call_new_json (repeat_function (), args, NULL);

  g_assert_null (procfun_call_get_result_json (call, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, "*repeat()*");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/call-json/json-arguments-give-a-json-result", test_call);
  fixture_add_func ("/call-json/wrong-arguments-are-refused", test_wrong_arguments);
  fixture_add_func ("/call-json/a-void-function-gives-null", test_no_result);
  return fixture_run ();
}
