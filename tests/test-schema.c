/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include <procfun.h>

#include "procfun/values/schema.h"

static void
assert_type (ProcfunSchema *schema, const char *expected)
{
  g_autofree char *type = g_variant_type_dup_string (procfun_schema_get_variant_type (schema));

  g_assert_cmpstr (type, ==, expected);
}

static void
test_schema_plain (void)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("(ia{sv}m(yd))"));
  ProcfunSchema *dictionary = procfun_schema_get_child (schema, 1);
  ProcfunSchema *entry = procfun_schema_get_child (dictionary, 0);
  ProcfunSchema *maybe = procfun_schema_get_child (schema, 2);

  g_assert_cmpint (procfun_schema_get_kind (schema), ==, PROCFUN_SCHEMA_PLAIN);
  g_assert_cmpuint (procfun_schema_get_n_children (schema), ==, 3);
  g_assert_null (procfun_schema_get_child_name (schema, 0));
  assert_type (schema, "(ia{sv}m(yd))");
  assert_type (procfun_schema_get_child (schema, 0), "i");
  assert_type (dictionary, "a{sv}");
  assert_type (entry, "{sv}");
  assert_type (procfun_schema_get_child (entry, 1), "v");
  assert_type (maybe, "m(yd)");
  assert_type (procfun_schema_get_child (maybe, 0), "(yd)");
}

static void
test_schema_basic (void)
{
  static const char *const types[]
      = { "b", "y", "n", "q", "i", "u", "x", "t", "d", "s", "o", "g", "h", "v" };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (ProcfunSchema) one = procfun_schema_new (G_VARIANT_TYPE (types[i]));
      g_autoptr (ProcfunSchema) other = procfun_schema_new (G_VARIANT_TYPE (types[i]));

      g_assert_true (one == other);
      g_assert_cmpuint (procfun_schema_get_n_children (one), ==, 0);
      g_assert_null (procfun_schema_get_nick (one, 0));
      g_assert_false (procfun_schema_get_value (one, "x", NULL));
      assert_type (one, types[i]);
    }
}

static void
test_schema_named (void)
{
  static const char *const names[] = { "x", "y" };
  g_autoptr (ProcfunSchema) number = procfun_schema_new (G_VARIANT_TYPE_DOUBLE);
  g_autoptr (ProcfunSchema) point = procfun_schema_new_named (
      PROCFUN_SCHEMA_STRUCT, 2, names, (ProcfunSchema *[]){ number, number });
  g_autoptr (ProcfunSchema) points = procfun_schema_new_array (point);
  g_autoptr (ProcfunSchema) arguments = procfun_schema_new_named (
      PROCFUN_SCHEMA_ARGUMENTS, 2, names, (ProcfunSchema *[]){ points, point });

  assert_type (arguments, "(a(dd)(dd))");
  g_assert_cmpint (procfun_schema_get_kind (arguments), ==, PROCFUN_SCHEMA_ARGUMENTS);
  g_assert_cmpint (procfun_schema_get_kind (points), ==, PROCFUN_SCHEMA_PLAIN);
  g_assert_cmpint (procfun_schema_get_kind (point), ==, PROCFUN_SCHEMA_STRUCT);
  g_assert_true (procfun_schema_get_child (arguments, 0) == points);
  g_assert_true (procfun_schema_get_child (points, 0) == point);
  g_assert_cmpstr (procfun_schema_get_child_name (arguments, 0), ==, "x");
  g_assert_cmpstr (procfun_schema_get_child_name (point, 1), ==, "y");
}

static void
test_schema_no_members (void)
{
  g_autoptr (ProcfunSchema) schema
      = procfun_schema_new_named (PROCFUN_SCHEMA_ARGUMENTS, 0, NULL, NULL);

  assert_type (schema, "()");
  g_assert_cmpuint (procfun_schema_get_n_children (schema), ==, 0);
}

static void
test_schema_enum (void)
{
  static const gint32 values[] = { 0, 5, G_MININT32, 5 };
  static const char *const nicks[] = { "none", "some", "least", "also-some" };
  g_autoptr (ProcfunSchema) schema = procfun_schema_new_enum (4, values, nicks);
  gint32 value = 99;

  assert_type (schema, "i");
  g_assert_cmpint (procfun_schema_get_kind (schema), ==, PROCFUN_SCHEMA_ENUM);
  g_assert_cmpuint (procfun_schema_get_n_children (schema), ==, 0);
  g_assert_cmpstr (procfun_schema_get_nick (schema, 5), ==, "some");
  g_assert_cmpstr (procfun_schema_get_nick (schema, G_MININT32), ==, "least");
  g_assert_null (procfun_schema_get_nick (schema, 1));

  g_assert_false (procfun_schema_get_value (schema, "many", &value));
  g_assert_cmpint (value, ==, 99);
  g_assert_true (procfun_schema_get_value (schema, "also-some", &value));
  g_assert_cmpint (value, ==, 5);
  g_assert_true (procfun_schema_get_value (schema, "least", NULL));
}

