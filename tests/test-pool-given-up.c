/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callers that wait for a worker or for room in the queue, and give up just when they get it, or
 * while others stand behind them: the next one has it then. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

static void
run_in_context (GMainContext *context, Results *results, ProcfunPool *pool, ProcfunCall *call)
{
  g_main_context_push_thread_default (context);
  results_run (results, pool, call);
  g_main_context_pop_thread_default (context);
}

/* Main contexts */

static void
abort_then (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) value = procfun_call_run_finish (PROCFUN_CALL (source), result, NULL);

  g_assert_nonnull (value);
  procfun_call_abort (user_data);
}

/* The callback of the call that has given its worker to the next one cancels that. */
static void
test_aborted_with_worker (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  Results results;
  Holder holder;

  results_init (&results);
  holder_init (&holder, 0);
  procfun_call_set_executor (holder.call, PROCFUN_EXECUTOR (pool));
  procfun_call_run_async (holder.call, NULL, abort_then, call);
  signal_await (&holder.ready);
  results_run (&results, pool, g_object_ref (call));
  holder_let_go (&holder);
  results_wait (&results, 1);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (procfun_call_get_pid (call), ==, 0);
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
  holder_clear (&holder);
  results_clear (&results);
}

/* Threads */

static void
cancel_then (GObject *source, GAsyncResult *result, gpointer user_data)
{
  const Thread *self = user_data;
  g_autoptr (GVariant) value = procfun_call_run_finish (PROCFUN_CALL (source), result, NULL);

  g_assert_nonnull (value);
  g_cancellable_cancel (self->cancellable);
}

/* The callback of the call that has given its worker to a thread cancels what the thread does:
 * mostly before the thread has awoken. Whatever comes first, the worker is there afterwards. */
static void
test_cancelled_with_worker (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);

  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
  for (guint i = 0; i < 20; i++)
    {
      Thread self = { pool, add_call (1, 2), g_cancellable_new (), NULL, NULL };
      GThread *thread;
      Holder holder;

      holder_init (&holder, 0);
      procfun_call_set_executor (holder.call, PROCFUN_EXECUTOR (pool));
      procfun_call_run_async (holder.call, NULL, cancel_then, &self);
      signal_await (&holder.ready);
      thread = g_thread_new ("waits", thread_run, &self);
      pools_wait_until_queued (pool, 1);
      holder_let_go (&holder);
      while (!g_cancellable_is_cancelled (self.cancellable))
        g_main_context_iteration (NULL, TRUE);
      g_thread_join (thread);
      if (self.error != NULL)
        g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      thread_clear (&self);
      holder_clear (&holder);
      g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
    }
}

/* In the way of others */

/* A call with a sandbox of its own can only have a new worker. */
static ProcfunCall *
make_picky (void)
{
  g_autoptr (ProcfunSandboxRules) rules = procfun_sandbox_rules_new ();
  ProcfunCall *call = add_call (1, 2);

  procfun_sandbox_rules_set_best_effort (rules, TRUE);
  procfun_call_set_sandbox (call, PROCFUN_SANDBOX_NO_NETWORK);
  procfun_call_set_sandbox_rules (call, rules);
  return call;
}

#define N_FAILED_STARTS 8

/* Both workers are busy, and another one fails to start so often that the next try is in a second.
 */
static void
fail_to_start (ProcfunPool *pool)
{
  Results results;

  results_init (&results);
  for (guint n_failed = 0; n_failed < N_FAILED_STARTS;)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      const guint n = results.n_ended + 1;

      results_run (&results, pool, g_object_ref (call));
      while (results.n_ended < n && pools_get_statistic (pool, "queued") == 0)
        g_main_context_iteration (NULL, FALSE);
      procfun_call_abort (call);
      results_wait (&results, n);
      if (g_error_matches (results.error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN))
        n_failed++;
      else
        g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  results_clear (&results);
}

/* Afterwards one worker runs @holder, and one is idle. Both have had calls: the end of a first one
 * would say that workers can be started. */
static void
stop_starting (ProcfunPool *pool, Holder *holder, Results *results)
{
  Holder other;

  for (guint round = 0; round < 2; round++)
    {
      holder_run (holder, pool, results);
      holder_run (&other, pool, results);
      if (round == 1)
        {
          procfun_pool_set_initializer (pool, fail_to_prepare_function (), g_variant_new ("()"));
          fail_to_start (pool);
        }
      holder_let_go (&other);
      if (round == 0)
        holder_let_go (holder);
      results_wait (results, round == 0 ? 2 : 3);
      holder_clear (&other);
      if (round == 0)
        holder_clear (holder);
    }
}

/* Calls have workers in their order: one that could have the idle worker stands behind one that
 * waits for a new one, and has it at once when that one is cancelled. */
