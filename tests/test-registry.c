/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Functions by hash and by name, and those that come at run time. This program's main() registers
 * some and serves them, as a binding's would. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/remotes.h"

#include <gio/gunixfdlist.h>
#include <string.h>

#define NO_SERVE "PROCFUN_TEST_NO_SERVE"

/* Handlers: what they do is their user data. */

static GVariant *
handle_subtract (GVariant *args, gpointer user_data, GError **error)
{
  gint a, b;

  g_variant_get (args, "(ii)", &a, &b);
  return g_variant_new_int32 (a - b + GPOINTER_TO_INT (user_data));
}

static GVariant *
handle_not_floating (GVariant *args, gpointer user_data, GError **error)
{
  return g_variant_ref_sink (g_variant_new_string (user_data));
}

static GVariant *
handle_fail (GVariant *args, gpointer user_data, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "%s", (const char *)user_data);
  return NULL;
}

static GVariant *
handle_fail_with_result (GVariant *args, gpointer user_data, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "%s", (const char *)user_data);
  return g_variant_new_int32 (1);
}

static GVariant *
handle_null (GVariant *args, gpointer user_data, GError **error)
{
  return NULL;
}

static GVariant *
handle_unit (GVariant *args, gpointer user_data, GError **error)
{
  return g_variant_new_tuple (NULL, 0);
}

static GVariant *
handle_crash (GVariant *args, gpointer user_data, GError **error)
{
  do_crash ();
  return NULL;
}

static GVariant *
handle_pass (GVariant *args, gpointer user_data, GError **error)
{
  return g_variant_get_child_value (args, 0);
}

static const char *const a_and_b[] = { "a", "b", NULL };
static const char *const just_a[] = { "a", NULL };

/* All that main() registers: add() as a macro did before, with another meaning. */
static const struct
{
  const char *name;
  const char *const *arg_names;
  const char *args_type;
  const char *return_type;
  ProcfunHandler handler;
  gconstpointer user_data;
} registered[] = {
  { "add", a_and_b, "(ii)", "i", handle_subtract, NULL },
  { "subtract", a_and_b, "(ii)", "i", handle_subtract, NULL },
  { "say", NULL, "()", "s", handle_not_floating, "said" },
  { "refuse", NULL, "()", "i", handle_fail, "refused: %s" },
  { "refuse_and_return", NULL, "()", "i", handle_fail_with_result, "refused" },
  { "forget", NULL, "()", "i", handle_null, NULL },
  { "mistake", NULL, "()", "i", handle_unit, NULL },
  { "unit", NULL, "()", "()", handle_unit, NULL },
  { "crash", NULL, "()", "()", handle_crash, NULL },
  { "pass", just_a, "(a{sv})", "a{sv}", handle_pass, NULL },
};

static ProcfunFunction *functions[G_N_ELEMENTS (registered)];

static void
register_all (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (registered); i++)
    functions[i] = procfun_registry_register (
        procfun_registry_get_default (), registered[i].name, registered[i].arg_names,
        G_VARIANT_TYPE (registered[i].args_type), G_VARIANT_TYPE (registered[i].return_type),
        registered[i].handler, (gpointer)registered[i].user_data, NULL, NULL);
}

/* Calls of what main() registered */

static const struct
{
  const char *name;
  const char *args;
  const char *result; /* NULL: it fails, with */
  GQuark (*domain) (void);
  gint code;
  const char *message;
  gboolean harms;
} cases[] = {
  { "add", "(7, 2)", "5" },
  { "subtract", "(7, 2)", "5" },
  { "say", "()", "'said'" },
  { "unit", "()", "()" },
  { "pass", "({'a': <1>, 'b': <@mi nothing>},)", "{'a': <1>, 'b': <@mi nothing>}" },
  { "refuse", "()", NULL, g_io_error_quark, G_IO_ERROR_BUSY, "refused: %s" },
  { "refuse_and_return", "()", NULL, g_io_error_quark, G_IO_ERROR_BUSY, "refused" },
  { "forget", "()", NULL, procfun_error_quark, PROCFUN_ERROR_ENCODE, "*forget()*" },
  { "mistake", "()", NULL, procfun_error_quark, PROCFUN_ERROR_ENCODE, "*mistake()*“()”*“i”*" },
  { "crash", "()", NULL, procfun_error_quark, PROCFUN_ERROR_CRASHED, "*crash()*SIGSEGV*", TRUE },
};

static ProcfunFunction *
find_registered (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (functions); i++)
    if (strcmp (procfun_function_get_name (functions[i]), name) == 0)
      return functions[i];
  g_assert_not_reached ();
}

