/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Draining a pool, and closing it in each state. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANNEL_FD 3

PROCFUN_DEFINE_STATIC_FUNCTION (give_channel, ProcfunFd) { return dup (CHANNEL_FD); }

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static void
close_now (ProcfunPool *pool)
{
  g_autoptr (GError) error = NULL;

  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, &error);
  g_assert_no_error (error);
}

static void
close_in_context (ProcfunPool *pool)
{
  GAsyncResult *result = NULL;
  g_autoptr (GError) error = NULL;

  procfun_executor_close_async (PROCFUN_EXECUTOR (pool), NULL, keep_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  procfun_executor_close_finish (PROCFUN_EXECUTOR (pool), result, &error);
  g_assert_no_error (error);
  g_object_unref (result);
}

static gpointer
close_in_thread (gpointer pool)
{
  close_now (pool);
  return NULL;
}

static void
leave_unused (ProcfunPool *pool)
{
}

static void
leave_idle (ProcfunPool *pool)
{
  pools_get_pid (pool);
}

static void
leave_dead (ProcfunPool *pool)
{
  g_assert_no_errno (kill (pools_get_pid (pool), SIGKILL));
}

static void
leave_stopped (ProcfunPool *pool)
{
  g_assert_no_errno (kill (pools_get_pid (pool), SIGSTOP));
}

static void
leave_closed (ProcfunPool *pool)
{
  leave_idle (pool);
  close_now (pool);
}

static void
leave_crashed (ProcfunPool *pool)
{
  pools_assert_error (pool, do_crash_call (), PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "*");
}

static void
leave_failed_start (ProcfunPool *pool)
{
  procfun_pool_set_initializer (pool, fail_to_prepare_function (), g_variant_new ("()"));
  pools_assert_error (pool, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_SPAWN, "*");
}

static const struct
{
  const char *name;
  void (*leave) (ProcfunPool *pool);
} states[]
    = { { "unused", leave_unused },      { "idle", leave_idle },     { "dead", leave_dead },
        { "stopped", leave_stopped },    { "closed", leave_closed }, { "crashed", leave_crashed },
        { "failed", leave_failed_start } };

static void
test_state (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data) / 2;
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  Events events;

  events_init (&events, pool);
  states[i].leave (pool);
  if (GPOINTER_TO_SIZE (data) % 2 == 0)
    close_now (pool);
  else
    close_in_context (pool);
  g_assert_cmpuint (events_count (&events, "started"), ==, events_count (&events, "exited"));
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 0);
  g_assert_true (procfun_executor_is_closed (PROCFUN_EXECUTOR (pool)));
  pools_assert_error (pool, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_CLOSED, "*add()*");
  while (fixture_count_processes () > 0) /* GLib's own thread reaps the one that forked them */
    g_thread_yield ();
  events_clear (&events);
}

/* Closing waits for running and waiting calls. */
static void
test_running (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  GAsyncResult *result = NULL;
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, pool, &results);
  for (guint i = 0; i < 5; i++)
    results_run (&results, pool, add_call (1, 2));
  procfun_executor_close_async (PROCFUN_EXECUTOR (pool), NULL, keep_result, &result);
  pools_assert_error (pool, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_CLOSED, "*");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_null (result);
  holder_let_go (&holder);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (procfun_executor_close_finish (PROCFUN_EXECUTOR (pool), result, NULL));
  results_wait (&results, 6);
  g_assert_cmpuint (results.n_succeeded, ==, 6);
  g_object_unref (result);
  holder_clear (&holder);
  results_clear (&results);
}

/* Its own deadline: functions that do not listen, that ignore signals, and calls that wait. */
static void
test_timeout (gconstpointer in_thread)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (3);
  gint64 began;
  Results results;
  Signal ready;

  results_init (&results);
  signal_open (&ready);
  results_run (&results, pool, do_stay_call (ready.ends[1]));
  results_run (&results, pool, do_spin_call (ready.ends[1]));
  results_run (&results, pool, do_ignore_signals_call (ready.ends[1]));
  for (guint i = 0; i < 3; i++)
    signal_await (&ready);
  for (guint i = 0; i < 10; i++)
    results_run (&results, pool, add_call (1, 2));
  procfun_pool_set_close_timeout (pool, 100 * G_TIME_SPAN_MILLISECOND);
  began = g_get_monotonic_time ();
  if (in_thread)
    {
      GThread *thread = g_thread_new ("closes", close_in_thread, pool);

      results_wait (&results, 13);
      g_thread_join (thread);
    }
  else
    {
      close_in_context (pool);
      results_wait (&results, 13);
    }
  g_assert_cmpint (g_get_monotonic_time () - began, >=, 100 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpuint (results.n_succeeded, ==, 0);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (pools_get_statistic (pool, "failed"), ==, 13);
  signal_close (&ready);
  results_clear (&results);
}

