/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The queue that all executors with processes have: its bounds, its order, and that nothing of it
 * waits in a main loop. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/generators.h"
#include "tests/pools.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

PROCFUN_DEFINE_STATIC_FUNCTION (kill_itself, void) { raise (SIGKILL); }

/* A program that takes its time before it can be called, when the test says so: until the other end
 * of this is opened. */
#define SLOW_VARIABLE "PROCFUN_TEST_SLOW"

static void __attribute__ ((constructor (200))) be_slow (void)
{
  const char *path = g_getenv (SLOW_VARIABLE);
  int fd;

  if (path == NULL || !procfun_is_child ())
    return;
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0)
    close (fd);
}

static ProcfunProcessExecutor *
make (guint max_processes)
{
  ProcfunProcessExecutor *self = PROCFUN_PROCESS_EXECUTOR (calls_new_executor ());

  procfun_process_executor_set_max_processes (self, max_processes);
  return self;
}

static guint64
count_queued (gpointer executor)
{
  return pools_get_statistic (executor, "queued");
}

static gint
add_on (gpointer executor, gint a)
{
  return pools_get_number (executor, add_call (a, 1));
}

/* Bounds */

static void
test_default (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (1);
  guint n;

  g_assert_cmpuint (procfun_process_executor_get_max_processes (executor), ==, 1);
  procfun_process_executor_set_max_processes (executor, 0);
  n = procfun_process_executor_get_max_processes (executor);
  g_assert_cmpuint (n, >=, PROCFUN_IS_POOL (executor) ? 1 : 4);
  g_object_set (executor, "max-processes", 3, "max-queue-calls", 7, "max-queue-bytes", (guint64)100,
                NULL);
  g_assert_cmpuint (procfun_process_executor_get_max_processes (executor), ==, 3);
  g_assert_cmpuint (procfun_process_executor_get_max_queue_calls (executor), ==, 7);
  g_assert_cmpuint (procfun_process_executor_get_max_queue_bytes (executor), ==, 100);
  if (PROCFUN_IS_POOL (executor))
    g_assert_cmpuint (procfun_pool_get_max_workers (PROCFUN_POOL (executor)), ==, 3);
}

static void
run_holders (gpointer executor, Holder *holders, guint n, guint n_running, Results *results)
{
  for (guint i = 0; i < n; i++)
    {
      holder_init (&holders[i], (gint)i);
      results_run (results, executor, g_object_ref (holders[i].call));
    }
  while (count_queued (executor) < n - n_running)
    g_main_context_iteration (NULL, TRUE);
}

