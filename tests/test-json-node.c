/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-error.h"
#include "procfun/procfun-json.h"
#include "procfun/values/schema.h"
#include "tests/fixture.h"

#include <math.h>

static JsonNode *
node_parse (const char *json)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = json_from_string (json, &error);

  g_assert_no_error (error);
  return node;
}

static GVariant *
to_variant (const char *type, JsonNode *node, GError **error)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE (type));

  return procfun_json_to_variant (schema, node, error);
}

static void
test_both (void)
{
  static const struct
  {
    const char *type;
    const char *value;
    const char *json;
  } cases[] = {
    { "(sdb)", "('a\"\\n\\u0001ü', 1e21, true)", "[\"a\\\"\\n\\u0001ü\",1e21,true]" },
    { "a{sv}", "{'b': <1>, 'a': <'x'>}",
      "{\"b\":{\"type\":\"i\",\"value\":1},\"a\":{\"type\":\"s\",\"value\":\"x\"}}" },
    { "ad", "[1.0, -0.0, 1e22, 1e308, inf]", "[1.0,-0.0,1e22,1e308,\"Infinity\"]" },
    { "ai", "[-2147483648, 0, 2147483647]", "[-2147483648,0,2147483647]" },
    { "at", "[18446744073709551615, 5]", "[\"18446744073709551615\",5]" },
    { "ay", "[0x00, 0xff]", "\"AP8=\"" },
    { "mi", "nothing", "null" },
    { "s", "''", "\"\"" },
    { "()", "()", "[]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE (cases[i].type));
      g_autoptr (GVariant) value
          = g_variant_parse (G_VARIANT_TYPE (cases[i].type), cases[i].value, NULL, NULL, &error);
      g_autoptr (JsonNode) node = node_parse (cases[i].json);
      g_autoptr (JsonNode) made = procfun_json_from_variant (schema, value, &error);
      g_autoptr (GVariant) read = NULL;

      g_assert_no_error (error);
      g_assert_true (json_node_equal (made, node));
      read = procfun_json_to_variant (schema, node, &error);
      g_assert_no_error (error);
      g_assert_false (g_variant_is_floating (read));
      g_assert_cmpvariant (read, value);
    }
}

/* Nodes that no text makes. */
static void
test_doubles (void)
{
  static const double values[] = { NAN, INFINITY, -INFINITY, 5e-324, 0.1, -0.0 };
  g_autoptr (JsonArray) array = json_array_new ();
  g_autoptr (JsonNode) node = json_node_init_array (json_node_alloc (), array);
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    json_array_add_double_element (array, values[i]);
  value = to_variant ("ad", node, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      double read;

      g_variant_get_child (value, i, "d", &read);
      g_assert_true (isnan (values[i]) ? isnan (read) : read == values[i]);
      g_assert_cmpint (!!signbit (read), ==, !!signbit (values[i]));
    }
}

static void
test_integers (void)
{
  static const gint64 values[] = { 0, -1, G_MININT64, G_MAXINT64 };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (JsonNode) node = json_node_init_int (json_node_alloc (), values[i]);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) value = to_variant ("x", node, &error);

      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int64 (value), ==, values[i]);
    }
}

static void
test_errors (void)
{
  static const struct
  {
    const char *type;
    const char *json;
    const char *message;
  } cases[] = { { "(ay)", "[[300]]", "/0/0: 300 is out of range for a byte" },
                { "i", "1.5", "/: 1.5 is not an integer" },
                { "s", "null", "/: expected a string, found null" },
                { "v", "{\"type\":\"i\"}", "/: “value” is missing" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonNode) node = node_parse (cases[i].json);
      g_autoptr (GError) error = NULL;

      g_assert_null (to_variant (cases[i].type, node, &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
      g_assert_cmpstr (error->message, ==, cases[i].message);
    }
}

/* json-glib takes any bytes for a string. */
static void
test_not_utf8 (void)
{
  g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), "a\xff");
  g_autoptr (GError) error = NULL;

  g_assert_null (to_variant ("s", node, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
}

static void
test_too_deep (void)
{
  g_autoptr (JsonNode) node = json_node_init_null (json_node_alloc ());
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 1000; i++)
    {
      JsonArray *array = json_array_new ();

      json_array_add_element (array, g_steal_pointer (&node));
      node = json_node_alloc ();
      json_node_init_array (node, array);
      json_array_unref (array);
    }
  g_assert_null (to_variant ("v", node, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
}

static void
test_encode_fails (void)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE_HANDLE);
  g_autoptr (GError) error = NULL;

  g_assert_null (procfun_json_from_variant (schema, g_variant_new_handle (-1), &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
  g_clear_error (&error);
  g_assert_null (procfun_json_from_variant (schema, g_variant_new_string (""), &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/json-node/values-survive-both-ways", test_both);
  fixture_add_func ("/json-node/doubles-survive", test_doubles);
  fixture_add_func ("/json-node/integers-survive", test_integers);
  fixture_add_func ("/json-node/errors-name-the-place", test_errors);
  fixture_add_func ("/json-node/not-utf8-is-refused", test_not_utf8);
  fixture_add_func ("/json-node/too-deep-is-refused", test_too_deep);
  fixture_add_func ("/json-node/encode-error-is-passed-on", test_encode_fails);

  return fixture_run ();
}
