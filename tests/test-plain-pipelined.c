/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asynchronous calls that ask for nothing special, and are sent to a worker before it has answered
 * those before them. */

#include "tests/answers.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/plain-calls.h"
#include "tests/pools.h"

#include <fcntl.h>
#include <procfun.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S "3"
#define HALF_MS 2000 /* of that, and more: of two calls together it is too much */
#define IN_FLIGHT 8
#define N_CALLS 40
#define N_SENT 6 /* at once, that a worker takes all */

PROCFUN_DEFINE_STATIC_FUNCTION (print_and_crash, gint, (const char *, text))
{
  if (*text != '\0')
    printf ("# %s\n", text);
  fflush (stdout);
  return do_crash ();
}
PROCFUN_DEFINE_STATIC_FUNCTION (sleep_ms, gint, (gint, ms))
{
  g_usleep ((gulong)ms * 1000);
  return ms;
}
/* Tells who runs how often. */
PROCFUN_DEFINE_STATIC_FUNCTION (note_run, gint, (const char *, path), (gint, n))
{
  const char letter = (char)('a' + n);
  int fd = open (path, O_WRONLY | O_APPEND);

  g_assert_cmpint (write (fd, &letter, 1), ==, 1);
  close (fd);
  return n;
}

/* FALSE: a call needed an object. */
static gboolean
call_all (void)
{
  Answer answers[N_CALLS] = { { FALSE } };
  gboolean needed_none = TRUE;

  for (gint i = 0; i < N_CALLS; i++)
    give_int_process_async (i, NULL, answer_on_result, &answers[i]);
  for (gint i = 0; i < N_CALLS; i++)
    {
      answer_wait (&answers[i]);
      needed_none = needed_none && !answers[i].needed_object;
      answer_clear (&answers[i]);
    }
  return needed_none;
}

/* A pool with @n_workers workers that have been called before, and have agreed to use the ring. */
static ProcfunPool *
make_pool (guint n_workers)
{
  ProcfunPool *pool = procfun_pool_new (n_workers);

  procfun_pool_set_calls_in_flight (pool, IN_FLIGHT);
  procfun_executor_set_default (PROCFUN_EXECUTOR (pool));
  while (!call_all ())
    ;
  while (pools_get_statistic (pool, "running") > 0)
    g_main_context_iteration (NULL, TRUE);
  return pool;
}

static void
drop_pool (ProcfunPool *pool)
{
  procfun_executor_set_default (NULL);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  g_object_unref (pool);
}

static void
send (Answer *answers, gint n)
{
  for (gint i = 0; i < n; i++)
    {
      answers[i] = (Answer){ FALSE };
      give_int_process_async (i, NULL, answer_on_result, &answers[i]);
    }
}

static void
assert_answered (Answer *answers, gint n)
{
  for (gint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;

      answer_wait (&answers[i]);
      g_assert_cmpint (give_int_process_finish (answers[i].result, &error), ==, i);
      g_assert_no_error (error);
      answer_clear (&answers[i]);
    }
}

static void
assert_all_failed (Answer *answers, gint n, GQuark domain, gint code)
{
  for (gint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;

      answer_wait (&answers[i]);
      give_int_process_finish (answers[i].result, &error);
      g_assert_error (error, domain, code);
      answer_clear (&answers[i]);
    }
}

/* Those that are sent, and those that wait in the queue for their turn to be. */
static void
test_no_object (gconstpointer n_workers)
{
  ProcfunPool *pool = make_pool (GPOINTER_TO_UINT (n_workers));
  const guint64 before = pools_get_statistic (pool, "succeeded");
  Answer answers[N_CALLS];

  for (gint round = 0; round < 5; round++)
    {
      send (answers, N_CALLS);
      for (gint i = 0; i < N_CALLS; i++)
        g_assert_false (answers[i].has_come);
      for (gint i = 0; i < N_CALLS; i++)
        {
          answer_wait (&answers[i]);
          g_assert_false (answers[i].needed_object);
        }
      assert_answered (answers, N_CALLS);
    }
  g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, before + 5 * N_CALLS);
  g_assert_cmpuint (pools_get_statistic (pool, "running"), ==, 0);
  drop_pool (pool);
}

