/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

#include "procfun/core/function.h"
#include "procfun/executors/process-executor.h"
#include "procfun/platform/module.h"
#include "procfun/schedule/scheduler.h"
#include "procfun/values/schema.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static ProcfunSession *
acquire (ProcfunPool *pool)
{
  g_autoptr (GError) error = NULL;
  ProcfunSession *session = procfun_pool_acquire (pool, add_function (), NULL, &error);

  g_assert_no_error (error);
  return session;
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

/* (transfer full) */
static GAsyncResult *
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return g_steal_pointer (result);
}

static void
test_same_process (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  g_autoptr (ProcfunSession) session = acquire (pool);
  Results results;

  results_init (&results);
  for (gint i = 1; i <= 5; i++)
    {
      g_assert_cmpint (pools_get_number (session, count_calls_call ()), ==, i);
      g_assert_cmpint (pools_get_number (pool, count_calls_call ()), ==, i); /* in another one */
    }
  results_run (&results, session, count_calls_call ());
  results_wait (&results, 1);
  g_assert_cmpint (g_array_index (results.results, gint, 0), ==, 6);
  g_assert_cmpint (procfun_session_get_pid (session), ==, pools_get_pid (session));
  g_assert_cmpint (procfun_session_get_pid (session), !=, pools_get_pid (pool));
  g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, 5 + 5 + 1 + 1 + 1);
  results_clear (&results);
}

/* Closed, or dropped, it is the pool's again. */
static void
test_given_back (gconstpointer closes)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  ProcfunSession *session = acquire (pool);
  int pid = procfun_session_get_pid (session);

  g_assert_cmpint (pools_get_pid (session), ==, pid);
  if (closes)
    {
      g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (session), NULL, NULL));
      g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (session), NULL, NULL));
      g_assert_cmpint (procfun_session_get_pid (session), ==, 0);
      pools_assert_error (session, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_CLOSED, "*");
    }
  g_object_unref (session);
  g_assert_cmpint (pools_get_pid (pool), ==, pid);
}

/* Leftovers end the worker only when it is given back. */
static void
test_leftovers (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  ProcfunSession *session = acquire (pool);
  int pid = procfun_session_get_pid (session);
  Events events;

  events_init (&events, pool);
  procfun_pool_set_calls_per_worker (pool, 2);
  for (guint i = 0; i < 4; i++)
    pools_get_number (session, leave_descriptor_call ());
  g_assert_cmpint (pools_get_pid (session), ==, pid);
  g_assert_cmpuint (events.words->len, ==, 0);
  g_object_unref (session);
  g_assert_cmpuint (events_count (&events, "recycled: calls"), ==, 1);
  g_assert_cmpint (pools_get_pid (pool), !=, pid);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
}

static void
test_busy (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunSession) session = acquire (pool);
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, session, &results);
  pools_assert_error (session, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_BUSY, "*add()*");
  holder_let_go (&holder);
  results_wait (&results, 1);
  g_assert_cmpint (pools_get_number (session, add_call (1, 2)), ==, 3);
  holder_clear (&holder);
  results_clear (&results);
}

/* No process can be started for lack of descriptors, and the one that runs is a session's. When its
 * call has ended, another start is tried, though the session goes on. */
static void
test_no_room (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  g_autoptr (ProcfunSession) session = acquire (pool);
  const Scheduler *scheduler
      = procfun_process_executor_get_scheduler (PROCFUN_PROCESS_EXECUTOR (pool));
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (int));
  struct rlimit before, few;
  Results results;
  Holder holder;
  int fd;

  results_init (&results);
  g_assert_cmpint (pools_get_number (session, add_call (1, 2)), ==, 3);
  holder_run (&holder, session, &results);
  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, &before));
  few = (struct rlimit){ 64, before.rlim_max };
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &few));
  while ((fd = fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
    g_array_append_val (taken, fd);
  results_run (&results, pool, add_call (3, 4));
  while (!scheduler->is_refused)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < taken->len; i++)
    close (g_array_index (taken, int, i));
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &before));
  holder_let_go (&holder);
  results_wait (&results, 2);
  g_assert_no_error (results.error);
  g_assert_cmpuint (results.results->len, ==, 2);
  holder_clear (&holder);
  results_clear (&results);
}

