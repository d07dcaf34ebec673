/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/executor.h"
#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/generators.h"
#include "tests/hostile-children.h"
#include "tests/manual-executor.h"

#include <signal.h>
#include <unistd.h>

/* Counts */

static void
test_new_executor (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (executor);

  g_assert_cmpstr (procfun_statistics_get_executor_name (statistics), ==, "ProcfunInline");
  g_assert_cmpint (procfun_statistics_get_age (statistics), >=, 0);
  g_assert_cmpuint (procfun_statistics_get_submitted (statistics), ==, 0);
  g_assert_cmpuint (procfun_statistics_get_running (statistics), ==, 0);
  g_assert_cmpuint (procfun_statistics_get_queued (statistics), ==, 0);
  g_assert_cmpuint (procfun_statistics_get_failed (statistics), ==, 0);
  g_assert_cmpfloat (procfun_statistics_get_rate (statistics), ==, 0);
  g_assert_cmpint (procfun_statistics_get_percentile (statistics, 99.9), ==, 0);
  g_assert_cmpuint (procfun_statistics_get_n_workers (statistics), ==, 0);
}

static void
test_numbers (void)
{
  g_autoptr (ProcfunExecutor) first = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunExecutor) second = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunStatistics) of_first = procfun_statistics_new (first);
  g_autoptr (ProcfunStatistics) of_second = procfun_statistics_new (second);

  g_assert_cmpuint (procfun_statistics_get_executor_number (of_first), >, 0);
  g_assert_cmpuint (procfun_statistics_get_executor_number (of_second), ==,
                    procfun_statistics_get_executor_number (of_first) + 1);
}

static void
assert_cause (ProcfunExecutor *executor, ProcfunCause cause, guint64 n)
{
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (executor);

  g_assert_cmpuint (procfun_statistics_get_count (statistics, cause), ==, n);
}

/* Runs a call that fails; it must count for the cause that it tells itself. */
static void
assert_fails (ProcfunExecutor *executor, ProcfunCall *call, gboolean async, ProcfunCause cause)
{
  g_autoptr (ProcfunCall) held = g_object_ref (call);
  g_autoptr (GError) error = NULL;

  procfun_call_set_executor (call, executor);
  g_assert_null (calls_run (call, async, NULL, &error));
  g_assert_nonnull (error);
  g_assert_cmpint (procfun_failure_get_cause (procfun_call_get_failure (held)), ==, cause);
}

static ProcfunCall *
new_late (void)
{
  ProcfunCall *call = calls_new ("do_stay", "(handle 0,)");
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();

  g_unix_fd_list_append (fds, STDERR_FILENO, NULL);
  procfun_call_set_fd_list (call, fds);
  procfun_call_set_timeout (call, 20000);
  procfun_call_set_grace_period (call, 0);
  return call;
}

static void
test_causes (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_autoptr (ProcfunStatistics) statistics = NULL;

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      calls_assert_result (executor, add_call (1, 2), async, "3");
      assert_fails (executor, fail_void_call (3), async, PROCFUN_CAUSE_ERROR);
      assert_fails (executor, do_raise_call (SIGSEGV), async, PROCFUN_CAUSE_CRASHED);
      assert_fails (executor, do_raise_call (SIGKILL), async, PROCFUN_CAUSE_KILLED);
      assert_fails (executor, do_exit_call (0), async, PROCFUN_CAUSE_EXITED);
      assert_fails (executor, new_late (), async, PROCFUN_CAUSE_TIMED_OUT);
      assert_cause (executor, PROCFUN_CAUSE_ERROR, async + 1u);
      assert_cause (executor, PROCFUN_CAUSE_CRASHED, async + 1u);
      assert_cause (executor, PROCFUN_CAUSE_KILLED, async + 1u);
      assert_cause (executor, PROCFUN_CAUSE_EXITED, async + 1u);
      assert_cause (executor, PROCFUN_CAUSE_TIMED_OUT, async + 1u);
    }
  statistics = procfun_statistics_new (executor);
  g_assert_cmpuint (procfun_statistics_get_submitted (statistics), ==, 12);
  g_assert_cmpuint (procfun_statistics_get_succeeded (statistics), ==, 2);
  g_assert_cmpuint (procfun_statistics_get_failed (statistics), ==, 10);
  g_assert_cmpuint (procfun_statistics_get_running (statistics), ==, 0);
  g_assert_cmpint (procfun_statistics_get_wait_percentile (statistics, 50), >, 0);
  g_assert_cmpint (procfun_statistics_get_wait_percentile (statistics, 50), <=,
                   procfun_statistics_get_percentile (statistics, 50));
  g_assert_cmpint (procfun_statistics_get_max (statistics), >=, 20000);
}

