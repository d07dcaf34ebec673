/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls that wait and the calls that run when an executor is closed. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/pools.h"

#define N_WAITING 5

static ProcfunExecutor *
new_spawner (void)
{
  return PROCFUN_EXECUTOR (procfun_spawner_new ());
}

static ProcfunExecutor *
new_fork_server (void)
{
  return PROCFUN_EXECUTOR (procfun_fork_server_new ());
}

static ProcfunExecutor *
new_pool (void)
{
  return PROCFUN_EXECUTOR (procfun_pool_new (1));
}

static const struct
{
  const char *name;
  ProcfunExecutor *(*make) (void);
} kinds[]
    = { { "spawner", new_spawner }, { "fork-server", new_fork_server }, { "pool", new_pool } };

/* Closing, while this thread runs its main loop */

typedef struct
{
  ProcfunExecutor *executor;
  ProcfunCloseFlags flags;
  gboolean is_blocking;
  GThread *thread; /* (nullable) */
  gint is_closed;
  GError *error; /* (nullable) */
} Closing;

static gpointer
close_in_thread (gpointer user_data)
{
  Closing *self = user_data;

  procfun_executor_close_full (self->executor, self->flags, NULL, &self->error);
  g_atomic_int_set (&self->is_closed, TRUE);
  g_main_context_wakeup (NULL);
  return NULL;
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Closing *self = user_data;

  procfun_executor_close_full_finish (PROCFUN_EXECUTOR (source), result, &self->error);
  g_atomic_int_set (&self->is_closed, TRUE);
}

static void
begin_to_close (Closing *self, gpointer executor, ProcfunCloseFlags flags, gboolean is_blocking)
{
  *self = (Closing){ .executor = executor, .flags = flags, .is_blocking = is_blocking };
  if (is_blocking)
    self->thread = g_thread_new ("closes", close_in_thread, self);
  else
    procfun_executor_close_full_async (self->executor, flags, NULL, on_closed, self);
}

static void
end_to_close (Closing *self)
{
  while (!g_atomic_int_get (&self->is_closed))
    g_main_context_iteration (NULL, TRUE);
  if (self->thread != NULL)
    g_thread_join (self->thread);
  g_assert_no_error (self->error);
  g_assert_true (procfun_executor_is_closed (self->executor));
}

/* One call runs, and others wait: some in this main loop, one in a thread. */

typedef struct
{
  ProcfunExecutor *executor;
  Holder holder;
  Results held;
  Results waiting;
  GThread *thread;
  GError *thread_error; /* (nullable) */
} Load;

static guint
count_waiting (ProcfunExecutor *executor)
{
  g_autoptr (GVariant) statistics = procfun_executor_get_statistics (executor);
  guint n = 0;

  g_assert_true (g_variant_lookup (statistics, "queued", "u", &n));
  return n;
}

static gpointer
call_in_thread (gpointer user_data)
{
  Load *self = user_data;
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, self->executor);
  result = procfun_call_run (call, NULL, &self->thread_error);
  return NULL;
}

static void
load_init (Load *self, ProcfunExecutor *executor)
{
  *self = (Load){ .executor = executor };
  results_init (&self->held);
  results_init (&self->waiting);
  procfun_process_executor_set_max_processes (PROCFUN_PROCESS_EXECUTOR (executor), 1);
  holder_init (&self->holder, 0);
  procfun_call_set_grace_period (self->holder.call, 0);
  results_run (&self->held, executor, g_object_ref (self->holder.call));
  signal_await (&self->holder.ready);
  for (guint i = 0; i < N_WAITING; i++)
    results_run (&self->waiting, executor, add_call (1, 2));
  self->thread = g_thread_new ("calls", call_in_thread, self);
  while (count_waiting (executor) < N_WAITING + 1)
    g_thread_yield ();
}

static void
load_clear (Load *self)
{
  g_clear_error (&self->thread_error);
  holder_clear (&self->holder);
  results_clear (&self->held);
  results_clear (&self->waiting);
}