/* Nor where values are written by another codec, but for those that it cannot write. */
static void
test_json (void)
{
  ProcfunPool *pool = make_pool (1);
  Answer answers[N_SENT];
  Answer text = { FALSE };
  GError *error = NULL;

  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (pool), procfun_codec_get_json ());
  for (gint round = 0; round < 5; round++)
    {
      send (answers, N_SENT);
      for (gint i = 0; i < N_SENT; i++)
        {
          answer_wait (&answers[i]);
          g_assert_true (round == 0 || !answers[i].needed_object);
        }
      assert_answered (answers, N_SENT);
      send (answers, N_SENT);
      give_string_process_async ("\xff", NULL, answer_on_result, &text);
      answer_wait (&text);
      g_assert_true (text.needed_object);
      g_assert_null (give_string_process_finish (text.result, &error));
      assert_same_error (g_steal_pointer (&error), give_string_call ("\xff"));
      answer_clear (&text);
      assert_answered (answers, N_SENT);
    }
  drop_pool (pool);
}

/* The worker is given as many as it may have, and the others wait. */
static void
test_bound (void)
{
  ProcfunPool *pool = make_pool (1);
  Answer answers[N_CALLS];

  send (answers, N_CALLS);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, N_CALLS - IN_FLIGHT);
  assert_answered (answers, N_CALLS);
  procfun_pool_set_calls_in_flight (pool, 2);
  send (answers, N_CALLS);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, N_CALLS - 2);
  assert_answered (answers, N_CALLS);
  drop_pool (pool);
}

/* Ends of a worker that has others to answer */

static char *
make_file (void)
{
  char *path;

  close (g_file_open_tmp (NULL, &path, NULL));
  return path;
}

/* Each letter once, whatever the order: those behind a call that ends its worker go to another. */
static void
assert_all_noted (const char *path, guint n)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpuint (strlen (text), ==, n);
  for (guint i = 0; i < n; i++)
    g_assert_nonnull (strchr (text, 'a' + (int)i));
}

static void
send_notes (const char *path, Answer *answers, gint begin, gint end)
{
  for (gint i = begin; i < end; i++)
    {
      answers[i] = (Answer){ FALSE };
      note_run_process_async (path, i, NULL, answer_on_result, &answers[i]);
    }
}

static void
assert_notes_answered (Answer *answers, gint n)
{
  for (gint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;

      answer_wait (&answers[i]);
      g_assert_cmpint (note_run_process_finish (answers[i].result, &error), ==, i);
      g_assert_no_error (error);
      answer_clear (&answers[i]);
    }
}

static void
test_crash (void)
{
  ProcfunPool *pool = make_pool (1);

  for (gint at = 0; at <= N_SENT; at++)
    {
      g_autofree char *path = make_file ();
      Answer answers[N_SENT];
      Answer crash = { FALSE };
      GError *error = NULL;

      send_notes (path, answers, 0, at);
      do_crash_process_async (NULL, answer_on_result, &crash);
      send_notes (path, answers, at, N_SENT);
      assert_notes_answered (answers, N_SENT);
      answer_wait (&crash);
      do_crash_process_finish (crash.result, &error);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
      assert_same_error (error, do_crash_call ());
      answer_clear (&crash);
      assert_all_noted (path, N_SENT);
      unlink (path);
      send (answers, N_SENT);
      assert_answered (answers, N_SENT);
    }
  drop_pool (pool);
}

