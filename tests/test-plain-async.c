/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asynchronous calls that ask for nothing special go to a waiting worker without an object; their
 * results are the same. */

#include "tests/answers.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/plain-calls.h"
#include "tests/pools.h"

#include "procfun/core/plain-async.h"
#include <procfun.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* Of all calls of this program: long enough for a machine that is busy. */
#define TIMEOUT_S "5"

PROCFUN_DEFINE_STRUCT (Place, (char *, name), (double, x), (double, y), (GStrv, words), (gint64, a),
                       (gint64, b))

PROCFUN_DEFINE_STATIC_FUNCTION (make_place, Place, (gint, n))
{
  return (Place){ g_strdup_printf ("place %d", n), n, -n, g_strsplit ("a b", " ", -1), n, n };
}
PROCFUN_DEFINE_STATIC_FUNCTION (give_bytes, GBytes *, (GBytes *, value))
{
  return g_bytes_ref (value);
}
PROCFUN_DEFINE_STATIC_FUNCTION (print_it, gint, (const char *, text))
{
  fputs (text, stdout);
  return 1;
}

/* A pool with one worker that has been called before. */

#define N_FIRST 3

static ProcfunPool *
make_pool (void)
{
  ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GError) error = NULL;

  procfun_executor_set_default (PROCFUN_EXECUTOR (pool));
  for (gint i = 0; i < N_FIRST; i++)
    {
      g_assert_cmpint (give_int_process (i, &error), ==, i);
      g_assert_no_error (error);
    }
  return pool;
}

static void
drop_pool (ProcfunPool *pool)
{
  procfun_executor_set_default (NULL);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  g_object_unref (pool);
}

static gint
get_pid (void)
{
  Answer answer = { FALSE };
  g_autoptr (GError) error = NULL;
  gint pid;

  get_process_id_process_async (NULL, answer_on_result, &answer);
  answer_wait (&answer);
  pid = get_process_id_process_finish (answer.result, &error);
  g_assert_no_error (error);
  answer_clear (&answer);
  return pid;
}

#define N_TIMES 40

static void
test_no_object (void)
{
  ProcfunPool *pool = make_pool ();
  GError *error = NULL;

  for (gint i = 0; i < N_TIMES; i++)
    {
      gboolean needed_object = TRUE;

      g_assert_cmpint (answer_give_int (i, &needed_object, &error), ==, i);
      g_assert_no_error (error);
      g_assert_false (needed_object);
    }
  drop_pool (pool);
}

/* Also with an answer that is there before the main loop is run. */
static void
test_never_at_once (void)
{
  ProcfunPool *pool = make_pool ();
  Answer answer = { FALSE };

  for (gint i = 0; i < N_TIMES; i++)
    {
      give_int_process_async (i, NULL, answer_on_result, &answer);
      g_assert_false (answer.has_come);
      if (i % 2 == 0)
        g_usleep (1000);
      g_assert_false (answer.has_come);
      answer_wait (&answer);
      answer_clear (&answer);
    }
  give_int_process_async (1, NULL, NULL, NULL); /* nobody wants to know */
  while (pools_get_statistic (pool, "running") > 0)
    g_main_context_iteration (NULL, TRUE);
  drop_pool (pool);
}

/* Values */

static void
check_place (gint n)
{
  g_auto (Place) place = { NULL };
  g_autoptr (GError) error = NULL;
  Answer answer = { FALSE };

  make_place_process_async (n, NULL, answer_on_result, &answer);
  answer_wait (&answer);
  place = make_place_process_finish (answer.result, &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (place.name, "place "));
  g_assert_cmpfloat (place.y, ==, -n);
  g_assert_cmpuint (g_strv_length (place.words), ==, 2);
  g_assert_cmpint (place.b, ==, n);
  answer_clear (&answer);
}

/* Also what is too large for the ring. */
static void
check_bytes (gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size + 1), size);
  g_autoptr (GBytes) back = NULL;
  g_autoptr (GError) error = NULL;
  Answer answer = { FALSE };

  give_bytes_process_async (bytes, NULL, answer_on_result, &answer);
  answer_wait (&answer);
  back = give_bytes_process_finish (answer.result, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (bytes, back));
  answer_clear (&answer);
}