static void
test_lost (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunSession) session = acquire (pool);

  pools_assert_error (session, do_crash_call (), PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "*");
  for (guint i = 0; i < 2; i++)
    pools_assert_error (session, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, "*");
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
}

static void
test_killed_between_calls (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunSession) session = acquire (pool);
  int pid = procfun_session_get_pid (session);

  g_assert_cmpint (pools_get_number (session, add_call (1, 2)), ==, 3);
  g_assert_no_errno (kill (pid, SIGKILL));
  while (kill (pid, 0) == 0)
    g_thread_yield ();
  for (guint i = 0; i < 2; i++)
    pools_assert_error (session, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, "*");
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
}

/* It would end with the limits. */
static void
test_limits (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunSession) session = acquire (pool);
  g_autoptr (ProcfunLimits) limits = procfun_limits_new ();
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();
  ProcfunCall *call = add_call (1, 2);

  procfun_limits_set_open_files (limits, 20);
  procfun_call_set_limits (call, limits);
  pools_assert_error (session, call, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, "*add()*limits*");
  g_assert_cmpint (pools_get_number (session, add_call (1, 2)), ==, 3);
  procfun_process_executor_set_launch_context (PROCFUN_PROCESS_EXECUTOR (pool), context);
  g_assert_null (procfun_pool_acquire (pool, add_function (), NULL, NULL));
}