/* Printed text is told of the call that has printed it. */
static void
test_output (void)
{
  static const char *const texts[] = { "", "bad marker", "", "no header" };
  ProcfunPool *pool = make_pool (1);
  Answer answers[N_SENT];
  Answer crashes[G_N_ELEMENTS (texts)] = { { FALSE } };

  send (answers, N_SENT / 2);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    print_and_crash_process_async (texts[i], NULL, answer_on_result, &crashes[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      answer_wait (&crashes[i]);
      print_and_crash_process_finish (crashes[i].result, &error);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
      for (gsize other = 1; other < G_N_ELEMENTS (texts); other += 2)
        g_assert_cmpint (strstr (error->message, texts[other]) != NULL, ==, other == i);
      answer_clear (&crashes[i]);
    }
  assert_answered (answers, N_SENT / 2);
  drop_pool (pool);
}

/* An error tells what its call has used, also where others follow. */
static void
test_usage (void)
{
  ProcfunPool *pool = make_pool (1);
  Answer answers[N_SENT];

  send (answers, 1);
  for (gint i = 1; i < N_SENT; i++)
    {
      answers[i] = (Answer){ FALSE };
      do_return_null_process_async (NULL, answer_on_result, &answers[i]);
    }
  assert_answered (answers, 1);
  for (gint i = 1; i < N_SENT; i++)
    {
      g_autoptr (GError) error = NULL;
      ProcfunFailure *failure;

      answer_wait (&answers[i]);
      g_assert_null (do_return_null_process_finish (answers[i].result, &error));
      failure = procfun_error_get_failure (error);
      g_assert_nonnull (failure);
      g_assert_cmpuint (procfun_usage_get_peak_memory (procfun_failure_get_usage (failure)), >, 0);
      answer_clear (&answers[i]);
    }
  drop_pool (pool);
}

/* No process has more. */
static void
assert_calls_per_worker (guint max)
{
  g_autoptr (GHashTable) counts = g_hash_table_new (NULL, NULL);
  Answer answers[N_CALLS] = { { FALSE } };

  for (gint i = 0; i < N_CALLS; i++)
    get_process_id_process_async (NULL, answer_on_result, &answers[i]);
  for (gint i = 0; i < N_CALLS; i++)
    {
      gpointer pid;
      guint n;

      answer_wait (&answers[i]);
      pid = GINT_TO_POINTER (get_process_id_process_finish (answers[i].result, NULL));
      n = GPOINTER_TO_UINT (g_hash_table_lookup (counts, pid)) + 1;
      g_assert_cmpuint (n, <=, max);
      g_hash_table_insert (counts, pid, GUINT_TO_POINTER (n));
      answer_clear (&answers[i]);
    }
}

static void
on_recycled (ProcfunExecutor *executor, int pid, const char *reason, gpointer n_recycled)
{
  (*(guint *)n_recycled)++;
}

/* A descriptor that is left, or a bound: the worker answers what it has, and is replaced. */
static void
test_recycled (void)
{
  ProcfunPool *pool = make_pool (1);
  Answer answers[N_CALLS];
  Answer left = { FALSE };
  guint n_recycled = 0;

  g_signal_connect (pool, "worker-recycled", G_CALLBACK (on_recycled), &n_recycled);
  leave_descriptor_process_async (NULL, answer_on_result, &left);
  send (answers, N_CALLS);
  assert_answered (answers, N_CALLS);
  answer_wait (&left);
  answer_clear (&left);
  g_assert_cmpuint (n_recycled, ==, 1);
  procfun_pool_set_calls_per_worker (pool, 7);
  send (answers, N_CALLS);
  assert_answered (answers, N_CALLS);
  g_assert_cmpuint (n_recycled, >=, 1 + N_CALLS / 7);
  assert_calls_per_worker (7);
  drop_pool (pool);
}

static void
test_timeout (void)
{
  ProcfunPool *pool = make_pool (1);
  g_autoptr (GError) error = NULL;
  Answer answers[N_SENT];
  Answer late = { FALSE };

  stay_for_ever_process_async (NULL, answer_on_result, &late);
  send (answers, N_SENT);
  answer_wait (&late);
  stay_for_ever_process_finish (late.result, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  answer_clear (&late);
  assert_answered (answers, N_SENT);
  drop_pool (pool);
}

/* The time of a call begins when that before it has its answer. */
static void
test_own_time (void)
{
  ProcfunPool *pool = make_pool (1);
  Answer answers[2] = { { FALSE } };

  for (gint i = 0; i < 2; i++)
    sleep_ms_process_async (HALF_MS, NULL, answer_on_result, &answers[i]);
  for (gint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      answer_wait (&answers[i]);
      g_assert_cmpint (sleep_ms_process_finish (answers[i].result, &error), ==, HALF_MS);
      g_assert_no_error (error);
      answer_clear (&answers[i]);
    }
  drop_pool (pool);
}

/* With each answer there is room for the next one, also while a call takes long. */
static void
test_fed (void)
{
  ProcfunPool *pool = make_pool (1);
  Answer first = { FALSE }, slow = { FALSE }, last = { FALSE };

  procfun_pool_set_calls_in_flight (pool, 2);
  give_int_process_async (1, NULL, answer_on_result, &first);
  sleep_ms_process_async (500, NULL, answer_on_result, &slow);
  give_int_process_async (3, NULL, answer_on_result, &last);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 1);
  answer_wait (&first);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 0);
  answer_clear (&first);
  answer_wait (&slow);
  answer_clear (&slow);
  answer_wait (&last);
  g_assert_cmpint (give_int_process_finish (last.result, NULL), ==, 3);
  answer_clear (&last);
  drop_pool (pool);
}