/* Those that wait fail at once, and the one that runs goes on. */
static void
test_drop (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data) / 2;
  g_autoptr (ProcfunExecutor) executor = kinds[i].make ();
  Closing closing;
  Load load;

  load_init (&load, executor);
  begin_to_close (&closing, executor, PROCFUN_CLOSE_DROP_QUEUED, GPOINTER_TO_SIZE (data) % 2 == 0);
  results_wait (&load.waiting, N_WAITING);
  g_thread_join (load.thread);
  g_assert_cmpuint (load.waiting.n_succeeded, ==, 0);
  g_assert_error (load.waiting.error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  g_assert_error (load.thread_error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  g_assert_cmpuint (load.held.n_ended, ==, 0);
  g_assert_false (g_atomic_int_get (&closing.is_closed));
  holder_let_go (&load.holder);
  end_to_close (&closing);
  results_wait (&load.held, 1);
  g_assert_cmpuint (load.held.n_succeeded, ==, 1);
  load_clear (&load);
}

/* Nothing is left to wait for. */
static void
test_drop_and_cancel (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data) / 2;
  g_autoptr (ProcfunExecutor) executor = kinds[i].make ();
  Closing closing;
  Load load;

  load_init (&load, executor);
  begin_to_close (&closing, executor, PROCFUN_CLOSE_DROP_QUEUED | PROCFUN_CLOSE_CANCEL_RUNNING,
                  GPOINTER_TO_SIZE (data) % 2 == 0);
  end_to_close (&closing);
  g_thread_join (load.thread);
  results_wait (&load.waiting, N_WAITING);
  results_wait (&load.held, 1);
  g_assert_error (load.waiting.error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  g_assert_error (load.thread_error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  g_assert_error (load.held.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  load_clear (&load);
}

/* Those that wait have their turn. */
static void
test_cancel (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data) / 2;
  g_autoptr (ProcfunExecutor) executor = kinds[i].make ();
  Closing closing;
  Load load;

  load_init (&load, executor);
  begin_to_close (&closing, executor, PROCFUN_CLOSE_CANCEL_RUNNING,
                  GPOINTER_TO_SIZE (data) % 2 == 0);
  end_to_close (&closing);
  g_thread_join (load.thread);
  results_wait (&load.waiting, N_WAITING);
  results_wait (&load.held, 1);
  g_assert_error (load.held.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (load.waiting.n_succeeded, ==, N_WAITING);
  g_assert_no_error (load.thread_error);
  load_clear (&load);
}

/* A second closing asks for more. */
static void
test_again (void)
{
  g_autoptr (ProcfunExecutor) executor = new_pool ();
  Closing first, second;
  Load load;

  load_init (&load, executor);
  begin_to_close (&first, executor, PROCFUN_CLOSE_NONE, FALSE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (load.waiting.n_ended, ==, 0);
  begin_to_close (&second, executor, PROCFUN_CLOSE_DROP_QUEUED | PROCFUN_CLOSE_CANCEL_RUNNING,
                  FALSE);
  end_to_close (&second);
  end_to_close (&first);
  g_thread_join (load.thread);
  results_wait (&load.waiting, N_WAITING);
  results_wait (&load.held, 1);
  g_assert_cmpuint (load.waiting.n_succeeded + load.held.n_succeeded, ==, 0);
  load_clear (&load);
}

static void
test_session (gconstpointer in_thread)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunSession) session
      = procfun_pool_acquire (pool, stay_until_function (), NULL, NULL);
  Results results;
  Closing closing;
  Holder holder;

  results_init (&results);
  holder_init (&holder, 0);
  procfun_call_set_grace_period (holder.call, 0);
  results_run (&results, session, g_object_ref (holder.call));
  signal_await (&holder.ready);
  begin_to_close (&closing, session, PROCFUN_CLOSE_CANCEL_RUNNING, in_thread != NULL);
  end_to_close (&closing);
  results_wait (&results, 1);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  holder_clear (&holder);
  results_clear (&results);
}

/* Inline, what waits is what the main loop has not come to. */
static void
test_inline_drop (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  Results results;
  Closing closing;

  results_init (&results);
  for (guint i = 0; i < N_WAITING; i++)
    results_run (&results, executor, add_call (1, 2));
  begin_to_close (&closing, executor, PROCFUN_CLOSE_DROP_QUEUED, FALSE);
  end_to_close (&closing);
  results_wait (&results, N_WAITING);
  g_assert_cmpuint (results.n_succeeded, ==, 0);
  g_assert_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  results_clear (&results);
}

static gint inline_runs;

PROCFUN_DEFINE_FUNCTION (run_until_cancelled, gint)
{
  GCancellable *cancellable = procfun_get_cancellable ();

  g_atomic_int_set (&inline_runs, TRUE);
  while (!g_cancellable_is_cancelled (cancellable))
    g_thread_yield ();
  return 0;
}

static gpointer
run_inline (gpointer executor)
{
  g_autoptr (ProcfunCall) call = run_until_cancelled_call ();
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, executor);
  result = procfun_call_run (call, NULL, NULL);
  return NULL;
}

/* A function that listens hears of it. */
static void
test_inline_cancel (gconstpointer blocking)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  GThread *thread = g_thread_new ("calls", run_inline, executor);
  Closing closing;

  while (!g_atomic_int_get (&inline_runs))
    g_thread_yield ();
  begin_to_close (&closing, executor, PROCFUN_CLOSE_CANCEL_RUNNING, blocking != NULL);
  end_to_close (&closing);
  g_thread_join (thread);
  g_atomic_int_set (&inline_runs, FALSE);
}