/* A child outlives its parent if somebody holds it. */
static void
test_schema_child_outlives (void)
{
  g_autoptr (ProcfunSchema) child = NULL;

  {
    g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("(ia{sv})"));

    child = procfun_schema_ref (procfun_schema_get_child (schema, 1));
  }
  assert_type (child, "a{sv}");
  assert_type (procfun_schema_get_child (child, 0), "{sv}");
}

static void
test_schema_boxed (void)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("as"));

  g_value_init (&value, PROCFUN_TYPE_SCHEMA);
  g_value_set_boxed (&value, schema);
  g_assert_true (g_value_get_boxed (&value) == schema);
}

static void
test_schema_misuse (void)
{
  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*g_variant_type_is_definite*");
  g_assert_null (procfun_schema_new (G_VARIANT_TYPE ("a*")));
  g_test_assert_expected_messages ();
}

/* Our layout must be GLib's. */
static void
test_schema_layout (void)
{
  static const struct
  {
    const char *type;
    gsize fixed_size;
    guint alignment;
    guint depth;
    gboolean all_normal;
  } cases[]
      = { { "y", 1, 1, 1, TRUE },      { "b", 1, 1, 1, FALSE },     { "d", 8, 8, 1, TRUE },
          { "s", 0, 1, 1, FALSE },     { "v", 0, 8, 1, FALSE },     { "ay", 0, 1, 2, TRUE },
          { "ad", 0, 8, 2, TRUE },     { "ab", 0, 1, 2, FALSE },    { "as", 0, 1, 2, FALSE },
          { "aad", 0, 8, 3, FALSE },   { "()", 1, 1, 1, FALSE },    { "(y)", 1, 1, 2, TRUE },
          { "(dd)", 16, 8, 2, TRUE },  { "(yd)", 16, 8, 2, FALSE }, { "(dy)", 16, 8, 2, FALSE },
          { "(yb)", 2, 1, 2, FALSE },  { "(ys)", 0, 1, 2, FALSE },  { "a(dd)", 0, 8, 3, TRUE },
          { "a(dy)", 0, 8, 3, FALSE }, { "mi", 0, 4, 2, FALSE },    { "{yv}", 0, 8, 2, FALSE },
          { "((y)n)", 4, 2, 3, FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE (cases[i].type));

      g_assert_cmpuint (schema->fixed_size, ==, cases[i].fixed_size);
      g_assert_cmpuint (schema->alignment, ==, cases[i].alignment);
      g_assert_cmpuint (schema->depth, ==, cases[i].depth);
      g_assert_cmpint (schema->all_normal, ==, cases[i].all_normal);
    }
}

static gpointer
use_schema (gpointer data)
{
  for (guint i = 0; i < 10000; i++)
    {
      g_autoptr (ProcfunSchema) held = procfun_schema_ref (data);
      g_autoptr (ProcfunSchema) child = procfun_schema_ref (procfun_schema_get_child (held, 0));

      g_assert_cmpuint (procfun_schema_get_n_children (child), ==, 1);
    }
  return NULL;
}

static void
test_schema_threads (void)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("(as)"));
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("schema", use_schema, schema);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static void
test_schema_kinds (void)
{
  g_autoptr (GEnumClass) kinds = g_type_class_ref (PROCFUN_TYPE_SCHEMA_KIND);

  g_assert_cmpuint (kinds->n_values, ==, 4);
  g_assert_cmpstr (g_enum_get_value (kinds, PROCFUN_SCHEMA_ENUM)->value_nick, ==, "enum");
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/schema/plain-has-no-names", test_schema_plain);
  fixture_add_func ("/schema/basic-costs-nothing", test_schema_basic);
  fixture_add_func ("/schema/named-has-names", test_schema_named);
  fixture_add_func ("/schema/no-members-is-valid", test_schema_no_members);
  fixture_add_func ("/schema/enum-finds-nicks-and-values", test_schema_enum);
  fixture_add_func ("/schema/child-outlives-parent", test_schema_child_outlives);
  fixture_add_func ("/schema/kinds-have-nicks", test_schema_kinds);
  fixture_add_func ("/schema/is-boxed", test_schema_boxed);
  fixture_add_func ("/schema/misuse-is-critical", test_schema_misuse);
  fixture_add_func ("/schema/layout-is-that-of-gvariant", test_schema_layout);
  fixture_add_func ("/schema/is-shared-by-threads", test_schema_threads);

  return fixture_run ();
}