/* It has room for a call only while a process is free. */
static void
test_no_queue (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (1);
  g_autoptr (ProcfunCall) refused = add_call (1, 1);
  g_autoptr (GError) error = NULL;
  Results held, results;
  Holder holder;

  g_assert_true (procfun_process_executor_get_has_queue (executor));
  g_object_set (executor, "has-queue", FALSE, NULL);
  g_assert_false (procfun_process_executor_get_has_queue (executor));
  results_init (&held);
  results_init (&results);
  g_assert_cmpint (add_on (executor, 1), ==, 2);
  holder_run (&holder, executor, &held);
  for (gsize async = 0; async < 2; async++)
    calls_assert_error (PROCFUN_EXECUTOR (executor), add_call (1, 2), async == 1, PROCFUN_ERROR,
                        PROCFUN_ERROR_BUSY, "*add()*free*");
  g_assert_false (
      procfun_process_executor_try_submit (executor, refused, NULL, NULL, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY);
  holder_let_go (&holder);
  results_wait (&held, 1);
  g_clear_error (&error);
  g_assert_true (
      procfun_process_executor_try_submit (executor, refused, NULL, results_add, &results, &error));
  g_assert_no_error (error);
  results_wait (&results, 1);
  g_assert_cmpuint (results.n_succeeded, ==, 1);
  g_assert_cmpint (add_on (executor, 3), ==, 4);
  holder_clear (&holder);
  results_clear (&held);
  results_clear (&results);
}

static void
test_max_processes (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (2);
  Results results;
  Holder holders[4];

  results_init (&results);
  run_holders (executor, holders, 4, 2, &results);
  g_assert_cmpuint (count_queued (executor), ==, 2);
  while (procfun_call_get_pid (holders[1].call) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (procfun_call_get_pid (holders[2].call), ==, 0);
  holder_let_go (&holders[0]);
  results_wait (&results, 1);
  g_assert_cmpuint (count_queued (executor), ==, 1);
  procfun_process_executor_set_max_processes (executor, 3);
  g_assert_cmpuint (count_queued (executor), ==, 0);
  for (guint i = 1; i < 4; i++)
    holder_let_go (&holders[i]);
  results_wait (&results, 4);
  g_assert_cmpuint (results.n_succeeded, ==, 4);
  for (guint i = 0; i < 4; i++)
    holder_clear (&holders[i]);
  results_clear (&results);
}

static void
test_priorities (void)
{
  static const gint order[] = { 0, 3, 1, 2 };
  g_autoptr (ProcfunProcessExecutor) executor = make (1);
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, executor, &results);
  for (gint i = 1; i <= 3; i++)
    {
      ProcfunCall *call = add_call (0, i);

      procfun_call_set_priority (call, i == 3 ? -100000 : i * 1000);
      results_run (&results, executor, call);
    }
  holder_let_go (&holder);
  results_wait (&results, 4);
  for (gsize i = 0; i < G_N_ELEMENTS (order); i++)
    g_assert_cmpint (g_array_index (results.results, gint, i), ==, order[i]);
  holder_clear (&holder);
  results_clear (&results);
}

static void
on_submitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  procfun_process_executor_submit_finish (PROCFUN_PROCESS_EXECUTOR (source), result, &error);
  g_assert_no_error (error);
  ++*(guint *)user_data;
}

static void
on_drained (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  procfun_process_executor_drain_finish (PROCFUN_PROCESS_EXECUTOR (source), result, &error);
  g_assert_no_error (error);
  *(gboolean *)user_data = TRUE;
}