static void
test_handlers (ProcfunExecutor *executor, gboolean isolates)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      {
        ProcfunFunction *function = find_registered (cases[i].name);
        g_autoptr (GVariant) args = g_variant_parse (procfun_function_get_arguments_type (function),
                                                     cases[i].args, NULL, NULL, NULL);

        if (cases[i].harms && !isolates)
          continue;
        if (cases[i].result != NULL)
          calls_assert_result (executor, procfun_call_new (function, args), async, cases[i].result);
        else
          calls_assert_error (executor, procfun_call_new (function, args), async,
                              cases[i].domain (), cases[i].code, cases[i].message);
      }
}

static void
test_spawner (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());

  test_handlers (executor, TRUE);
}

static void
test_argv (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());

  procfun_spawner_set_transport (PROCFUN_SPAWNER (executor), PROCFUN_TRANSPORT_ARGV);
  test_handlers (executor, TRUE);
}

/* The host is this program, which comes to its main() there. */
static void
test_hosts (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");

  test_handlers (PROCFUN_EXECUTOR (hosts), TRUE);
  remotes_close (hosts);
}

static void
test_inline (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());

  test_handlers (executor, FALSE);
}

/* Both have their meaning: the one of the macro, and the one of main(). */
static void
test_same_as_macro (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (procfun_registry_lookup_by_name (procfun_registry_get_default (), "add")
                 == add_function ());
  g_assert_cmpint (add_process (7, 2, &error), ==, 9);
  g_assert_no_error (error);
}

/* Without procfun_registry_serve() no process would find the function. */
static void
test_no_serve (void)
{
  g_autoptr (ProcfunExecutor) executor = NULL;

  if (!g_test_subprocess ())
    {
      g_setenv (NO_SERVE, "1", TRUE);
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_unsetenv (NO_SERVE);
      g_test_trap_assert_passed ();
      return;
    }
  executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  calls_assert_error (executor, procfun_call_new (find_registered ("say"), g_variant_new ("()")),
                      FALSE, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                      "*say()*procfun_registry_serve()*");
}

/* main() registers less in the child than it did here. */
static void
test_not_found (void)
{
  g_autoptr (ProcfunRegistry) registry = procfun_registry_new ();
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  ProcfunFunction *late
      = procfun_registry_register (registry, "late", NULL, G_VARIANT_TYPE ("()"),
                                   G_VARIANT_TYPE ("()"), handle_unit, NULL, NULL, NULL);

  calls_assert_error (executor, procfun_call_new (late, g_variant_new ("()")), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_NOT_FOUND, "*late()*");
}

/* A call that does not begin has used nothing of what came before it. */
static void
test_usage_of_none (void)
{
  g_autoptr (ProcfunRegistry) registry = procfun_registry_new ();
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_pool_new (1));
  ProcfunFunction *late
      = procfun_registry_register (registry, "late", NULL, G_VARIANT_TYPE ("()"),
                                   G_VARIANT_TYPE ("()"), handle_unit, NULL, NULL, NULL);
  g_autoptr (ProcfunCall) call = procfun_call_new (late, g_variant_new ("()"));
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GError) error = NULL;
  ProcfunUsage *usage;

  calls_assert_result (executor, procfun_call_new (find_registered ("unit"), g_variant_new ("()")),
                       FALSE, "()");
  g_usleep (2000); /* which is not the call's */
  procfun_call_set_executor (call, executor);
  result = procfun_call_run (call, NULL, &error);
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND, "*registry*");
  g_assert_null (result);
  usage = procfun_call_get_usage (call);
  g_assert_nonnull (usage);
  g_assert_cmpint (procfun_usage_get_wall_time (usage), ==, 0);
  g_assert_true (procfun_executor_close (executor, NULL, NULL));
}

/* The registry itself */

typedef struct
{
  guint n_changes;
  guint position;
  guint removed;
  guint added;
} Changes;

static void
on_items_changed (GListModel *model, guint position, guint removed, guint added, Changes *changes)
{
  changes->n_changes++;
  changes->position = position;
  changes->removed = removed;
  changes->added = added;
}

static ProcfunFunction *
register_nullary (ProcfunRegistry *registry, const char *name, const char *return_type,
                  GError **error)
{
  return procfun_registry_register (registry, name, NULL, G_VARIANT_TYPE ("()"),
                                    G_VARIANT_TYPE (return_type), handle_null, NULL, NULL, error);
}

