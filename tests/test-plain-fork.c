/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls of a fork server that ask for nothing special need no object either; their results are the
 * same. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include "procfun/core/function.h"
#include "procfun/core/plain-call.h"
#include "procfun/executors/process-executor.h"
#include "procfun/values/type-packed.h"
#include <procfun.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of all calls of this program: long enough for a machine that is busy. */
#define TIMEOUT_S "4"

PROCFUN_DEFINE_STATIC_FUNCTION (get_nothing, void) {}
PROCFUN_DEFINE_STATIC_FUNCTION (give_int, gint, (gint, value)) { return value; }
PROCFUN_DEFINE_STATIC_FUNCTION (give_string, char *, (const char *, value))
{
  return g_strdup (value);
}
PROCFUN_DEFINE_STATIC_FUNCTION (print_it, gint, (const char *, text))
{
  fputs (text, stdout);
  return 1;
}
PROCFUN_DEFINE_STATIC_FUNCTION (report_half, gint)
{
  procfun_report_progress (0.5, "half");
  return 5;
}
PROCFUN_DEFINE_STATIC_FUNCTION (stay_for_ever, void)
{
  for (;;)
    pause ();
}
PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (fail_so, gint, (gint, code))
{
  g_set_error (error, G_FILE_ERROR, code, "failed with %d", code);
  return 0;
}

static ProcfunExecutor *
set_up (void)
{
  ProcfunExecutor *server = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  g_autoptr (GError) error = NULL;

  procfun_executor_set_default (server);
  g_assert_cmpint (give_int_process (1, &error), ==, 1); /* there is a zygote now */
  g_assert_no_error (error);
  return server;
}

static void
tear_down (ProcfunExecutor *server)
{
  procfun_executor_set_default (NULL);
  g_assert_true (procfun_executor_close (server, NULL, NULL));
  g_object_unref (server);
}

/* Calls, and says whether that took an object. */
static PlainCallStatus
run (ProcfunDefinition *definition, gconstpointer const *values, gpointer result)
{
  ProcfunFunction *function = procfun_definition_get_function (definition);
  g_auto (PlainCall) plain = { .function = function, .definition = definition, .result = result };

  g_assert_true (
      type_pack_arguments (definition->args, function->args_schema, values, &plain.args));
  return procfun_executor_run_plain (procfun_executor_get_default (), &plain);
}

/* On a busy machine an answer may take longer than anybody looks for it. */
static void
test_no_object (void)
{
  ProcfunExecutor *server = set_up ();
  const gint value = 77;
  gconstpointer values[] = { &value };
  gint result = 0;

  while (run (&procfun_definition_of_give_int, values, &result) != PLAIN_CALL_DONE)
    g_thread_yield ();
  g_assert_cmpint (result, ==, value);
  tear_down (server);
}

static void
test_fresh (void)
{
  ProcfunExecutor *server = set_up ();
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  GError *error = NULL;

  for (gint i = 0; i < 20; i++)
    {
      g_assert_true (g_hash_table_add (seen, GINT_TO_POINTER (get_process_id_process (&error))));
      g_assert_no_error (error);
    }
  tear_down (server);
}

/* Also what does not come in one piece. */
static void
test_values (void)
{
  static const gsize sizes[] = { 0, 1, 100, 900, 1000, 4000, 5000, 70000 };
  ProcfunExecutor *server = set_up ();
  GError *error = NULL;

  g_assert_true (get_nothing_process (&error));
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *text = g_strnfill (sizes[i], 'x');
      g_autofree char *back = give_string_process (text, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (back, ==, text);
    }
  tear_down (server);
}

/* The same call as an object. */
static void
assert_same_error (GError *error, ProcfunCall *call)
{
  g_autoptr (GError) expected = NULL;

  g_assert_null (procfun_call_run (call, NULL, &expected));
  g_assert_error (error, expected->domain, expected->code);
  g_assert_cmpstr (error->message, ==, expected->message);
  g_object_unref (call);
  g_error_free (error);
}

static void
test_errors (void)
{
  ProcfunExecutor *server = set_up ();
  GError *error = NULL;

  for (gint i = 0; i < 4; i++)
    {
      g_assert_cmpint (fail_so_process (i, &error), ==, 0);
      assert_same_error (g_steal_pointer (&error), fail_so_call (i));
      g_assert_null (do_return_null_process (&error));
      assert_same_error (g_steal_pointer (&error), do_return_null_call ());
      g_assert_null (do_return_latin1_process (&error));
      assert_same_error (g_steal_pointer (&error), do_return_latin1_call ());
      g_assert_false (fail_void_process (i, &error));
      assert_same_error (g_steal_pointer (&error), fail_void_call (i));
    }
  tear_down (server);
}

