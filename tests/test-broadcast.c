/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/pools.h"

#include <signal.h>
#include <unistd.h>

#define N_WORKERS 3

static gint value;

PROCFUN_DEFINE_STATIC_FUNCTION (set_value, gint, (gint, to))
{
  value = to;
  return getpid ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (get_value, gint) { return value; }

PROCFUN_DEFINE_STATIC_FUNCTION (die, void) { raise (SIGKILL); }

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static GPtrArray *
finish (ProcfunPool *pool, GAsyncResult **result, GError **error)
{
  g_autoptr (GAsyncResult) ended = NULL;

  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  ended = g_steal_pointer (result);
  return procfun_pool_broadcast_finish (pool, ended, error);
}

static GPtrArray *
broadcast (ProcfunPool *pool, gint to)
{
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  GPtrArray *calls;

  procfun_pool_broadcast_async (pool, set_value_function (), g_variant_new ("(i)", to), NULL,
                                keep_result, &result);
  calls = finish (pool, &result, &error);
  g_assert_no_error (error);
  return calls;
}

/* Ends once all of @holders run, each in a worker of its own. */
static void
hold_all (Holder *holders, guint n, ProcfunPool *pool, Results *results)
{
  results_init (results);
  for (guint i = 0; i < n; i++)
    holder_run (&holders[i], pool, results);
}

static void
let_all_go (Holder *holders, guint n, Results *results)
{
  for (guint i = 0; i < n; i++)
    holder_let_go (&holders[i]);
  results_wait (results, n);
  for (guint i = 0; i < n; i++)
    holder_clear (&holders[i]);
}

static void
start_all (ProcfunPool *pool)
{
  Holder holders[N_WORKERS];
  Results results;

  hold_all (holders, N_WORKERS, pool, &results);
  let_all_go (holders, N_WORKERS, &results);
  results_clear (&results);
}

static void
assert_distinct (GPtrArray *calls)
{
  g_autoptr (GHashTable) pids = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < calls->len; i++)
    {
      GVariant *result = procfun_call_get_result (calls->pdata[i]);
      gint pid;

      g_assert_nonnull (result);
      g_variant_get (result, "i", &pid);
      g_assert_cmpint (pid, ==, procfun_call_get_pid (calls->pdata[i]));
      g_assert_true (g_hash_table_add (pids, GINT_TO_POINTER (pid)));
    }
}

static void
test_idle (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (N_WORKERS);
  g_autoptr (GPtrArray) calls = NULL;

  start_all (pool);
  calls = broadcast (pool, 7);
  g_assert_cmpuint (calls->len, ==, N_WORKERS);
  assert_distinct (calls);
  for (guint i = 0; i < 4 * N_WORKERS; i++)
    g_assert_cmpint (pools_get_number (pool, get_value_call ()), ==, 7);
}

static void
test_none (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (N_WORKERS);
  g_autoptr (GPtrArray) calls = broadcast (pool, 7);

  g_assert_cmpuint (calls->len, ==, 0);
}

/* It is earlier than a call that waited before it. */
static void
test_busy (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GPtrArray) calls = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  Results results;
  Holder holder;

  hold_all (&holder, 1, pool, &results);
  results_run (&results, pool, get_value_call ());
  procfun_pool_broadcast_async (pool, set_value_function (), g_variant_new ("(i)", 5), NULL,
                                keep_result, &result);
  g_assert_null (result);
  let_all_go (&holder, 1, &results);
  results_wait (&results, 2);
  g_assert_cmpint (g_array_index (results.results, gint, 1), ==, 5);
  calls = finish (pool, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (calls->len, ==, 1);
  results_clear (&results);
}

static void
test_session (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunSession) session
      = procfun_pool_acquire (pool, get_value_function (), NULL, &error);
  g_autoptr (GPtrArray) calls = NULL;
  GAsyncResult *result = NULL;

  g_assert_no_error (error);
  procfun_pool_broadcast_async (pool, set_value_function (), g_variant_new ("(i)", 5), NULL,
                                keep_result, &result);
  g_assert_cmpint (pools_get_number (session, get_value_call ()), ==, 0);
  g_assert_null (result);
  g_clear_object (&session);
  calls = finish (pool, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (calls->len, ==, 1);
  g_assert_cmpint (pools_get_number (pool, get_value_call ()), ==, 5);
}