static void
check_nothing (void)
{
  Answer answer = { FALSE };

  get_nothing_process_async (NULL, answer_on_result, &answer);
  answer_wait (&answer);
  g_assert_true (get_nothing_process_finish (answer.result, NULL));
  answer_clear (&answer);
}

static void
test_values (void)
{
  ProcfunPool *pool = make_pool ();

  for (gint i = 0; i < N_TIMES; i++)
    {
      check_place (i);
      check_bytes ((gsize)i * 300);
      check_nothing ();
    }
  check_bytes (100000);
  drop_pool (pool);
}

/* Results that are not taken, taken twice, or kept while others come. */
static void
test_results (void)
{
  ProcfunPool *pool = make_pool ();
  Answer answers[3] = { { FALSE } };
  g_autoptr (GError) error = NULL;

  for (gint i = 0; i < 3; i++)
    {
      g_autofree char *text = g_strdup_printf ("%d", i);

      give_string_process_async (text, NULL, answer_on_result, &answers[i]);
      answer_wait (&answers[i]);
    }
  for (gint i = 0; i < 2; i++)
    {
      g_autofree char *expected = g_strdup_printf ("%d", i);
      g_autofree char *text = give_string_process_finish (answers[i].result, &error);

      g_assert_cmpstr (text, ==, expected);
      g_assert_no_error (error);
      g_assert_null (give_string_process_finish (answers[i].result, &error));
    }
  for (gint i = 0; i < 3; i++)
    answer_clear (&answers[i]);
  drop_pool (pool);
}

/* Errors and ends */

static void
test_errors (void)
{
  ProcfunPool *pool = make_pool ();
  Answer answer = { FALSE };
  GError *error = NULL;

  for (gint i = 0; i < 10; i++)
    {
      fail_so_process_async (i, NULL, answer_on_result, &answer);
      answer_wait (&answer);
      g_assert_true (answer.needed_object);
      g_assert_cmpint (fail_so_process_finish (answer.result, &error), ==, 0);
      assert_same_error (g_steal_pointer (&error), fail_so_call (i));
      answer_clear (&answer);
      give_string_process_async ("\xff", NULL, answer_on_result, &answer);
      answer_wait (&answer);
      g_assert_null (give_string_process_finish (answer.result, &error));
      assert_same_error (g_steal_pointer (&error), give_string_call ("\xff"));
      answer_clear (&answer);
      g_assert_cmpint (answer_give_int (i, NULL, &error), ==, i);
      g_assert_no_error (error);
    }
  drop_pool (pool);
}