static void
test_in_the_way (gconstpointer in_thread)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (3);
  Thread picky = { pool, make_picky (), g_cancellable_new (), NULL, NULL };
  GThread *thread = NULL;
  Results results, others;
  Holder holder;

  results_init (&results);
  results_init (&others);
  stop_starting (pool, &holder, &results);
  if (in_thread != NULL)
    thread = g_thread_new ("waits", thread_run, &picky);
  else
    results_run (&others, pool, g_object_ref (picky.call));
  pools_wait_until_queued (pool, 1);
  results_run (&results, pool, add_call (3, 4));
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 2);
  procfun_call_abort (picky.call);
  results_wait (&results, 4);
  g_assert_cmpuint (results.n_succeeded, ==, 4);
  g_assert_cmpint (procfun_call_get_state (holder.call), <, PROCFUN_CALL_SUCCEEDED);
  if (thread != NULL)
    g_thread_join (thread);
  else
    results_wait (&others, 1);
  procfun_pool_set_initializer (pool, NULL, NULL);
  holder_let_go (&holder);
  results_wait (&results, 5);
  holder_clear (&holder);
  thread_clear (&picky);
  results_clear (&others);
  results_clear (&results);
}

/* Main contexts that nobody runs */

/* The thread that looks for them leaves, and the next one looks. */
static void
test_next_looker (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  GMainContext *context = g_main_context_new ();
  Thread first = { pool, add_call (1, 2), g_cancellable_new (), NULL, NULL };
  Thread second = { pool, add_call (3, 4), g_cancellable_new (), NULL, NULL };
  GThread *threads[2];
  Results absent;

  results_init (&absent);
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
  run_in_context (context, &absent, pool, add_call (5, 6));
  threads[0] = g_thread_new ("looks", thread_run, &first);
  pools_wait_until_queued (pool, 1);
  threads[1] = g_thread_new ("waits", thread_run, &second);
  pools_wait_until_queued (pool, 2);
  g_cancellable_cancel (first.cancellable);
  g_thread_join (threads[0]);
  g_assert_error (first.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (threads[1]);
  g_assert_no_error (second.error);
  g_assert_cmpuint (absent.n_ended, ==, 0);
  while (absent.n_ended == 0)
    g_main_context_iteration (context, TRUE);
  g_main_context_unref (context);
  thread_clear (&first);
  thread_clear (&second);
  results_clear (&absent);
}

/* A worker that runs already needs no turn of a main loop for its next call. */
static void
start_two (ProcfunPool *pool)
{
  Results results;
  Holder holders[2];

  results_init (&results);
  for (guint i = 0; i < 2; i++)
    holder_run (&holders[i], pool, &results);
  for (guint i = 0; i < 2; i++)
    holder_let_go (&holders[i]);
  results_wait (&results, 2);
  for (guint i = 0; i < 2; i++)
    holder_clear (&holders[i]);
  results_clear (&results);
}

/* Calls that waited in one have their turn as soon as somebody runs it again. */
static void
test_context_comes_back (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  GMainContext *context = g_main_context_new ();
  Results results, absent;
  Holder here, there;

  results_init (&results);
  results_init (&absent);
  start_two (pool);
  holder_run (&here, pool, &results);
  holder_init (&there, 0);
  run_in_context (context, &absent, pool, g_object_ref (there.call));
  signal_wait (&there.ready);
  run_in_context (context, &absent, pool, add_call (1, 2));
  results_run (&results, pool, add_call (3, 4)); /* it looks, and is let through */
  results_wait (&results, 1);
  g_assert_cmpuint (results.n_succeeded, ==, 1);
  holder_let_go (&here);
  results_wait (&results, 2);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 1);
  while (absent.n_ended == 0)
    g_main_context_iteration (context, TRUE);
  g_assert_cmpint (procfun_call_get_state (there.call), <, PROCFUN_CALL_SUCCEEDED);
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 2);
  holder_let_go (&there);
  while (absent.n_ended < 2)
    g_main_context_iteration (context, TRUE);
  g_main_context_unref (context);
  holder_clear (&here);
  holder_clear (&there);
  results_clear (&absent);
  results_clear (&results);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/given-up/worker-of-a-call-that-is-aborted-is-the-pools-again",
                    test_aborted_with_worker);
  fixture_add_func ("/given-up/worker-of-a-thread-that-is-cancelled-is-the-pools-again",
                    test_cancelled_with_worker);
  fixture_add_data_func ("/given-up/call-behind-one-that-is-cancelled-goes-on", NULL,
                         test_in_the_way);
  fixture_add_data_func ("/given-up/call-behind-a-thread-that-is-cancelled-goes-on", "in a thread",
                         test_in_the_way);
  fixture_add_func ("/given-up/next-thread-looks-for-absent-main-contexts", test_next_looker);
  fixture_add_func ("/given-up/main-context-that-comes-back-has-its-turn", test_context_comes_back);
  return fixture_run ();
}