static void
test_bounded_queue (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (1);
  g_autoptr (ProcfunCall) first = add_call (1, 1);
  g_autoptr (ProcfunCall) second = add_call (1, 2);
  g_autoptr (GError) error = NULL;
  gboolean is_drained = FALSE;
  guint n_submitted = 0;
  Results results;
  Holder holder;

  results_init (&results);
  procfun_process_executor_set_max_queue_calls (executor, 1);
  holder_run (&holder, executor, &results);
  g_assert_true (
      procfun_process_executor_try_submit (executor, first, NULL, results_add, &results, &error));
  g_assert_false (
      procfun_process_executor_try_submit (executor, second, NULL, results_add, &results, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY);
  g_clear_error (&error);
  /* This thread alone can make room. */
  g_assert_false (
      procfun_process_executor_submit (executor, second, NULL, results_add, &results, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
  g_clear_error (&error);
  g_assert_false (procfun_process_executor_drain (executor, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
  procfun_process_executor_submit_async (executor, second, NULL, on_submitted, &n_submitted);
  procfun_process_executor_drain_async (executor, NULL, on_drained, &is_drained);
  holder_let_go (&holder);
  results_wait (&results, 2);
  while (n_submitted == 0 || !is_drained)
    g_main_context_iteration (NULL, TRUE);
  while (procfun_call_get_state (second) < PROCFUN_CALL_SUCCEEDED)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  holder_clear (&holder);
  results_clear (&results);
}

/* A thread that would wait for itself */

static void
check_let_through (gpointer executor)
{
  if (PROCFUN_IS_POOL (executor))
    pools_assert_error (executor, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_NESTED, "*add()*");
  else
    g_assert_cmpint (add_on (executor, 1), ==, 2);
}

static void
test_own_calls (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (2);
  Results results;
  Holder holders[3];

  results_init (&results);
  run_holders (executor, holders, 3, 2, &results);
  check_let_through (executor);
  for (guint i = 0; i < 3; i++)
    holder_let_go (&holders[i]);
  results_wait (&results, 3);
  g_assert_cmpuint (results.n_succeeded, ==, 3);
  for (guint i = 0; i < 3; i++)
    holder_clear (&holders[i]);
  results_clear (&results);
}

static void
call_in_handler (ProcfunCall *call, int pid, gpointer executor)
{
  check_let_through (executor);
}

static void
test_in_handler (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (1);
  g_autoptr (ProcfunCall) call = add_call (1, 2);

  g_signal_connect (call, "started", G_CALLBACK (call_in_handler), executor);
  g_assert_cmpint (pools_get_number (executor, g_object_ref (call)), ==, 3);
}

static void
test_open_generators (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (2);
  g_autoptr (GError) error = NULL;
  ProcfunCall *calls[2];

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GVariant) item = NULL;

      calls[i] = numbers_call (3);
      procfun_call_set_executor (calls[i], PROCFUN_EXECUTOR (executor));
      item = procfun_call_next (calls[i], NULL, &error);
      g_assert_no_error (error);
      g_assert_nonnull (item);
    }
  check_let_through (executor);
  for (guint i = 0; i < 2; i++)
    {
      GVariant *item;

      while ((item = procfun_call_next (calls[i], NULL, &error)) != NULL)
        g_variant_unref (item);
      g_assert_no_error (error);
      g_object_unref (calls[i]);
    }
  g_assert_cmpint (add_on (executor, 1), ==, 2);
}

/* Many callers */

#define N_THREADS 64
#define N_CONTEXTS 8
#define N_EACH 4

static gpointer
call_in_thread (gpointer executor)
{
  for (gint i = 0; i < N_EACH; i++)
    g_assert_cmpint (add_on (executor, i), ==, i + 1);
  return NULL;
}

static gpointer
call_in_context (gpointer executor)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Results results;

  g_main_context_push_thread_default (context);
  results_init (&results);
  for (gint i = 0; i < 4 * N_EACH; i++)
    results_run (&results, executor, add_call (i, 1));
  while (results.n_ended < 4 * N_EACH)
    g_main_context_iteration (context, TRUE);
  g_assert_cmpuint (results.n_succeeded, ==, 4 * N_EACH);
  results_clear (&results);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_many_callers (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (4);
  GThread *threads[N_THREADS + N_CONTEXTS];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("calls", i < N_THREADS ? call_in_thread : call_in_context, executor);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (pools_get_statistic ((gpointer)executor, "succeeded"), ==,
                    N_THREADS * N_EACH + N_CONTEXTS * 4 * N_EACH);
  g_assert_cmpuint (count_queued (executor), ==, 0);
}

/* Few descriptors */

static void
set_descriptors (guint n_more)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = n_more > 0 ? fixture_count_descriptors () + n_more : limit.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

static void
test_few_descriptors (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (100);
  struct rlimit before;
  Results results;

  results_init (&results);
  g_assert_cmpint (add_on (executor, 1), ==, 2);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  set_descriptors (30);
  for (gint i = 0; i < 100; i++)
    results_run (&results, executor, add_call (i, 1));
  results_wait (&results, 100);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
  g_assert_no_error (results.error);
  g_assert_cmpuint (results.n_succeeded, ==, 100);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (executor), NULL, NULL));
  results_clear (&results);
}

static void
test_no_descriptors (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (100);
  struct rlimit before;
  Results results;

  results_init (&results);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  set_descriptors (1);
  results_run (&results, executor, add_call (1, 1));
  results_wait (&results, 1);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
  g_assert_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
  results_clear (&results);
}

/* A slow start */

typedef struct
{
  char *folder;
  char *path;
} Slow;

static void
slow_init (Slow *self)
{
  self->folder = g_dir_make_tmp ("procfun-XXXXXX", NULL);
  self->path = g_build_filename (self->folder, "go", NULL);
  g_assert_cmpint (mkfifo (self->path, 0600), ==, 0);
  g_setenv (SLOW_VARIABLE, self->path, TRUE);
}

/* Those that wait go on, and so does what is started later. */
static int
slow_let_go (Slow *self)
{
  return open (self->path, O_RDWR | O_CLOEXEC);
}

static void
slow_clear (Slow *self)
{
  g_unsetenv (SLOW_VARIABLE);
  unlink (self->path);
  rmdir (self->folder);
  g_free (self->path);
  g_free (self->folder);
}

static gboolean
add_one (gpointer n)
{
  ++*(guint *)n;
  return G_SOURCE_CONTINUE;
}

/* The main loop runs on meanwhile: many times before the process is let go. */
static void
test_slow_start (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (2);
  guint n_turns = 0;
  guint id = g_timeout_add (1, add_one, &n_turns);
  Results results;
  Slow slow;
  int fd;

  slow_init (&slow);
  results_init (&results);
  for (gint i = 0; i < 4; i++)
    results_run (&results, executor, add_call (i, 1));
  while (n_turns < 50)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (results.n_ended, ==, 0);
  fd = slow_let_go (&slow);
  results_wait (&results, 4);
  g_assert_cmpuint (results.n_succeeded, ==, 4);
  g_source_remove (id);
  close (fd);
  slow_clear (&slow);
  results_clear (&results);
}

static void
test_slow_start_deadline (gconstpointer blocks)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (2);
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;
  Slow slow;

  slow_init (&slow);
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (executor));
  procfun_call_set_deadline (call, 20 * G_TIME_SPAN_MILLISECOND);
  value = calls_run (g_object_ref (call), blocks == NULL, NULL, &error);
  g_assert_null (value);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  slow_clear (&slow);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (executor), NULL, NULL));
}