static void
test_list (void)
{
  g_autoptr (ProcfunRegistry) registry = procfun_registry_new ();
  GListModel *model = G_LIST_MODEL (registry);
  Changes changes = { 0 };
  static const char *const names[] = { "one", "two", "three" };

  g_signal_connect (registry, "items-changed", G_CALLBACK (on_items_changed), &changes);
  g_assert_true (g_list_model_get_item_type (model) == PROCFUN_TYPE_FUNCTION);
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 0);
  g_assert_null (g_list_model_get_item (model, 0));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      ProcfunFunction *function = register_nullary (registry, names[i], "i", NULL);
      g_autoptr (ProcfunFunction) item = g_list_model_get_item (model, i);

      g_assert_true (item == function);
      g_assert_cmpuint (changes.n_changes, ==, i + 1);
      g_assert_cmpuint (changes.position, ==, i);
      g_assert_cmpuint (changes.removed, ==, 0);
      g_assert_cmpuint (changes.added, ==, 1);
    }
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 3);
  g_assert_null (g_list_model_get_item (model, 3));
}

static void
test_lookup (void)
{
  g_autoptr (ProcfunRegistry) registry = procfun_registry_new ();
  ProcfunFunction *first = register_nullary (registry, "same_name", "i", NULL);
  ProcfunFunction *second = register_nullary (registry, "same_name", "s", NULL);

  g_assert_true (procfun_registry_lookup (registry, procfun_function_get_hash (first)) == first);
  g_assert_true (procfun_registry_lookup (registry, procfun_function_get_hash (second)) == second);
  g_assert_true (procfun_registry_lookup_by_name (registry, "same_name") == first);
  g_assert_null (procfun_registry_lookup_by_name (registry, "add"));
  g_assert_null (procfun_registry_lookup (registry, "0000000000000000"));
  g_assert_null (procfun_registry_lookup (registry, ""));
}

/* All that this program defines is in the default registry, once each. */
static void
test_default (void)
{
  ProcfunRegistry *registry = procfun_registry_get_default ();
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (registry));

  g_assert_true (procfun_registry_get_default () == registry);
  g_assert_true (procfun_registry_lookup (registry, procfun_function_get_hash (nest_function ()))
                 == nest_function ());
  g_assert_true (procfun_registry_lookup_by_name (registry, "do_crash") == do_crash_function ());
  g_assert_nonnull (procfun_registry_lookup_by_name (registry, "echo_string"));
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ProcfunFunction) item = g_list_model_get_item (G_LIST_MODEL (registry), i);

      g_assert_true (g_hash_table_add (seen, item));
    }
  g_assert_cmpuint (n, >, 60);
}

/* Refused registrations */

static const char *const twice_a[] = { "a", "a", NULL };
static const char *const no_identifier[] = { "a", "1b", NULL };

static const struct
{
  const char *what;
  const char *name;
  const char *const *arg_names;
  const char *args_type;
  const char *return_type;
} refused[] = {
  { "empty-name", "", NULL, "()", "i" },
  { "digit", "1st", NULL, "()", "i" },
  { "space", "a b", NULL, "()", "i" },
  { "parenthesis", "f()", NULL, "()", "i" },
  { "not-ascii", "größe", NULL, "()", "i" },
  { "no-tuple", "f", just_a, "i", "i" },
  { "any-tuple", "f", NULL, "r", "i" },
  { "indefinite", "f", just_a, "(*)", "i" },
  { "indefinite-array", "f", just_a, "(a?)", "i" },
  { "indefinite-result", "f", NULL, "()", "*" },
  { "too-few-names", "f", just_a, "(ii)", "i" },
  { "too-many-names", "f", a_and_b, "(i)", "i" },
  { "no-names", "f", NULL, "(i)", "i" },
  { "name-twice", "f", twice_a, "(ii)", "i" },
  { "name-is-none", "f", no_identifier, "(ii)", "i" },
};

static void
count (gpointer n)
{
  ++*(guint *)n;
}

static void
test_refused (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (ProcfunRegistry) registry = procfun_registry_new ();
  g_autoptr (GError) error = NULL;
  guint n_destroyed = 0;

  g_assert_null (procfun_registry_register (
      registry, refused[i].name, refused[i].arg_names, G_VARIANT_TYPE (refused[i].args_type),
      G_VARIANT_TYPE (refused[i].return_type), handle_null, &n_destroyed, count, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, "*registered*");
  g_assert_nonnull (strstr (error->message, refused[i].name));
  g_assert_cmpuint (n_destroyed, ==, 1);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (registry)), ==, 0);
}