static void
test_deaths (void)
{
  ProcfunPool *pool = make_pool ();
  Answer answer = { FALSE };
  GError *error = NULL;
  gint pid = get_pid ();

  do_crash_process_async (NULL, answer_on_result, &answer);
  answer_wait (&answer);
  do_crash_process_finish (answer.result, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  g_clear_error (&error);
  answer_clear (&answer);
  g_assert_cmpint (get_pid (), !=, pid);
  get_pid ();
  do_exit_process_async (3, NULL, answer_on_result, &answer);
  answer_wait (&answer);
  g_assert_false (do_exit_process_finish (answer.result, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_EXITED);
  assert_same_error (g_steal_pointer (&error), do_exit_call (3));
  answer_clear (&answer);
  get_pid ();
  drop_pool (pool);
}

static void
test_killed (void)
{
  ProcfunPool *pool = make_pool ();
  GError *error = NULL;

  for (gint i = 0; i < 10; i++)
    {
      gint pid = get_pid ();

      g_assert_cmpint (get_pid (), ==, pid);
      kill (pid, SIGKILL);
      if (i % 2 == 0)
        g_usleep (2000); /* it may be dead, or about to die */
      g_assert_cmpint (answer_give_int (i, NULL, &error), ==, i);
      g_assert_no_error (error);
    }
  drop_pool (pool);
}

static void
assert_stay_ends_with (Answer *answer, GQuark domain, gint code)
{
  g_autoptr (GError) error = NULL;

  answer_wait (answer);
  g_assert_false (stay_for_ever_process_finish (answer->result, &error));
  g_assert_error (error, domain, code);
  g_assert_true (answer->needed_object);
  answer_clear (answer);
}

static void
test_timeout (void)
{
  ProcfunPool *pool = make_pool ();
  Answer answer = { FALSE };

  stay_for_ever_process_async (NULL, answer_on_result, &answer);
  assert_stay_ends_with (&answer, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  get_pid ();
  drop_pool (pool);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer done)
{
  procfun_executor_close_full_finish (PROCFUN_EXECUTOR (source), result, NULL);
  *(gboolean *)done = TRUE;
}

/* By whom it is closed. */
static void
test_cancelled_by_close (void)
{
  const ProcfunCloseFlags flags[] = { PROCFUN_CLOSE_CANCEL_RUNNING, PROCFUN_CLOSE_NONE };

  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      ProcfunPool *pool = make_pool ();
      Answer answer = { FALSE };
      gboolean is_closed = FALSE;

      if (flags[i] == PROCFUN_CLOSE_NONE)
        procfun_pool_set_close_timeout (pool, 50 * G_TIME_SPAN_MILLISECOND);
      stay_for_ever_process_async (NULL, answer_on_result, &answer);
      g_main_context_iteration (NULL, FALSE);
      procfun_executor_close_full_async (PROCFUN_EXECUTOR (pool), flags[i], NULL, on_closed,
                                         &is_closed);
      assert_stay_ends_with (&answer, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      while (!is_closed)
        g_main_context_iteration (NULL, TRUE);
      drop_pool (pool);
    }
}

static void
test_output (void)
{
  ProcfunPool *pool = make_pool ();
  Answer answer = { FALSE };

  for (gint i = 0; i < 10; i++)
    {
      print_it_process_async ("# printed\n", NULL, answer_on_result, &answer);
      answer_wait (&answer);
      g_assert_cmpint (print_it_process_finish (answer.result, NULL), ==, 1);
      g_assert_true (answer.needed_object);
      answer_clear (&answer);
      report_half_process_async (NULL, answer_on_result, &answer);
      answer_wait (&answer);
      g_assert_cmpint (report_half_process_finish (answer.result, NULL), ==, 5);
      g_assert_true (answer.needed_object);
      answer_clear (&answer);
    }
  drop_pool (pool);
}

/* The pool */

static void
test_counted (void)
{
  ProcfunPool *pool = make_pool ();
  guint64 before = pools_get_statistic (pool, "succeeded");
  Answer answer = { FALSE };

  for (gint i = 0; i < N_TIMES; i++)
    answer_give_int (i, NULL, NULL);
  g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, before + N_TIMES);
  give_int_process_async (1, NULL, answer_on_result, &answer);
  g_assert_cmpuint (pools_get_statistic (pool, "running"), ==, 1);
  answer_wait (&answer);
  g_assert_cmpuint (pools_get_statistic (pool, "running"), ==, 0);
  answer_clear (&answer);
  drop_pool (pool);
}

static void
test_recycled (void)
{
  ProcfunPool *pool = make_pool ();
  Answer answer = { FALSE };
  gint pid = get_pid ();

  leave_descriptor_process_async (NULL, answer_on_result, &answer);
  answer_wait (&answer);
  answer_clear (&answer);
  g_assert_cmpint (get_pid (), !=, pid);
  procfun_pool_set_calls_per_worker (pool, 10);
  pid = get_pid ();
  for (gint i = 0; i < 10; i++)
    answer_give_int (i, NULL, NULL);
  g_assert_cmpint (get_pid (), !=, pid);
  drop_pool (pool);
}

/* Calls beyond the workers wait in the queue. */

static void
call_many (Answer answers[N_TIMES])
{
  for (gint i = 0; i < N_TIMES; i++)
    {
      answers[i] = (Answer){ FALSE };
      give_int_process_async (i, NULL, answer_on_result, &answers[i]);
    }
}

/* Each with its own result. */
static void
assert_answered (Answer answers[N_TIMES])
{
  GError *error = NULL;

  for (gint i = 0; i < N_TIMES; i++)
    {
      while (!answers[i].has_come)
        g_main_context_iteration (NULL, TRUE);
      g_assert_cmpint (give_int_process_finish (answers[i].result, &error), ==, i);
      g_assert_no_error (error);
    }
}

/* All but the first, which had a worker. */
static void
assert_failed (Answer answers[N_TIMES], GQuark domain, gint code)
{
  for (gint i = 0; i < N_TIMES; i++)
    {
      g_autoptr (GError) error = NULL;

      while (!answers[i].has_come)
        g_main_context_iteration (NULL, TRUE);
      give_int_process_finish (answers[i].result, &error);
      if (i > 0)
        g_assert_error (error, domain, code);
      answer_clear (&answers[i]);
    }
}

static void
test_many (void)
{
  ProcfunPool *pool = make_pool ();
  Answer answers[N_TIMES];

  call_many (answers);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, N_TIMES - 1);
  assert_answered (answers);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 0);
  for (gint i = 0; i < N_TIMES; i++)
    {
      g_assert_false (answers[i].needed_object);
      answer_clear (&answers[i]);
    }
  drop_pool (pool);
}