/* A thread that has all workers would wait for itself. */
static void
test_nested (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunSession) session = acquire (pool);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (pools_get_number (session, add_call (1, 2)), ==, 3);
  pools_assert_error (pool, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_NESTED, "*add()*");
  g_assert_null (procfun_pool_acquire (pool, add_function (), NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
}

static void
test_async (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunSession) first = NULL, second = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GAsyncResult *results[3] = { NULL };
  int pid;

  procfun_pool_acquire_async (pool, add_function (), NULL, keep_result, &results[0]);
  procfun_pool_acquire_async (pool, add_function (), NULL, keep_result, &results[1]);
  procfun_pool_acquire_async (pool, add_function (), cancellable, keep_result, &results[2]);
  result = wait_for (&results[0]);
  first = procfun_pool_acquire_finish (pool, result, &error);
  g_assert_no_error (error);
  pid = pools_get_pid (first);
  g_cancellable_cancel (cancellable);
  g_clear_object (&result);
  result = wait_for (&results[2]);
  g_assert_null (procfun_pool_acquire_finish (pool, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (results[1]);
  g_clear_object (&first);
  g_clear_object (&result);
  result = wait_for (&results[1]);
  second = procfun_pool_acquire_finish (pool, result, &error);
  g_assert_no_error (error);
  g_assert_cmpint (pools_get_pid (second), ==, pid);
}

/* The session goes on to be there, of no use. */
static void
test_pool_closed (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunSession) session = acquire (pool);
  g_autoptr (GError) error = NULL;
  Events events;

  events_init (&events, pool);
  g_assert_cmpint (pools_get_number (session, add_call (1, 2)), ==, 3);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  g_assert_cmpuint (events_count (&events, "exited"), ==, 1);
  pools_assert_error (session, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_CLOSED, "*");
  g_assert_null (procfun_pool_acquire (pool, add_function (), NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  events_clear (&events);
}

/* Closing the pool ends the waiting for a session with an error. */
static void
test_pool_closed_meanwhile (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) closed = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *results[2] = { NULL };
  Results calls;
  Holder holder;

  results_init (&calls);
  holder_run (&holder, pool, &calls);
  procfun_pool_acquire_async (pool, add_function (), NULL, keep_result, &results[0]);
  procfun_executor_close_async (PROCFUN_EXECUTOR (pool), NULL, keep_result, &results[1]);
  result = wait_for (&results[0]);
  g_assert_null (procfun_pool_acquire_finish (pool, result, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  g_assert_null (results[1]);
  holder_let_go (&holder);
  closed = wait_for (&results[1]);
  g_assert_true (procfun_executor_close_finish (PROCFUN_EXECUTOR (pool), closed, NULL));
  results_wait (&calls, 1);
  g_assert_no_error (calls.error);
  holder_clear (&holder);
  results_clear (&calls);
}

typedef struct
{
  ProcfunPool *pool;
  gint has_ended;
} InVain;

static gpointer
acquire_in_vain (gpointer data)
{
  InVain *self = data;
  g_autoptr (GError) error = NULL;

  g_assert_null (procfun_pool_acquire (self->pool, add_function (), NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  g_atomic_int_set (&self->has_ended, TRUE);
  return NULL;
}

static gpointer
run_in_thread (gpointer call)
{
  return procfun_call_run (call, NULL, NULL);
}

/* The same in a thread, while a call that has the worker goes on in another one. */
static void
test_pool_closed_for_thread (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  InVain in_vain = { pool, FALSE };
  GAsyncResult *closed = NULL;
  g_autoptr (GVariant) result = NULL;
  GThread *thread, *holding;
  Holder holder;

  procfun_call_set_executor (holder_init (&holder, 7), PROCFUN_EXECUTOR (pool));
  holding = g_thread_new ("holds", run_in_thread, holder.call);
  signal_wait (&holder.ready);
  thread = g_thread_new ("waits", acquire_in_vain, &in_vain);
  while (pools_get_statistic (pool, "queued") == 0)
    g_thread_yield ();
  procfun_executor_close_async (PROCFUN_EXECUTOR (pool), NULL, keep_result, &closed);
  while (!g_atomic_int_get (&in_vain.has_ended))
    g_main_context_iteration (NULL, FALSE);
  g_thread_join (thread);
  g_assert_null (closed);
  holder_let_go (&holder);
  result = g_thread_join (holding);
  g_assert_cmpint (g_variant_get_int32 (result), ==, 7);
  g_object_unref (wait_for (&closed));
  holder_clear (&holder);
}

static void
close_pool (ProcfunExecutor *pool, int pid, gpointer unused)
{
  g_assert_true (procfun_executor_close (pool, NULL, NULL));
}

/* It is closed when the worker is there, and is no session's yet. */
static void
test_pool_closed_at_start (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GError) error = NULL;

  g_signal_connect (pool, "worker-started", G_CALLBACK (close_pool), NULL);
  g_assert_null (procfun_pool_acquire (pool, add_function (), NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 0);
}

/* Its process has what the program had, and keeps that. */
static void
test_renewed (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunSession) session = acquire (pool);

  g_assert_cmpint (pools_get_number (session, add_call (1, 2)), ==, 3);
  procfun_process_executor_renew (PROCFUN_PROCESS_EXECUTOR (pool));
  pools_assert_error (session, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                      "*add()*started before*");
}

/* Its process has the functions of one module. */
static void
test_other_module (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunSession) session = acquire (pool);
  g_autoptr (ProcfunSchema) args
      = procfun_schema_new_named (PROCFUN_SCHEMA_ARGUMENTS, 0, NULL, NULL);
  g_autoptr (ProcfunSchema) result = procfun_schema_new (G_VARIANT_TYPE_UNIT);
  g_autoptr (ProcfunFunction) other
      = procfun_function_new_for_module ("other", args, result, PROCFUN_FUNCTION_NONE,
                                         module_new_for_file ("/lib/other.so", FALSE, "1"));

  pools_assert_error (session, procfun_call_new (other, g_variant_new ("()")), PROCFUN_ERROR,
                      PROCFUN_ERROR_INVALID, "*other()*another module*");
  g_assert_cmpint (pools_get_number (session, add_call (1, 2)), ==, 3);
}

static gpointer
use_session (gpointer data)
{
  ProcfunPool *pool = data;

  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (ProcfunSession) session = acquire (pool);
      gint first = pools_get_number (session, count_calls_call ());

      for (gint n = 1; n < 5; n++)
        g_assert_cmpint (pools_get_number (session, count_calls_call ()), ==, first + n);
    }
  return NULL;
}

/* No other call comes between those of a session. */
static void
test_threads (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  GThread *threads[6];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("session", use_session, pool);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (pools_get_statistic (pool, "workers-started"), <=, 2);
}

/* Nothing of procfun stays at a cancellable of the program. */
static void
assert_untouched (GCancellable *cancellable, const char *what)
{
  guint signal_id = g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE);

  g_test_message ("%s", what);
  g_assert_false (g_signal_has_handler_pending (cancellable, signal_id, 0, TRUE));
  g_assert_cmpuint (G_OBJECT (cancellable)->ref_count, ==, 1);
}

static void
test_cancellable (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (ProcfunCall) submitted = add_call (1, 2);
  g_autoptr (ProcfunCall) other = add_call (3, 4);
  g_autoptr (GVariant) sum = NULL;
  ProcfunSession *session;
  Results results;
  GAsyncResult *acquired = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  results_init (&results);
  session = procfun_pool_acquire (pool, add_function (), cancellable, NULL);
  assert_untouched (cancellable, "after waiting for a session in a thread");
  procfun_pool_acquire_async (pool, add_function (), cancellable, keep_result, &acquired);
  g_object_unref (session);
  result = wait_for (&acquired);
  session = procfun_pool_acquire_finish (pool, result, NULL);
  g_clear_object (&result);
  assert_untouched (cancellable, "after waiting for a session in a main context");
  g_object_unref (session);

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  sum = procfun_call_run (call, cancellable, NULL);
  g_assert_nonnull (sum);
  assert_untouched (cancellable, "after a call in a thread");
  g_assert_true (procfun_pool_submit (pool, submitted, cancellable, results_add, &results, NULL));
  procfun_call_set_executor (other, PROCFUN_EXECUTOR (pool));
  procfun_call_run_async (other, cancellable, results_add, &results);
  results_wait (&results, 2);
  g_assert_cmpuint (results.n_succeeded, ==, 2);
  assert_untouched (cancellable, "after calls in a main context");
  g_assert_true (procfun_pool_drain (pool, cancellable, NULL));
  assert_untouched (cancellable, "after a drain");
  g_cancellable_cancel (cancellable);
  results_clear (&results);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/session/calls of a session run in one process", test_same_process);
  fixture_add_data_func ("/session/a session that is dropped gives its worker back", NULL,
                         test_given_back);
  fixture_add_data_func ("/session/a session that is closed gives its worker back", "closes",
                         test_given_back);
  fixture_add_func ("/session/a worker with leftovers stays until its session ends",
                    test_leftovers);
  fixture_add_func ("/session/a second call at once is refused", test_busy);
  fixture_add_func ("/session/the end of a call lets others try to start a process", test_no_room);
  fixture_add_func ("/session/a session whose worker has crashed is lost", test_lost);
  fixture_add_func ("/session/a worker that was killed between calls is noticed",
                    test_killed_between_calls);
  fixture_add_func ("/session/a call with limits is refused", test_limits);
  fixture_add_func ("/session/opening a session that only this thread could allow is refused",
                    test_nested);
  fixture_add_func ("/session/a session can be opened and called asynchronously", test_async);
  fixture_add_func ("/session/a session ends when its pool is closed", test_pool_closed);
  fixture_add_func ("/session/waiting for a session ends when the pool is closed",
                    test_pool_closed_meanwhile);
  fixture_add_func ("/session/waiting for a session in a thread ends when the pool is closed",
                    test_pool_closed_for_thread);
  fixture_add_func ("/session/a pool that is closed when the worker starts has no session",
                    test_pool_closed_at_start);
  fixture_add_func ("/session/a session is lost when processes are renewed", test_renewed);
  fixture_add_func ("/session/a function of another module is refused", test_other_module);
  fixture_add_func ("/session/a cancellable of the program is left as it was", test_cancellable);
  fixture_add_func ("/session/threads share a session one after the other", test_threads);
  return fixture_run ();
}