static void
on_started (ProcfunCall *call, int pid)
{
  procfun_call_abort (call);
}

static void
test_cancelled (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      ProcfunCall *call = new_late ();

      g_signal_connect (call, "started", G_CALLBACK (on_started), NULL);
      assert_fails (executor, call, async, PROCFUN_CAUSE_CANCELLED);
      assert_cause (executor, PROCFUN_CAUSE_CANCELLED, async + 1u);
    }
}

/* A generator counts once, from its first item to the end, whatever that is. */
static void
test_generator (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_autoptr (ProcfunCall) whole = numbers_call (3);
  ProcfunCall *part = numbers_call (300000);
  g_autoptr (ProcfunStatistics) statistics = NULL;
  g_autoptr (GError) error = NULL;
  GVariant *item;

  procfun_call_set_executor (whole, executor);
  procfun_call_set_executor (part, executor);
  while ((item = procfun_call_next (whole, NULL, &error)) != NULL)
    g_variant_unref (item);
  g_assert_no_error (error);
  g_variant_unref (procfun_call_next (part, NULL, &error));
  statistics = procfun_statistics_new (executor);
  g_assert_cmpuint (procfun_statistics_get_submitted (statistics), ==, 2);
  g_assert_cmpuint (procfun_statistics_get_succeeded (statistics), ==, 1);
  g_assert_cmpuint (procfun_statistics_get_running (statistics), ==, 1);

  g_object_unref (part);
  assert_cause (executor, PROCFUN_CAUSE_CANCELLED, 1);
}

/* A call that the executor does not take does not count. */
static void
test_refused (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunStatistics) statistics = NULL;

  calls_assert_error (executor, procfun_call_new (add_function (), g_variant_new ("()")), FALSE,
                      PROCFUN_ERROR, PROCFUN_ERROR_INVALID, "*add()*");
  g_assert_true (procfun_executor_close (executor, NULL, NULL));
  calls_assert_error (executor, add_call (1, 2), FALSE, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED,
                      "*add()*");
  statistics = procfun_statistics_new (executor);
  g_assert_cmpuint (procfun_statistics_get_submitted (statistics), ==, 0);
  g_assert_cmpuint (procfun_statistics_get_failed (statistics), ==, 0);
}

static gpointer
call_many (gpointer executor)
{
  for (guint i = 0; i < 1000; i++)
    calls_assert_result (executor, add_call (1, 2), FALSE, "3");
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunStatistics) statistics = NULL;
  GThread *threads[4];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_many, executor);
  for (guint i = 0; i < 100; i++)
    procfun_statistics_unref (procfun_statistics_new (executor));
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  statistics = procfun_statistics_new (executor);
  g_assert_cmpuint (procfun_statistics_get_succeeded (statistics), ==, 4000);
  g_assert_cmpfloat (procfun_statistics_get_rate (statistics), >, 0);
  g_assert_cmpfloat (procfun_statistics_get_overall_rate (statistics), >, 0);
  g_assert_cmpint (procfun_statistics_get_min (statistics), <=,
                   procfun_statistics_get_percentile (statistics, 0.1));
  g_assert_cmpfloat (procfun_statistics_get_mean (statistics), <=,
                     procfun_statistics_get_max (statistics));
}

/* Additions of an executor */

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  guint *n = user_data;
  g_autoptr (GVariant) answer = procfun_call_run_finish (PROCFUN_CALL (source), result, NULL);

  g_assert_nonnull (answer);
  ++*n;
}

static void
test_queue (void)
{
  g_autoptr (TestManualExecutor) manual = g_object_new (TEST_TYPE_MANUAL_EXECUTOR, NULL);
  g_autoptr (ProcfunStatistics) statistics = NULL;
  g_autoptr (ProcfunStatistics) after = NULL;
  guint n_answered = 0;

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (ProcfunCall) call = add_call (2, 3);

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (manual));
      procfun_call_run_async (call, NULL, on_answered, &n_answered);
    }
  statistics = procfun_statistics_new (PROCFUN_EXECUTOR (manual));
  test_manual_executor_answer_all (manual);
  while (n_answered < 3)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (procfun_statistics_get_submitted (statistics), ==, 3);
  g_assert_cmpuint (procfun_statistics_get_running (statistics), ==, 1);
  g_assert_cmpuint (procfun_statistics_get_queued (statistics), ==, 2);
  g_assert_cmpuint (procfun_statistics_get_queued_bytes (statistics), ==, 300);

  after = procfun_statistics_new (PROCFUN_EXECUTOR (manual));
  g_assert_cmpuint (procfun_statistics_get_queued (after), ==, 0);
  g_assert_cmpuint (procfun_statistics_get_succeeded (after), ==, 3);
  g_assert_cmpint (procfun_statistics_get_wait_percentile (after, 50), ==, 0);
}