/* Other calls between them */

static void
test_objects_between (void)
{
  ProcfunPool *pool = make_pool (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Answer answers[N_CALLS];

  for (gint i = 0; i < N_CALLS; i++)
    {
      answers[i] = (Answer){ FALSE };
      give_int_process_async (i, i % 3 == 0 ? cancellable : NULL, answer_on_result, &answers[i]);
    }
  assert_answered (answers, N_CALLS);
  drop_pool (pool);
}

/* Those that are too large for the ring, and other settings meanwhile. */
static void
test_large_between (void)
{
  ProcfunPool *pool = make_pool (1);
  g_autofree char *text = g_strnfill (12000, 'x');
  Answer larges[N_SENT], smalls[N_SENT];

  for (gint round = 0; round < 4; round++)
    {
      for (gint i = 0; i < N_SENT; i++)
        {
          larges[i] = smalls[i] = (Answer){ FALSE };
          give_string_process_async (text, NULL, answer_on_result, &larges[i]);
          give_int_process_async (i, NULL, answer_on_result, &smalls[i]);
        }
      if (round == 2)
        procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (pool),
                                            procfun_codec_get_json ());
      for (gint i = 0; i < N_SENT; i++)
        {
          g_autoptr (GError) error = NULL;
          g_autofree char *back = NULL;

          answer_wait (&larges[i]);
          back = give_string_process_finish (larges[i].result, &error);
          g_assert_no_error (error);
          g_assert_cmpstr (back, ==, text);
          answer_clear (&larges[i]);
        }
      assert_answered (smalls, N_SENT);
    }
  drop_pool (pool);
}

static void
on_outer (GObject *source, GAsyncResult *result, gpointer n_done)
{
  Answer answers[N_SENT];

  g_assert_cmpint (give_int_process_finish (result, NULL), ==, 7);
  send (answers, N_SENT);
  assert_answered (answers, N_SENT);
  (*(gint *)n_done)++;
}

/* In a main loop of their own, while others have been sent and not told. */
static void
test_nested (void)
{
  ProcfunPool *pool = make_pool (1);
  gint n_done = 0;

  for (gint i = 0; i < N_SENT; i++)
    give_int_process_async (7, NULL, on_outer, &n_done);
  while (n_done < N_SENT)
    g_main_context_iteration (NULL, TRUE);
  drop_pool (pool);
}

static gpointer
call_in_context (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Answer answers[N_SENT];

  for (gint round = 0; round < 50; round++)
    {
      g_main_context_push_thread_default (context);
      send (answers, N_SENT);
      g_main_context_pop_thread_default (context);
      for (gint i = 0; i < N_SENT; i++)
        {
          while (!answers[i].has_come)
            g_main_context_iteration (context, TRUE);
          g_assert_true (answers[i].context == context);
          g_assert_cmpint (give_int_process_finish (answers[i].result, NULL), ==, i);
          answer_clear (&answers[i]);
        }
    }
  return NULL;
}