/* A call in a long grace period from before does not hold it up. */
static void
test_timeout_and_grace (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = NULL;
  Results results;
  Signal ready;

  results_init (&results);
  signal_open (&ready);
  call = do_ignore_signals_call (ready.ends[1]);
  procfun_call_set_grace_period (call, G_TIME_SPAN_HOUR);
  results_run (&results, pool, g_object_ref (call));
  signal_await (&ready);
  procfun_call_abort (call);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  procfun_pool_set_close_timeout (pool, 1);
  close_in_context (pool);
  results_wait (&results, 1);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  signal_close (&ready);
  results_clear (&results);
}

PROCFUN_DEFINE_STATIC_FUNCTION (tell_of_cancelling, gint, (ProcfunFd, ready), (ProcfunFd, heard))
{
  GCancellable *cancellable = procfun_get_cancellable ();

  g_assert_cmpint (write (ready, "!", 1), ==, 1);
  while (!g_cancellable_is_cancelled (cancellable))
    g_usleep (1000);
  g_usleep (20000);
  g_assert_cmpint (write (heard, "!", 1), ==, 1);
  return 0;
}

/* A function that listens has no time left to end by itself. */
static void
test_timeout_is_at_once (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Results results;
  Signal ready, heard;
  char byte;

  results_init (&results);
  signal_open (&ready);
  signal_open (&heard);
  results_run (&results, pool, tell_of_cancelling_call (ready.ends[1], heard.ends[1]));
  signal_await (&ready);
  close (heard.ends[1]);
  procfun_pool_set_close_timeout (pool, 1);
  close_in_context (pool);
  results_wait (&results, 1);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (read (heard.ends[0], &byte, 1), ==, 0);
  close (heard.ends[0]);
  signal_close (&ready);
  results_clear (&results);
}

