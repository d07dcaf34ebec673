/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include "procfun/core/function.h"

PROCFUN_DEFINE_STATIC_FUNCTION (distance, double, (Spot, a), (Spot, b)) { return b.x - a.x; }

/* Each hash is what `printf SIGNATURE | sha256sum` begins with: other programs, and other versions,
 * count on it. */
static const struct
{
  ProcfunFunction *(*get) (void);
  const char *name;
  const char *signature;
  const char *hash;
  ProcfunFunctionFlags flags;
  const char *arg_names;
} cases[] = {
  { nothing_function, "nothing", "nothing()()", "161ddec77bc66f26", PROCFUN_FUNCTION_NONE, "" },
  { add_function, "add", "add(ii)i", "c483cf3ff82e4075", PROCFUN_FUNCTION_NONE, "a b " },
  { distance_function, "distance", "distance((di)(di))d", "83ebac23f42af432", PROCFUN_FUNCTION_NONE,
    "a b " },
  { fail_function, "fail", "fail(sis)i", "a7e5a8002a2a7bf8", PROCFUN_FUNCTION_WITH_ERROR,
    "domain code message " },
  { fail_void_function, "fail_void", "fail_void(i)()", "77baa86849abb20c",
    PROCFUN_FUNCTION_WITH_ERROR, "code " },
  { get_variable_function, "get_variable", "get_variable(s)ms", "7ceb044a1f5c2956",
    PROCFUN_FUNCTION_NONE, "name " },
  { open_many_function, "open_many", "open_many(u)ah", "7c9ca3af086b0646", PROCFUN_FUNCTION_NONE,
    "n " },
};

static void
test_description (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  ProcfunFunction *function = cases[i].get ();
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree char *args_type = NULL;
  g_autofree char *return_type = NULL;
  g_autofree char *signature = NULL;

  g_assert_true (cases[i].get () == function);
  g_assert_cmpstr (procfun_function_get_name (function), ==, cases[i].name);
  g_assert_cmpstr (procfun_function_get_signature (function), ==, cases[i].signature);
  g_assert_cmpstr (procfun_function_get_hash (function), ==, cases[i].hash);
  g_assert_cmpint (procfun_function_get_flags (function), ==, cases[i].flags);
  g_assert_null (procfun_function_get_module (function));
  for (guint k = 0; k < procfun_function_get_n_arguments (function); k++)
    g_string_append_printf (names, "%s ", procfun_function_get_argument_name (function, k));
  g_assert_cmpstr (names->str, ==, cases[i].arg_names);
  args_type = g_variant_type_dup_string (procfun_function_get_arguments_type (function));
  return_type = g_variant_type_dup_string (procfun_function_get_return_type (function));
  signature = g_strconcat (cases[i].name, args_type, return_type, NULL);
  g_assert_cmpstr (signature, ==, cases[i].signature);
}

static void
test_properties (void)
{
  g_autofree char *name = NULL;
  g_autofree char *hash = NULL;
  g_autofree char *signature = NULL;

  g_object_get (add_function (), "name", &name, "hash", &hash, "signature", &signature, NULL);
  g_assert_cmpstr (name, ==, "add");
  g_assert_cmpstr (hash, ==, "c483cf3ff82e4075");
  g_assert_cmpstr (signature, ==, "add(ii)i");
}

/* The number is what goes over the wire. */
static void
test_hash_number (void)
{
  g_assert_cmpuint (add_function ()->hash_number, ==, G_GUINT64_CONSTANT (0xc483cf3ff82e4075));
}

/* Names of fields and of values, which JSON needs. */
static void
test_schemas (void)
{
  ProcfunFunction *function
      = procfun_registry_lookup_by_name (procfun_registry_get_default (), "echo_shape");
  ProcfunSchema *args = procfun_function_get_arguments_schema (function);
  ProcfunSchema *shape = procfun_function_get_return_schema (function);

  g_assert_cmpint (procfun_schema_get_kind (args), ==, PROCFUN_SCHEMA_ARGUMENTS);
  g_assert_cmpstr (procfun_schema_get_child_name (args, 0), ==, "value");
  g_assert_cmpint (procfun_schema_get_kind (shape), ==, PROCFUN_SCHEMA_STRUCT);
  g_assert_cmpstr (procfun_schema_get_child_name (shape, 3), ==, "corners");
  g_assert_cmpstr (procfun_schema_get_nick (procfun_schema_get_child (shape, 1), COLOUR_DARK_BLUE),
                   ==, "dark-blue");
}

static void
test_misuse (void)
{
  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*index < *");
  g_assert_null (procfun_function_get_argument_name (add_function (), 2));
  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*PROCFUN_IS_FUNCTION*");
  g_assert_null (procfun_function_get_name (NULL));
  g_test_assert_expected_messages ();
}

/* Use of the plain function does not change its description. */
static void
test_plain (void)
{
  const Spot a = { 1, 0 };
  const Spot b = { 3, 0 };

  g_assert_cmpfloat (distance (a, b), ==, 2);
  g_assert_cmpfloat (distance_process (a, b, NULL), ==, 2);
}

static gpointer
get_function (gpointer user_data)
{
  return nest_function ();
}

/* The first caller makes it, and all get the same. */
static void
test_threads (void)
{
  GThread *threads[8];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("asks", get_function, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_true (g_thread_join (threads[i]) == nest_function ());
}

static void
test_flags (void)
{
  g_autoptr (GFlagsClass) flags = g_type_class_ref (PROCFUN_TYPE_FUNCTION_FLAGS);

  g_assert_cmpuint (flags->n_values, ==, 4);
  g_assert_cmpuint (flags->mask, ==,
                    PROCFUN_FUNCTION_WITH_ERROR | PROCFUN_FUNCTION_RUN_TIME
                        | PROCFUN_FUNCTION_GENERATOR | PROCFUN_FUNCTION_IDEMPOTENT);
  g_assert_cmpstr (g_flags_get_first_value (flags, PROCFUN_FUNCTION_GENERATOR)->value_nick, ==,
                   "generator");
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/function/threads-get-the-same-function", test_threads);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/function/description/", cases[i].name, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_description);
    }
  fixture_add_func ("/function/flags-say-what-a-function-is", test_flags);
  fixture_add_func ("/function/properties-describe-the-function", test_properties);
  fixture_add_func ("/function/the-hash-is-the-number-on-the-wire", test_hash_number);
  fixture_add_func ("/function/schemas-have-names", test_schemas);
  fixture_add_func ("/function/misuse-is-a-critical-message", test_misuse);
  fixture_add_func ("/function/using-the-plain-function-changes-nothing", test_plain);
  return fixture_run ();
}