static gboolean
cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static gpointer
cancel_in_thread (gpointer cancellable)
{
  g_usleep (20 * G_TIME_SPAN_MILLISECOND);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_slow_start_cancelled (gconstpointer blocks)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;
  Results results;
  Slow slow;

  slow_init (&slow);
  results_init (&results);
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (executor));
  if (blocks != NULL)
    {
      GThread *thread = g_thread_new ("cancels", cancel_in_thread, cancellable);

      g_assert_null (procfun_call_run (call, cancellable, &error));
      g_thread_join (thread);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  else
    {
      procfun_call_run_async (call, cancellable, results_add, &results);
      g_timeout_add (20, cancel, cancellable);
      results_wait (&results, 1);
      g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  slow_clear (&slow);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (executor), NULL, NULL));
  results_clear (&results);
}

/* Two threads and this main context wait for one zygote. */
static void
test_slow_start_shared (void)
{
  g_autoptr (ProcfunProcessExecutor) executor = make (8);
  GThread *threads[4];
  Results results;
  Slow slow;
  int fd;

  slow_init (&slow);
  results_init (&results);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("calls", i % 2 == 0 ? call_in_thread : call_in_context, executor);
  for (gint i = 0; i < 8; i++)
    results_run (&results, executor, add_call (i, 1));
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
  fd = slow_let_go (&slow);
  results_wait (&results, 8);
  g_assert_cmpuint (results.n_succeeded, ==, 8);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  close (fd);
  slow_clear (&slow);
  results_clear (&results);
}