/* Calls whose main context nobody runs. */
static void
test_nobody_runs_context (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  Results results;
  Signal ready;

  results_init (&results);
  signal_open (&ready);
  pools_get_pid (pool); /* its worker need not be started then */
  g_main_context_push_thread_default (context);
  results_run (&results, pool, do_stay_call (ready.ends[1]));
  g_main_context_pop_thread_default (context);
  signal_wait (&ready);
  g_assert_false (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
  g_clear_error (&error);
  procfun_pool_set_close_timeout (pool, 1);
  {
    GAsyncResult *result = NULL;

    procfun_executor_close_async (PROCFUN_EXECUTOR (pool), NULL, keep_result, &result);
    while (result == NULL)
      g_main_context_iteration (NULL, TRUE);
    g_assert_false (procfun_executor_close_finish (PROCFUN_EXECUTOR (pool), result, &error));
    g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
    g_object_unref (result);
  }
  while (results.n_ended == 0)
    g_main_context_iteration (context, TRUE);
  close_now (pool);
  signal_close (&ready);
  results_clear (&results);
}

/* Draining */

static gboolean
let_go (gpointer holder)
{
  holder_let_go (holder);
  return G_SOURCE_REMOVE;
}

static void
test_drain (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GAsyncResult *drained = NULL, *cancelled = NULL;
  Results results;
  Holder holder;

  results_init (&results);
  g_assert_true (procfun_pool_drain (pool, NULL, NULL));
  holder_run (&holder, pool, &results);
  for (guint i = 0; i < 5; i++)
    results_run (&results, pool, add_call (1, 2));
  g_assert_false (procfun_pool_drain (pool, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
  g_clear_error (&error);
  procfun_pool_drain_async (pool, NULL, keep_result, &drained);
  procfun_pool_drain_async (pool, cancellable, keep_result, &cancelled);
  g_cancellable_cancel (cancellable);
  while (cancelled == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (procfun_pool_drain_finish (pool, cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null (drained);
  g_idle_add (let_go, &holder);
  while (drained == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (procfun_pool_drain_finish (pool, drained, NULL));
  g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, 6);
  results_wait (&results, 6);
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3); /* it is not closed */
  g_object_unref (drained);
  g_object_unref (cancelled);
  holder_clear (&holder);
  results_clear (&results);
}

static gpointer
call_often (gpointer pool)
{
  for (gint i = 0; i < 50; i++)
    g_assert_cmpint (pools_get_number (pool, add_call (i, 1)), ==, i + 1);
  return NULL;
}

static void
test_drain_in_thread (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  GThread *threads[4];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("calls", call_often, pool);
  for (guint i = 0; i < 20; i++)
    g_assert_true (procfun_pool_drain (pool, NULL, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_true (procfun_pool_drain (pool, NULL, NULL));
  g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, 200);
}

/* Callbacks that submit, and that close */

typedef struct
{
  ProcfunPool *pool;
  guint n_left;
  gboolean is_closed;
} Chain;

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_true (procfun_executor_close_finish (PROCFUN_EXECUTOR (source), result, NULL));
  *(gboolean *)user_data = TRUE;
}

static void
on_called (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Chain *self = user_data;
  g_autoptr (GVariant) value = procfun_call_run_finish (PROCFUN_CALL (source), result, NULL);
  g_autoptr (ProcfunCall) next = add_call (1, 2);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (value);
  if (--self->n_left == 0)
    {
      procfun_executor_close_async (PROCFUN_EXECUTOR (self->pool), NULL, on_closed,
                                    &self->is_closed);
      return;
    }
  procfun_pool_submit (self->pool, next, NULL, on_called, self, &error);
  g_assert_no_error (error);
}

static void
test_callbacks (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Chain chain = { pool, 50, FALSE };
  g_autoptr (ProcfunCall) call = add_call (1, 2);

  procfun_pool_set_max_queue_calls (pool, 1);
  procfun_pool_submit (pool, call, NULL, on_called, &chain, NULL);
  while (!chain.is_closed)
    g_main_context_iteration (NULL, TRUE);
}

static void
close_from_signal (ProcfunCall *call, ProcfunPool *pool)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
}

static void
on_call_started (ProcfunCall *call, int pid, ProcfunPool *pool)
{
  close_from_signal (call, pool);
}

/* A handler of a call waits for that call: this is an error and no deadlock. */
static void
test_close_in_handler (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = add_call (1, 2);

  g_signal_connect (call, "started", G_CALLBACK (on_call_started), pool);
  g_assert_cmpint (pools_get_number (pool, g_object_ref (call)), ==, 3);
  g_assert_true (procfun_executor_is_closed (PROCFUN_EXECUTOR (pool)));
  close_now (pool);
}

/* This program dies: no worker stays, busy or idle. */
static void
test_host_killed (void)
{
  if (g_test_subprocess ())
    {
      ProcfunPool *pool = procfun_pool_new (3);
      Results results;
      Signal ready;

      results_init (&results);
      signal_open (&ready);
      results_run (&results, pool, do_spin_call (ready.ends[1]));
      results_run (&results, pool, do_ignore_signals_call (ready.ends[1]));
      signal_await (&ready);
      signal_await (&ready);
      pools_get_pid (pool);
      kill (getpid (), SIGKILL);
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_assert_false (g_test_trap_has_passed ());
}

/* It has hung up, so that it is waited for, and does not go. */
static void
test_stopped_at_its_end (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  const int pid = pools_get_pid (pool);
  g_autoptr (GError) error = NULL;
  const ProcfunFd channel = give_channel_process_with (PROCFUN_EXECUTOR (pool), NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (pools_get_pid (pool), ==, pid);
  g_assert_cmpint (kill (pid, SIGSTOP), ==, 0);
  g_assert_cmpint (shutdown (channel, SHUT_RDWR), ==, 0);
  close (channel);
  while (pools_get_statistic (pool, "workers") > 0)
    g_thread_yield ();
  g_assert_cmpint (kill (pid, 0), ==, 0);
  close_now (pool);
  while (kill (pid, 0) == 0) /* until it was reaped */
    g_thread_yield ();
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (gsize i = 0; i < 2 * G_N_ELEMENTS (states); i++)
    {
      g_autofree char *path = g_strdup_printf (
          "/pool/close/%s/%s", i % 2 == 0 ? "blocking" : "async", states[i / 2].name);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_state);
    }
  fixture_add_func ("/pool/closing waits for calls that run", test_running);
  fixture_add_func ("/pool/closing kills a worker that was stopped at its end",
                    test_stopped_at_its_end);
  fixture_add_data_func ("/pool/a blocking close cancels calls after close-timeout", "in a thread",
                         test_timeout);
  fixture_add_data_func ("/pool/an asynchronous close cancels calls after close-timeout", NULL,
                         test_timeout);
  fixture_add_func ("/pool/closing does not wait for grace periods", test_timeout_and_grace);
  fixture_add_func ("/pool/calls that close-timeout cancels have no grace period",
                    test_timeout_is_at_once);
  fixture_add_func ("/pool/closing gives up on calls whose main context nobody runs",
                    test_nobody_runs_context);
  fixture_add_func ("/pool/an asynchronous drain ends when all calls have ended", test_drain);
  fixture_add_func ("/pool/a blocking drain ends when all calls have ended", test_drain_in_thread);
  fixture_add_func ("/pool/a callback may submit calls and close the pool", test_callbacks);
  fixture_add_func ("/pool/a handler may close the pool", test_close_in_handler);
  fixture_add_func ("/pool/no worker outlives a program that is killed", test_host_killed);
  return fixture_run ();
}