static void
test_workers (void)
{
  g_autoptr (TestManualExecutor) manual = g_object_new (TEST_TYPE_MANUAL_EXECUTOR, NULL);
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (PROCFUN_EXECUTOR (manual));

  g_assert_cmpuint (procfun_statistics_get_n_workers (statistics), ==, 2);
  g_assert_cmpint (procfun_statistics_get_worker_pid (statistics, 0), ==, getpid ());
  g_assert_cmpint (procfun_statistics_get_worker_state (statistics, 0), ==, PROCFUN_WORKER_BUSY);
  g_assert_cmpuint (procfun_statistics_get_worker_calls (statistics, 0), ==, 7);
  g_assert_cmpint (procfun_statistics_get_worker_age (statistics, 0), ==, 8000000);
  g_assert_cmpuint (procfun_statistics_get_worker_memory (statistics, 0), >, 100000);
  g_assert_cmpint (procfun_statistics_get_worker_state (statistics, 1), ==, PROCFUN_WORKER_IDLE);
  g_assert_cmpuint (procfun_statistics_get_worker_memory (statistics, 1), ==, 0);
}

/* A snapshot does not change. */
static void
test_immutable (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (executor);

  calls_assert_result (executor, add_call (1, 2), FALSE, "3");
  g_assert_cmpuint (procfun_statistics_get_submitted (statistics), ==, 0);
  for (guint i = 0; i < 2; i++)
    {
      g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*!self->complete*");
      if (i == 0)
        procfun_statistics_set_queue (statistics, 1, 2);
      else
        procfun_statistics_add_worker (statistics, 1, PROCFUN_WORKER_IDLE, 0, 0);
      g_test_assert_expected_messages ();
    }
  g_assert_cmpuint (procfun_statistics_get_n_workers (statistics), ==, 0);
}

/* Signals */

static void
on_worker_started (ProcfunExecutor *executor, int pid, GString *log)
{
  g_string_append_printf (log, "started %d;", pid);
}

static void
on_worker_exited (ProcfunExecutor *executor, int pid, int wait_status, GString *log)
{
  g_string_append_printf (log, "exited %d %d;", pid, wait_status);
}

static void
on_worker_recycled (ProcfunExecutor *executor, int pid, const char *reason, GString *log)
{
  g_string_append_printf (log, "recycled %d %s;", pid, reason);
}

static void
test_signals (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunStatistics) statistics = NULL;
  g_autoptr (GString) log = g_string_new (NULL);

  g_signal_connect (executor, "worker-started", G_CALLBACK (on_worker_started), log);
  g_signal_connect (executor, "worker-exited", G_CALLBACK (on_worker_exited), log);
  g_signal_connect (executor, "worker-recycled", G_CALLBACK (on_worker_recycled), log);
  procfun_executor_emit_worker_started (executor, 10);
  procfun_executor_emit_worker_started (executor, 11);
  procfun_executor_emit_worker_started (executor, 12);
  procfun_executor_emit_worker_recycled (executor, 10, "calls");
  procfun_executor_emit_worker_exited (executor, 10, 0);
  g_signal_emit_by_name (executor, "worker-exited", 11, -1); /* as executors of others do */
  g_assert_cmpstr (log->str, ==,
                   "started 10;started 11;started 12;recycled 10 calls;exited 10 0;exited 11 -1;");
  statistics = procfun_statistics_new (executor);
  g_assert_cmpuint (procfun_statistics_get_workers_started (statistics), ==, 3);
  g_assert_cmpuint (procfun_statistics_get_workers_exited (statistics), ==, 2);
  g_assert_cmpuint (procfun_statistics_get_workers_recycled (statistics), ==, 1);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/statistics/a-new-executor-has-zeroes", test_new_executor);
  fixture_add_func ("/statistics/calls-are-counted", test_numbers);
  fixture_add_func ("/statistics/failures-are-counted-by-cause", test_causes);
  fixture_add_func ("/statistics/cancellations-are-counted", test_cancelled);
  fixture_add_func ("/statistics/a-generator-counts-once", test_generator);
  fixture_add_func ("/statistics/refused-calls-do-not-count", test_refused);
  fixture_add_func ("/statistics/threads-count", test_threads);
  fixture_add_func ("/statistics/the-queue-is-told", test_queue);
  fixture_add_func ("/statistics/workers-are-told", test_workers);
  fixture_add_func ("/statistics/a-snapshot-does-not-change", test_immutable);
  fixture_add_func ("/statistics/signals-tell-of-workers", test_signals);
  return fixture_run ();
}