/* The worker is killed meanwhile, or calls are written in another way, or there is no queue. */
static void
test_many_disturbed (void)
{
  ProcfunPool *pool = make_pool ();
  const gint pid = get_pid ();
  Answer answers[N_TIMES];

  call_many (answers);
  answer_wait (&answers[0]);
  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (pool), procfun_codec_get_json ());
  assert_answered (answers);
  for (gint i = 0; i < N_TIMES; i++)
    answer_clear (&answers[i]);
  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (pool),
                                      procfun_codec_get_gvariant ());
  get_pid ();
  call_many (answers);
  answer_wait (&answers[0]);
  procfun_pool_set_calls_per_worker (pool, 5);
  assert_answered (answers);
  for (gint i = 0; i < N_TIMES; i++)
    answer_clear (&answers[i]);
  g_assert_cmpint (get_pid (), !=, pid);
  procfun_process_executor_set_has_queue (PROCFUN_PROCESS_EXECUTOR (pool), FALSE);
  call_many (answers);
  assert_failed (answers, PROCFUN_ERROR, PROCFUN_ERROR_BUSY);
  drop_pool (pool);
}

static void
test_many_dropped (void)
{
  ProcfunPool *pool = make_pool ();
  gboolean is_closed = FALSE;
  Answer answers[N_TIMES];

  call_many (answers);
  procfun_executor_close_full_async (PROCFUN_EXECUTOR (pool), PROCFUN_CLOSE_DROP_QUEUED, NULL,
                                     on_closed, &is_closed);
  assert_failed (answers, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  while (!is_closed)
    g_main_context_iteration (NULL, TRUE);
  drop_pool (pool);
}

/* When the time of closing is up. */
static void
test_many_aborted (void)
{
  ProcfunPool *pool = make_pool ();
  gboolean is_closed = FALSE;
  Answer first = { FALSE };
  Answer answers[N_TIMES];

  procfun_pool_set_close_timeout (pool, 50 * G_TIME_SPAN_MILLISECOND);
  stay_for_ever_process_async (NULL, answer_on_result, &first);
  call_many (answers);
  procfun_executor_close_async (PROCFUN_EXECUTOR (pool), NULL, on_closed, &is_closed);
  assert_failed (answers, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  while (!first.has_come)
    g_main_context_iteration (NULL, TRUE);
  answer_clear (&first);
  while (!is_closed)
    g_main_context_iteration (NULL, TRUE);
  drop_pool (pool);
}

static void
test_many_forked (void)
{
  ProcfunPool *pool = make_pool ();
  Answer answers[N_TIMES];
  GError *error = NULL;
  pid_t pid;

  call_many (answers);
  pid = fixture_fork ();
  if (pid == 0)
    {
      for (gint i = 0; i < N_TIMES; i++)
        {
          while (!answers[i].has_come)
            g_main_context_iteration (NULL, TRUE);
          give_int_process_finish (answers[i].result, &error);
          g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
          g_clear_error (&error);
        }
      fixture_exit_fork (TRUE);
    }
  assert_answered (answers);
  for (gint i = 0; i < N_TIMES; i++)
    answer_clear (&answers[i]);
  fixture_wait_for_fork (pid);
  drop_pool (pool);
}

/* Threads and main contexts */

static void
test_blocking_between (void)
{
  ProcfunPool *pool = make_pool ();
  Answer answer = { FALSE };
  GError *error = NULL;

  for (gint i = 0; i < 20; i++)
    {
      g_assert_cmpint (answer_give_int (i, NULL, &error), ==, i);
      g_assert_cmpint (give_int_process (i, &error), ==, i);
      g_assert_no_error (error);
    }
  give_int_process_async (5, NULL, answer_on_result, &answer);
  give_int_process (6, &error); /* would wait for that one */
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
  g_clear_error (&error);
  answer_wait (&answer);
  g_assert_cmpint (give_int_process_finish (answer.result, &error), ==, 5);
  answer_clear (&answer);
  drop_pool (pool);
}

static void
on_outer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (give_int_process_finish (result, &error), ==, 7);
  g_assert_cmpint (answer_give_int (8, NULL, &error), ==, 8);
  g_assert_cmpint (give_int_process (9, &error), ==, 9);
  g_assert_no_error (error);
  *(gboolean *)user_data = TRUE;
}

static void
test_nested (void)
{
  ProcfunPool *pool = make_pool ();

  for (gint i = 0; i < 10; i++)
    {
      gboolean is_done = FALSE;

      give_int_process_async (7, NULL, on_outer, &is_done);
      while (!is_done)
        g_main_context_iteration (NULL, TRUE);
    }
  drop_pool (pool);
}

static gpointer
call_in_context (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Answer answer = { FALSE };

  for (gint i = 0; i < 200; i++)
    {
      g_main_context_push_thread_default (context);
      give_int_process_async (i, NULL, answer_on_result, &answer);
      g_main_context_pop_thread_default (context);
      while (!answer.has_come)
        g_main_context_iteration (context, TRUE);
      g_assert_true (answer.context == context);
      g_assert_cmpint (give_int_process_finish (answer.result, NULL), ==, i);
      answer_clear (&answer);
    }
  return NULL;
}

static void
test_contexts (void)
{
  ProcfunPool *pool = make_pool ();
  GThread *threads[4];

  procfun_pool_set_max_workers (pool, 2);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_in_context, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, 4 * 200 + N_FIRST);
  drop_pool (pool);
}