/* All of the program, in one of its own. */
static void
test_all (gconstpointer blocking)
{
  if (g_test_subprocess ())
    {
      g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
      g_autoptr (ProcfunExecutor) spawner = new_spawner ();
      GAsyncResult *result = NULL;
      g_autoptr (GError) error = NULL;
      Load load;

      g_assert_cmpint (add_process (1, 2, NULL), ==, 3);
      if (blocking != NULL)
        procfun_executor_close_all (PROCFUN_CLOSE_NONE, NULL, &error);
      else
        {
          load_init (&load, PROCFUN_EXECUTOR (pool));
          procfun_executor_close_all_async (
              PROCFUN_CLOSE_DROP_QUEUED | PROCFUN_CLOSE_CANCEL_RUNNING, NULL, keep_result, &result);
          while (result == NULL)
            g_main_context_iteration (NULL, TRUE);
          procfun_executor_close_all_finish (result, &error);
          g_clear_object (&result);
          g_thread_join (load.thread);
          results_wait (&load.waiting, N_WAITING);
          results_wait (&load.held, 1);
          g_assert_cmpuint (load.waiting.n_succeeded + load.held.n_succeeded, ==, 0);
          load_clear (&load);
        }
      g_assert_no_error (error);
      g_assert_true (procfun_executor_is_closed (PROCFUN_EXECUTOR (pool)));
      g_assert_true (procfun_executor_is_closed (spawner));
      add_process (1, 2, &error);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

static void
add_tests (const char *promise, GTestDataFunc func)
{
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *path = g_strdup_printf ("/close/%s/%s/%s", kinds[i / 2].name,
                                               i % 2 == 0 ? "blocking" : "async", promise);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), func);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  add_tests ("calls that wait are dropped, and one that runs goes on", test_drop);
  add_tests ("calls that wait are dropped, and one that runs is cancelled", test_drop_and_cancel);
  add_tests ("a call that runs is cancelled, and those that wait have their turn", test_cancel);
  fixture_add_func ("/close/a second closing may ask for more", test_again);
  fixture_add_data_func ("/close/session/blocking/its call is cancelled", "in a thread",
                         test_session);
  fixture_add_data_func ("/close/session/async/its call is cancelled", NULL, test_session);
  fixture_add_func ("/close/inline/calls that wait are dropped", test_inline_drop);
  fixture_add_data_func ("/close/inline/blocking/a function that listens is cancelled",
                         "in a thread", test_inline_cancel);
  fixture_add_data_func ("/close/inline/async/a function that listens is cancelled", NULL,
                         test_inline_cancel);
  fixture_add_data_func ("/close/all/blocking/all executors are closed", "blocking", test_all);
  fixture_add_data_func ("/close/all/async/all executors are closed", NULL, test_all);
  return fixture_run ();
}