static void
test_crash (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (N_WORKERS);
  g_autoptr (GPtrArray) calls = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;

  start_all (pool);
  procfun_pool_broadcast_async (pool, die_function (), NULL, NULL, keep_result, &result);
  calls = finish (pool, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (calls->len, ==, N_WORKERS);
  for (guint i = 0; i < calls->len; i++)
    g_assert_cmpint (procfun_failure_get_signal (procfun_call_get_failure (calls->pdata[i])), ==,
                     SIGKILL);
  g_assert_cmpint (pools_get_number (pool, get_value_call ()), ==, 0);
}

/* The call that keeps the worker is not touched. */
static void
test_cancel (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GPtrArray) calls = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  Results results;
  Holder holder;

  hold_all (&holder, 1, pool, &results);
  procfun_pool_broadcast_async (pool, set_value_function (), g_variant_new ("(i)", 5), cancellable,
                                keep_result, &result);
  g_cancellable_cancel (cancellable);
  calls = finish (pool, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (calls->len, ==, 1);
  g_assert_nonnull (procfun_call_get_failure (calls->pdata[0]));
  g_assert_cmpint (procfun_call_get_pid (calls->pdata[0]), ==, 0);
  let_all_go (&holder, 1, &results);
  g_assert_cmpuint (results.n_succeeded, ==, 1);
  g_assert_cmpint (pools_get_number (pool, get_value_call ()), ==, 0);
  results_clear (&results);
}

static void
test_worker_lost (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GPtrArray) calls = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  Results results;
  Holder holder;

  hold_all (&holder, 1, pool, &results);
  procfun_pool_broadcast_async (pool, set_value_function (), g_variant_new ("(i)", 5), NULL,
                                keep_result, &result);
  g_assert_cmpint (kill (procfun_call_get_pid (holder.call), SIGKILL), ==, 0);
  calls = finish (pool, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (calls->len, ==, 1);
  g_assert_nonnull (procfun_call_get_failure (calls->pdata[0]));
  results_wait (&results, 1);
  g_assert_cmpuint (results.n_succeeded, ==, 0);
  holder_let_go (&holder);
  holder_clear (&holder);
  results_clear (&results);
}

/* A worker that was assigned to a broadcast, but has not begun with it, does not stop closing. */
static void
test_close (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (N_WORKERS);
  g_autoptr (GPtrArray) calls = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;

  start_all (pool);
  procfun_pool_broadcast_async (pool, set_value_function (), g_variant_new ("(i)", 5), NULL,
                                keep_result, &result);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 0);
  calls = finish (pool, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (calls->len, ==, N_WORKERS);
  for (guint i = 0; i < calls->len; i++)
    g_assert_nonnull (procfun_call_get_failure (calls->pdata[i]));

  procfun_pool_broadcast_async (pool, set_value_function (), g_variant_new ("(i)", 5), NULL,
                                keep_result, &result);
  g_assert_null (finish (pool, &result, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
}

static void
test_wrong (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;

  procfun_pool_broadcast_async (pool, set_value_function (), g_variant_new ("(s)", "five"), NULL,
                                keep_result, &result);
  g_assert_null (finish (pool, &result, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/broadcast/each-worker-has-one-call", test_idle);
  fixture_add_func ("/broadcast/no-worker-is-started-for-it", test_none);
  fixture_add_func ("/broadcast/busy-worker-has-it-before-calls-that-wait", test_busy);
  fixture_add_func ("/broadcast/worker-of-session-has-it-after-the-session", test_session);
  fixture_add_func ("/broadcast/crash-of-one-worker-is-its-own", test_crash);
  fixture_add_func ("/broadcast/cancelling-leaves-running-calls-alone", test_cancel);
  fixture_add_func ("/broadcast/worker-that-dies-first-fails-its-call", test_worker_lost);
  fixture_add_func ("/broadcast/closing-ends-it", test_close);
  fixture_add_func ("/broadcast/wrong-arguments-are-an-error", test_wrong);
  return fixture_run ();
}