/* A process that the program forks takes nothing of what its parent has sent. */
static void
test_forked_program (void)
{
  ProcfunPool *pool = make_pool ();
  Answer answer = { FALSE };
  GError *error = NULL;
  pid_t pid;

  answer_give_int (1, NULL, NULL);
  give_int_process_async (5, NULL, answer_on_result, &answer);
  pid = fixture_fork ();
  answer_wait (&answer);
  give_int_process_finish (answer.result, &error);
  if (pid == 0)
    fixture_exit_fork (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST));
  g_assert_no_error (error);
  fixture_wait_for_fork (pid);
  answer_clear (&answer);
  g_assert_cmpint (answer_give_int (6, NULL, &error), ==, 6);
  g_assert_no_error (error);
  drop_pool (pool);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  g_setenv ("PROCFUN_TIMEOUT", TIMEOUT_S, TRUE);

  fixture_add_func ("/plain-async/needs-no-object", test_no_object);
  fixture_add_func ("/plain-async/never-calls-back-at-once", test_never_at_once);
  fixture_add_func ("/plain-async/values-arrive-and-return", test_values);
  fixture_add_func ("/plain-async/results-are-taken-once-or-never", test_results);
  fixture_add_func ("/plain-async/errors-are-those-of-an-object", test_errors);
  fixture_add_func ("/plain-async/deaths-are-told", test_deaths);
  fixture_add_func ("/plain-async/worker-killed-between-calls-is-replaced", test_killed);
  fixture_add_func ("/plain-async/ends-when-its-time-is-up", test_timeout);
  fixture_add_func ("/plain-async/closing-cancels-it", test_cancelled_by_close);
  fixture_add_func ("/plain-async/output-and-progress-make-an-object", test_output);
  fixture_add_func ("/plain-async/is-counted", test_counted);
  fixture_add_func ("/plain-async/worker-is-recycled", test_recycled);
  fixture_add_func ("/plain-async/many-wait-in-the-queue", test_many);
  fixture_add_func ("/plain-async/many-survive-what-happens-meanwhile", test_many_disturbed);
  fixture_add_func ("/plain-async/many-are-dropped-by-closing", test_many_dropped);
  fixture_add_func ("/plain-async/many-are-ended-when-closing-takes-too-long", test_many_aborted);
  fixture_add_func ("/plain-async/many-are-not-the-forked-programs", test_many_forked);
  fixture_add_func ("/plain-async/blocking-calls-come-between", test_blocking_between);
  fixture_add_func ("/plain-async/callback-may-call", test_nested);
  fixture_add_func ("/plain-async/comes-in-its-main-context", test_contexts);
  fixture_add_func ("/plain-async/forked-program-has-no-answer", test_forked_program);

  return fixture_run ();
}