static void
test_contexts (void)
{
  ProcfunPool *pool = make_pool (2);
  const guint64 before = pools_get_statistic (pool, "succeeded");
  GThread *threads[4];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_in_context, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, before + 4 * 50 * N_SENT);
  drop_pool (pool);
}

/* Their end */

static void
on_closed (GObject *source, GAsyncResult *result, gpointer done)
{
  procfun_executor_close_full_finish (PROCFUN_EXECUTOR (source), result, NULL);
  *(gboolean *)done = TRUE;
}

/* At once, or when the time of closing is up. */
static void
test_closed (void)
{
  const ProcfunCloseFlags flags[] = { PROCFUN_CLOSE_CANCEL_RUNNING, PROCFUN_CLOSE_NONE };

  for (gsize i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      ProcfunPool *pool = make_pool (1);
      g_autoptr (GError) error = NULL;
      gboolean is_closed = FALSE;
      Answer answers[N_SENT];
      Answer first = { FALSE };

      if (flags[i] == PROCFUN_CLOSE_NONE)
        procfun_pool_set_close_timeout (pool, 50 * G_TIME_SPAN_MILLISECOND);
      stay_for_ever_process_async (NULL, answer_on_result, &first);
      send (answers, N_SENT);
      g_main_context_iteration (NULL, FALSE);
      procfun_executor_close_full_async (PROCFUN_EXECUTOR (pool), flags[i], NULL, on_closed,
                                         &is_closed);
      answer_wait (&first);
      stay_for_ever_process_finish (first.result, &error);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      answer_clear (&first);
      assert_all_failed (answers, N_SENT, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      while (!is_closed)
        g_main_context_iteration (NULL, TRUE);
      drop_pool (pool);
    }
}

static void
test_forked_program (void)
{
  ProcfunPool *pool = make_pool (1);
  Answer answers[N_SENT];
  pid_t pid;

  send (answers, N_SENT);
  pid = fixture_fork ();
  if (pid == 0)
    {
      assert_all_failed (answers, N_SENT, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
      fixture_exit_fork (TRUE);
    }
  assert_answered (answers, N_SENT);
  fixture_wait_for_fork (pid);
  send (answers, N_SENT);
  assert_answered (answers, N_SENT);
  drop_pool (pool);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  g_setenv ("PROCFUN_TIMEOUT", TIMEOUT_S, TRUE);

  fixture_add_data_func ("/plain-pipelined/one-worker-needs-no-object", GUINT_TO_POINTER (1),
                         test_no_object);
  fixture_add_data_func ("/plain-pipelined/two-workers-need-no-object", GUINT_TO_POINTER (2),
                         test_no_object);
  fixture_add_func ("/plain-pipelined/json-needs-no-object", test_json);
  fixture_add_func ("/plain-pipelined/no-more-than-the-bound-are-sent", test_bound);
  fixture_add_func ("/plain-pipelined/crash-loses-none-of-the-others", test_crash);
  fixture_add_func ("/plain-pipelined/output-is-told-of-its-call", test_output);
  fixture_add_func ("/plain-pipelined/errors-have-their-usage", test_usage);
  fixture_add_func ("/plain-pipelined/worker-is-recycled", test_recycled);
  fixture_add_func ("/plain-pipelined/only-the-first-is-late", test_timeout);
  fixture_add_func ("/plain-pipelined/time-of-a-call-is-its-own", test_own_time);
  fixture_add_func ("/plain-pipelined/each-answer-makes-room", test_fed);
  fixture_add_func ("/plain-pipelined/objects-come-between", test_objects_between);
  fixture_add_func ("/plain-pipelined/large-ones-come-between", test_large_between);
  fixture_add_func ("/plain-pipelined/callback-may-call", test_nested);
  fixture_add_func ("/plain-pipelined/comes-in-its-main-context", test_contexts);
  fixture_add_func ("/plain-pipelined/closing-cancels-all", test_closed);
  fixture_add_func ("/plain-pipelined/forked-program-has-no-answer", test_forked_program);

  return fixture_run ();
}