static void
test_twice (void)
{
  g_autoptr (ProcfunRegistry) registry = procfun_registry_new ();
  g_autoptr (GError) error = NULL;
  Changes changes = { 0 };

  g_assert_nonnull (register_nullary (registry, "f", "i", &error));
  g_signal_connect (registry, "items-changed", G_CALLBACK (on_items_changed), &changes);
  g_assert_null (register_nullary (registry, "f", "i", &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, "*f()i*");
  g_assert_cmpuint (changes.n_changes, ==, 0);
  /* Also beside a macro's. */
  g_clear_error (&error);
  g_assert_null (procfun_registry_register (procfun_registry_get_default (), "add", a_and_b,
                                            G_VARIANT_TYPE ("(ii)"), G_VARIANT_TYPE ("i"),
                                            handle_null, NULL, NULL, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, "*add(ii)i*");
}

static void
test_destroy (void)
{
  ProcfunRegistry *registry = procfun_registry_new ();
  g_autoptr (ProcfunFunction) held = NULL;
  guint n_destroyed = 0;

  held = g_object_ref (procfun_registry_register (registry, "f", NULL, G_VARIANT_TYPE ("()"),
                                                  G_VARIANT_TYPE ("i"), handle_null, &n_destroyed,
                                                  count, NULL));
  g_object_unref (registry);
  g_assert_cmpuint (n_destroyed, ==, 0);
  g_clear_object (&held);
  g_assert_cmpuint (n_destroyed, ==, 1);
}

static void
test_misuse (void)
{
  g_autoptr (ProcfunRegistry) registry = procfun_registry_new ();

  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*handler != NULL*");
  g_assert_null (procfun_registry_register (registry, "f", NULL, G_VARIANT_TYPE ("()"),
                                            G_VARIANT_TYPE ("i"), NULL, NULL, NULL, NULL));
  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*PROCFUN_IS_REGISTRY*");
  g_assert_null (procfun_registry_lookup (NULL, "0"));
  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*name != NULL*");
  g_assert_null (procfun_registry_lookup_by_name (registry, NULL));
  g_test_assert_expected_messages ();
}

static gpointer
register_and_look_up (gpointer registry)
{
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *name = g_strdup_printf ("f%u", i);
      ProcfunFunction *function = register_nullary (registry, name, "i", NULL);

      g_assert_nonnull (procfun_registry_lookup_by_name (registry, name));
      if (function != NULL)
        g_assert_true (procfun_registry_lookup (registry, procfun_function_get_hash (function))
                       == function);
    }
  return NULL;
}

/* The first thread registers each one. */
static void
test_threads (void)
{
  g_autoptr (ProcfunRegistry) registry = procfun_registry_new ();
  GThread *threads[4];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("registrar", register_and_look_up, registry);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (registry)), ==, 200);
}

int
main (int argc, char *argv[])
{
  register_all ();
  if (g_getenv (NO_SERVE) == NULL)
    procfun_registry_serve (procfun_registry_get_default ());
  fixture_init (&argc, &argv);

  fixture_add_func ("/registry/functions-are-listed", test_list);
  fixture_add_func ("/registry/functions-are-found", test_lookup);
  fixture_add_func ("/registry/the-default-registry-has-all-definitions", test_default);
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autofree char *path = g_strconcat ("/registry/refused/", refused[i].what, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_refused);
    }
  fixture_add_func ("/registry/refused/a-name-is-registered-once", test_twice);
  fixture_add_func ("/registry/user-data-is-freed", test_destroy);
  fixture_add_func ("/registry/misuse-is-a-critical-message", test_misuse);
  fixture_add_func ("/registry/threads-register-each-once", test_threads);
  fixture_add_func ("/registry/run-time/run-time-functions-are-spawned", test_spawner);
  fixture_add_func ("/registry/run-time/run-time-functions-take-arguments-by-argv", test_argv);
  fixture_add_func ("/registry/run-time/run-time-functions-run-inline", test_inline);
  fixture_add_func ("/registry/run-time/run-time-functions-run-on-hosts", test_hosts);
  fixture_add_func ("/registry/run-time/macro-and-run-time-names-are-apart", test_same_as_macro);
  fixture_add_func ("/registry/run-time/without-serve-a-call-is-refused", test_no_serve);
  fixture_add_func ("/registry/run-time/a-function-missing-in-the-child-is-an-error",
                    test_not_found);
  fixture_add_func ("/registry/what-is-not-found-has-used-nothing", test_usage_of_none);
  return fixture_run ();
}
