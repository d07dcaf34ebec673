/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls of a fork server that ask for nothing special need no object either; their results are the
 * same. */

#include "tests/answers.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/plain-calls.h"

#include <procfun.h>
#include <signal.h>
#include <stdio.h>

/* Of all calls of this program: long enough for a machine that is busy. */
#define TIMEOUT_S "4"

PROCFUN_DEFINE_STATIC_FUNCTION (print_it, gint, (const char *, text))
{
  fputs (text, stdout);
  return 1;
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

static void
test_no_object (void)
{
  ProcfunExecutor *server = set_up ();

  assert_needs_no_object (give_int_definition, 77);
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

static void
test_errors (void)
{
  ProcfunExecutor *server = set_up ();

  assert_same_errors (4);
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
      g_assert_cmpint (plain_call_run (&procfun_definition_of_print_it, values, &result), ==,
                       PLAIN_CALL_MADE);
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
  g_assert_cmpint (plain_call_run (give_int_definition, values, &result), ==, PLAIN_CALL_NOT_BEGUN);
  g_assert_null (give_string_process ("more than eight bytes", &error));
  assert_same_error (g_steal_pointer (&error), give_string_call ("more than eight bytes"));
  procfun_process_executor_set_max_payload (server, max_payload);
  procfun_process_executor_set_codec (server, procfun_codec_get_json ());
  g_assert_cmpint (plain_call_run (give_int_definition, values, &result), ==, PLAIN_CALL_NOT_BEGUN);
  g_assert_cmpint (give_int_process (5, &error), ==, 5);
  procfun_process_executor_set_codec (server, procfun_codec_get_gvariant ());
  procfun_launch_context_set_working_directory (context, "/");
  procfun_process_executor_set_launch_context (server, context);
  g_assert_cmpint (plain_call_run (give_int_definition, values, &result), ==, PLAIN_CALL_NOT_BEGUN);
  g_assert_no_error (error);
  tear_down (PROCFUN_EXECUTOR (server));
}

static void
test_killed_zygote (void)
{
  ProcfunExecutor *server = set_up ();
  GError *error = NULL;

  if (!fixture_has_pidfds ())
    g_test_skip ("without pidfds, the end of a zygote is noticed later");
  for (gint i = 0; i < 10 && fixture_has_pidfds (); i++)
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

static void
test_threads (void)
{
  ProcfunExecutor *server = set_up ();
  g_autoptr (ProcfunStatistics) statistics = NULL;

  procfun_process_executor_set_max_processes (PROCFUN_PROCESS_EXECUTOR (server), 2);
  assert_right_from_threads (N_CALLS);
  statistics = procfun_statistics_new (server);
  g_assert_cmpuint (procfun_statistics_get_succeeded (statistics), ==, 4 * N_CALLS + 1);
  tear_down (server);
}

/* From a main loop, beyond the bound of processes */

#define N_WAITING 12

/* One process at a time. */
static ProcfunExecutor *
set_up_narrow (void)
{
  ProcfunExecutor *server = set_up ();

  procfun_process_executor_set_max_processes (PROCFUN_PROCESS_EXECUTOR (server), 1);
  return server;
}

static void
send (Answer answers[N_WAITING])
{
  for (gint i = 0; i < N_WAITING; i++)
    {
      answers[i] = (Answer){ FALSE };
      give_int_process_async (i, NULL, answer_on_result, &answers[i]);
    }
}

/* @domain: 0: each has its own result. */
static void
assert_end (Answer answers[N_WAITING], GQuark domain, gint code)
{
  for (gint i = 0; i < N_WAITING; i++)
    {
      g_autoptr (GError) error = NULL;
      gint result;

      answer_wait (&answers[i]);
      result = give_int_process_finish (answers[i].result, &error);
      if (domain != 0)
        g_assert_error (error, domain, code);
      else
        g_assert_no_error (error);
      g_assert_cmpint (result, ==, domain != 0 ? 0 : i);
      answer_clear (&answers[i]);
    }
}

static void
test_queued (void)
{
  ProcfunExecutor *server = set_up_narrow ();
  Answer answers[N_WAITING];
  Answer crash = { FALSE };
  Answer failure = { FALSE };
  GError *error = NULL;

  do_crash_process_async (NULL, answer_on_result, &crash);
  fail_so_process_async (3, NULL, answer_on_result, &failure);
  send (answers);
  assert_end (answers, 0, 0);
  answer_wait (&crash);
  do_crash_process_finish (crash.result, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  g_clear_error (&error);
  answer_clear (&crash);
  answer_wait (&failure);
  fail_so_process_finish (failure.result, &error);
  assert_same_error (g_steal_pointer (&error), fail_so_call (3));
  answer_clear (&failure);
  tear_down (server);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer done)
{
  procfun_executor_close_full_finish (PROCFUN_EXECUTOR (source), result, NULL);
  *(gboolean *)done = TRUE;
}

/* They are dropped; or cancelled, when they run. */
static void
test_queued_closed (void)
{
  static const ProcfunCloseFlags drop = PROCFUN_CLOSE_DROP_QUEUED | PROCFUN_CLOSE_CANCEL_RUNNING;
  ProcfunExecutor *server = set_up_narrow ();
  gboolean is_closed = FALSE;
  Answer answers[N_WAITING];
  Answer first = { FALSE };
  g_autoptr (GError) error = NULL;

  stay_for_ever_process_async (NULL, answer_on_result, &first);
  send (answers);
  g_main_context_iteration (NULL, FALSE);
  procfun_executor_close_full_async (server, drop, NULL, on_closed, &is_closed);
  assert_end (answers, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  answer_wait (&first);
  stay_for_ever_process_finish (first.result, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  answer_clear (&first);
  while (!is_closed)
    g_main_context_iteration (NULL, TRUE);
  tear_down (server);
}

static void
test_queued_forked (void)
{
  ProcfunExecutor *server = set_up_narrow ();
  Answer answers[N_WAITING];
  pid_t pid;

  send (answers);
  pid = fixture_fork ();
  if (pid == 0)
    {
      assert_end (answers, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
      fixture_exit_fork (TRUE);
    }
  assert_end (answers, 0, 0);
  fixture_wait_for_fork (pid);
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
  fixture_add_func ("/plain-fork/calls-of-a-main-loop-wait-for-processes", test_queued);
  fixture_add_func ("/plain-fork/calls-that-wait-are-dropped-by-closing", test_queued_closed);
  fixture_add_func ("/plain-fork/calls-that-wait-are-not-the-forked-programs", test_queued_forked);
  return fixture_run ();
}
