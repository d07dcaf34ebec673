/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/codecs/schema-json.h"
#include "procfun/procfun-error.h"
#include "procfun/values/schema.h"
#include "tests/fixture.h"
#include "tools/schema.h"

static void
assert_same_schema (ProcfunSchema *a, ProcfunSchema *b)
{
  g_assert_true (g_variant_type_equal (a->type, b->type));
  g_assert_cmpint (a->kind, ==, b->kind);
  g_assert_cmpuint (a->n_children, ==, b->n_children);
  g_assert_cmpuint (a->n_nicks, ==, b->n_nicks);
  for (guint i = 0; i < a->n_nicks; i++)
    {
      g_assert_cmpstr (a->names[i], ==, b->names[i]);
      g_assert_cmpint (a->values[i], ==, b->values[i]);
    }
  for (guint i = 0; i < a->n_children; i++)
    {
      g_assert_cmpstr (procfun_schema_get_child_name (a, i), ==,
                       procfun_schema_get_child_name (b, i));
      assert_same_schema (a->children[i], b->children[i]);
    }
}

static void
assert_round_trip (ProcfunSchema *schema, const char *expected)
{
  g_autoptr (GString) json = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (ProcfunSchema) again = NULL;

  schema_to_json (schema, json);
  g_assert_cmpstr (json->str, ==, expected);
  node = json_from_string (json->str, &error);
  g_assert_no_error (error);
  again = schema_from_json (node, &error);
  g_assert_no_error (error);
  assert_same_schema (schema, again);
}

static void
test_plain (void)
{
  static const char *const types[] = { "i", "v", "()", "a{sv}", "ma(ii)", "(yasam(d))" };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE (types[i]));
      g_autofree char *expected = g_strdup_printf ("{\"type\":\"%s\"}", types[i]);

      assert_round_trip (schema, expected);
    }
}

static void
test_enum (void)
{
  static const gint32 values[] = { 0, -7, G_MAXINT32 };
  static const char *const nicks[] = { "none", "minus-seven", "most" };
  g_autoptr (ProcfunSchema) schema = procfun_schema_new_enum (3, values, nicks);

  assert_round_trip (
      schema, "{\"type\":\"i\",\"values\":{\"none\":0,\"minus-seven\":-7,\"most\":2147483647}}");
}

/* A struct, an array of it, and both as members of another struct. */
static void
test_nested (void)
{
  static const char *const names[] = { "x", "y" };
  static const char *const outer_names[] = { "one", "many" };
  g_autoptr (ProcfunSchema) number = procfun_schema_new (G_VARIANT_TYPE_DOUBLE);
  ProcfunSchema *numbers[] = { number, number };
  g_autoptr (ProcfunSchema) inner
      = procfun_schema_new_named (PROCFUN_SCHEMA_STRUCT, 2, names, numbers);
  g_autoptr (ProcfunSchema) array = procfun_schema_new_array (inner);
  ProcfunSchema *members[] = { inner, array };
  g_autoptr (ProcfunSchema) outer
      = procfun_schema_new_named (PROCFUN_SCHEMA_STRUCT, 2, outer_names, members);

  assert_round_trip (array, "{\"type\":\"a(dd)\",\"element\":{\"type\":\"(dd)\",\"fields\":["
                            "{\"name\":\"x\",\"type\":\"d\"},{\"name\":\"y\",\"type\":\"d\"}]}}");
  assert_round_trip (
      outer, "{\"type\":\"((dd)a(dd))\",\"fields\":["
             "{\"name\":\"one\",\"type\":\"(dd)\",\"fields\":["
             "{\"name\":\"x\",\"type\":\"d\"},{\"name\":\"y\",\"type\":\"d\"}]},"
             "{\"name\":\"many\",\"type\":\"a(dd)\",\"element\":{\"type\":\"(dd)\",\"fields\":["
             "{\"name\":\"x\",\"type\":\"d\"},{\"name\":\"y\",\"type\":\"d\"}]}}]}");
}

/* It comes from another program. */
static void
test_refused (void)
{
  static const char *const texts[] = {
    "1",
    "[]",
    "{}",
    "{\"type\":1}",
    "{\"type\":\"\"}",
    "{\"type\":\"ii\"}",
    "{\"type\":\"a*\"}",
    "{\"type\":\"(d)\",\"fields\":1}",
    "{\"type\":\"(d)\",\"fields\":[1]}",
    "{\"type\":\"(d)\",\"fields\":[{\"type\":\"d\"}]}",
    "{\"type\":\"(d)\",\"fields\":[{\"name\":\"x\",\"type\":\"i\"}]}",
    "{\"type\":\"i\",\"values\":[]}",
    "{\"type\":\"i\",\"values\":{\"red\":\"0\"}}",
    "{\"type\":\"i\",\"values\":{\"red\":2147483648}}",
    "{\"type\":\"i\",\"values\":{\"red\":[]}}",
    "{\"type\":\"u\",\"values\":{\"red\":0}}",
    "{\"type\":\"ai\",\"element\":{}}",
    "{\"type\":\"ai\",\"element\":{\"type\":\"u\"}}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (JsonNode) node = json_from_string (texts[i], NULL);
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", texts[i]);
      g_assert_null (schema_from_json (node, &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
    }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/schema-json/plain-survives", test_plain);
  fixture_add_func ("/schema-json/enum-survives", test_enum);
  fixture_add_func ("/schema-json/nested-survives", test_nested);
  fixture_add_func ("/schema-json/wrong-text-is-refused", test_refused);
  return fixture_run ();
}