static void
test_deaths (void)
{
  ProcfunExecutor *server = set_up ();
  GError *error = NULL;

  do_crash_process (&error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  g_clear_error (&error);
  g_assert_false (do_exit_process (3, &error));
  assert_same_error (g_steal_pointer (&error), do_exit_call (3));
  g_assert_false (do_exit_at_once_process (4, &error));
  assert_same_error (g_steal_pointer (&error), do_exit_at_once_call (4));
  g_assert_false (stay_for_ever_process (&error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_cmpint (give_int_process (1, &error), ==, 1);
  g_assert_no_error (error);
  tear_down (server);
}

static void
test_output (void)
{
  ProcfunExecutor *server = set_up ();
  const char *text = "# printed\n";
  gconstpointer values[] = { &text };
  GError *error = NULL;
  gint result = 0;

  for (gint i = 0; i < 5; i++)
    {
      g_assert_cmpint (run (&procfun_definition_of_print_it, values, &result), ==, PLAIN_CALL_MADE);
      g_assert_cmpint (report_half_process (&error), ==, 5);
      g_assert_no_error (error);
    }
  tear_down (server);
}

/* Processes have the codec and the bounds of their zygote. */
static void
test_settings (void)
{
  ProcfunProcessExecutor *server = PROCFUN_PROCESS_EXECUTOR (set_up ());
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();
  const guint64 max_payload = procfun_process_executor_get_max_payload (server);
  const gint value = 7;
  gconstpointer values[] = { &value };
  GError *error = NULL;
  gint result = 0;

  procfun_process_executor_set_max_payload (server, 8);
  g_assert_cmpint (run (&procfun_definition_of_give_int, values, &result), ==,
                   PLAIN_CALL_NOT_BEGUN);
  g_assert_null (give_string_process ("more than eight bytes", &error));
  assert_same_error (g_steal_pointer (&error), give_string_call ("more than eight bytes"));
  procfun_process_executor_set_max_payload (server, max_payload);
  procfun_process_executor_set_codec (server, procfun_codec_get_json ());
  g_assert_cmpint (run (&procfun_definition_of_give_int, values, &result), ==,
                   PLAIN_CALL_NOT_BEGUN);
  g_assert_cmpint (give_int_process (5, &error), ==, 5);
  procfun_process_executor_set_codec (server, procfun_codec_get_gvariant ());
  procfun_launch_context_set_working_directory (context, "/");
  procfun_process_executor_set_launch_context (server, context);
  g_assert_cmpint (run (&procfun_definition_of_give_int, values, &result), ==,
                   PLAIN_CALL_NOT_BEGUN);
  g_assert_no_error (error);
  tear_down (PROCFUN_EXECUTOR (server));
}

static void
test_killed_zygote (void)
{
  ProcfunExecutor *server = set_up ();
  GError *error = NULL;

  for (gint i = 0; i < 10; i++)
    {
      gint zygote = get_parent_id_process (&error);

      g_assert_no_error (error);
      kill (zygote, SIGKILL);
      while (kill (zygote, 0) == 0) /* until it was reaped */
        g_usleep (100);
      g_assert_cmpint (give_int_process (i, &error), ==, i);
      g_assert_no_error (error);
    }
  tear_down (server);
}

#define N_CALLS 100

static gpointer
call_often (gpointer n_wrong)
{
  for (gint i = 0; i < N_CALLS; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strdup_printf ("call %d", i);
      g_autofree char *back = give_string_process (text, &error);

      if (g_strcmp0 (text, back) != 0)
        g_atomic_int_inc ((gint *)n_wrong);
    }
  return NULL;
}

static void
test_threads (void)
{
  ProcfunExecutor *server = set_up ();
  g_autoptr (ProcfunStatistics) statistics = NULL;
  GThread *threads[4];
  gint n_wrong = 0;

  procfun_process_executor_set_max_processes (PROCFUN_PROCESS_EXECUTOR (server), 2);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_often, &n_wrong);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (n_wrong, ==, 0);
  statistics = procfun_statistics_new (server);
  g_assert_cmpuint (procfun_statistics_get_succeeded (statistics), ==, 4 * N_CALLS + 1);
  tear_down (server);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  g_setenv ("PROCFUN_TIMEOUT", TIMEOUT_S, TRUE);

  fixture_add_func ("/plain-fork/needs-no-object", test_no_object);
  fixture_add_func ("/plain-fork/each-call-has-a-fresh-process", test_fresh);
  fixture_add_func ("/plain-fork/values-arrive-and-return", test_values);
  fixture_add_func ("/plain-fork/errors-are-those-of-an-object", test_errors);
  fixture_add_func ("/plain-fork/deaths-are-told", test_deaths);
  fixture_add_func ("/plain-fork/output-makes-an-object", test_output);
  fixture_add_func ("/plain-fork/other-settings-make-an-object", test_settings);
  fixture_add_func ("/plain-fork/a-killed-zygote-is-replaced", test_killed_zygote);
  fixture_add_func ("/plain-fork/threads-share-the-bound", test_threads);
  return fixture_run ();
}