static void
test_stopped_zygote (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  guint n_turns = 0;
  Results results;
  int zygote;
  guint id;

  results_init (&results);
  procfun_fork_server_set_spares (PROCFUN_FORK_SERVER (executor), 0);
  zygote = pools_get_number (executor, get_parent_id_call ());
  g_assert_cmpint (kill (zygote, SIGSTOP), ==, 0);
  id = g_timeout_add (1, add_one, &n_turns);
  procfun_call_set_deadline (call, 50 * G_TIME_SPAN_MILLISECOND);
  results_run (&results, executor, g_object_ref (call));
  results_wait (&results, 1);
  g_assert_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  g_assert_cmpuint (n_turns, >, 2);
  g_assert_cmpint (kill (zygote, SIGCONT), ==, 0);
  results_run (&results, executor, add_call (1, 2));
  results_wait (&results, 2);
  g_assert_cmpuint (results.n_succeeded, ==, 1);
  g_source_remove (id);
  results_clear (&results);
}

/* Each call is answered once, whatever happens to it. */
static void
test_soak (void)
{
  const guint n = g_test_slow () ? 10000 : 500;
  g_autoptr (ProcfunProcessExecutor) executor = make (6);
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  Results results;

  results_init (&results);
  for (guint i = 0; i < n; i++)
    {
      ProcfunCall *call
          = g_rand_int_range (rand, 0, 10) == 0 ? kill_itself_call () : add_call (1, 2);

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (executor));
      procfun_call_set_priority (call, g_rand_int_range (rand, -5, 5));
      if (g_rand_int_range (rand, 0, 10) == 0)
        procfun_call_set_deadline (call, g_rand_int_range (rand, 1, 100000));
      procfun_call_run_async (call, NULL, results_add, &results);
      g_ptr_array_add (calls, call);
      if (g_rand_int_range (rand, 0, 5) == 0)
        procfun_call_abort (calls->pdata[g_rand_int_range (rand, 0, (gint)calls->len)]);
      if (g_rand_int_range (rand, 0, 4) == 0)
        g_main_context_iteration (NULL, FALSE);
    }
  results_wait (&results, n);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (results.n_ended, ==, n);
  for (guint i = 0; i < n; i++)
    g_assert_cmpint (procfun_call_get_state (calls->pdata[i]), >=, PROCFUN_CALL_SUCCEEDED);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (executor), NULL, NULL));
  results_clear (&results);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  calls_add_func ("/scheduler/max-processes has a default", test_default);
  calls_add_func ("/scheduler/max-processes bounds the processes at once", test_max_processes);
  calls_add_func ("/scheduler/without a queue a call is refused while no process is free",
                  test_no_queue);
  calls_add_func ("/scheduler/the more urgent call has the next process", test_priorities);
  calls_add_func ("/scheduler/max-queue-calls bounds the queue", test_bounded_queue);
  calls_add_func ("/scheduler/a thread does not wait for its own calls", test_own_calls);
  calls_add_func ("/scheduler/a handler does not wait for its own call", test_in_handler);
  calls_add_func ("/scheduler/a thread does not wait for its own generators", test_open_generators);
  calls_add_func ("/scheduler/many threads and main contexts can call at once", test_many_callers);
  if (!fixture_has_sanitizers ())
    {
      calls_add_func ("/scheduler/calls wait for descriptors that others use",
                      test_few_descriptors);
      calls_add_func ("/scheduler/without any descriptor a call fails", test_no_descriptors);
    }
  calls_add_func ("/scheduler/a slow start does not stop the main loop", test_slow_start);
  calls_add_data_func ("/scheduler/a slow start misses the deadline in time", NULL,
                       test_slow_start_deadline);
  calls_add_data_func ("/scheduler/a slow start misses the deadline of a blocking call in time",
                       "blocks", test_slow_start_deadline);
  calls_add_data_func ("/scheduler/a slow start can be cancelled", NULL, test_slow_start_cancelled);
  calls_add_data_func ("/scheduler/a slow start of a blocking call can be cancelled", "blocks",
                       test_slow_start_cancelled);
  calls_add_func ("/scheduler/threads and main contexts can wait for the same start",
                  test_slow_start_shared);
  fixture_add_func ("/scheduler/a stopped zygote does not stop the main loop", test_stopped_zygote);
  calls_add_func ("/scheduler/each call is answered once", test_soak);
  return fixture_run ();
}
