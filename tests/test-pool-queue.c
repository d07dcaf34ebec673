/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that wait for a worker: their order, their number, and those that wait in vain. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

/* The order */

static void
run_with_priority (Results *results, ProcfunPool *pool, gint priority, gint result)
{
  ProcfunCall *call = add_call (0, result);

  procfun_call_set_priority (call, priority);
  results_run (results, pool, call);
}

static void
test_priorities (void)
{
  static const gint order[] = { 0, 3, 1, 4, 2, 5 };
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, pool, &results);
  run_with_priority (&results, pool, G_PRIORITY_DEFAULT, 1);
  run_with_priority (&results, pool, 100000, 2);
  run_with_priority (&results, pool, -100000, 3);
  run_with_priority (&results, pool, G_PRIORITY_DEFAULT, 4);
  run_with_priority (&results, pool, G_MAXINT, 5);
  holder_let_go (&holder);
  results_wait (&results, 6);
  for (gsize i = 0; i < G_N_ELEMENTS (order); i++)
    g_assert_cmpint (g_array_index (results.results, gint, i), ==, order[i]);
  holder_clear (&holder);
  results_clear (&results);
}

/* A step of priority is worth 10 ms: a call that has waited longer than that comes before one that
 * is a step more urgent. */
static void
test_ageing (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, pool, &results);
  run_with_priority (&results, pool, 1, 1);
  g_usleep (20 * G_TIME_SPAN_MILLISECOND);
  run_with_priority (&results, pool, 0, 2);
  run_with_priority (&results, pool, -100000, 3);
  holder_let_go (&holder);
  results_wait (&results, 4);
  g_assert_cmpint (g_array_index (results.results, gint, 1), ==, 3);
  g_assert_cmpint (g_array_index (results.results, gint, 2), ==, 1);
  g_assert_cmpint (g_array_index (results.results, gint, 3), ==, 2);
  holder_clear (&holder);
  results_clear (&results);
}

/* Callers that give up waiting */

static void
test_cancelled_while_waiting (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, pool, &results);
  results_run (&results, pool, g_object_ref (call));
  results_run (&results, pool, add_call (3, 4));
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 2);
  procfun_call_abort (call);
  results_wait (&results, 1);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (procfun_call_get_pid (call), ==, 0);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 1);
  holder_let_go (&holder);
  results_wait (&results, 3);
  g_assert_cmpuint (results.n_succeeded, ==, 2);
  holder_clear (&holder);
  results_clear (&results);
}

static void
test_aborted_and_dropped (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  ProcfunCall *call = add_call (1, 2);
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, pool, &results);
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  procfun_call_run_async (call, NULL, results_add, &results);
  procfun_call_abort (call);
  g_object_unref (call);
  results_wait (&results, 1);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  holder_let_go (&holder);
  results_wait (&results, 2);
  holder_clear (&holder);
  results_clear (&results);
}

/* The deadline counts while a call waits, its timeout does not. */
static void
test_deadline_while_waiting (gconstpointer blocking)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (ProcfunCall) patient = add_call (1, 2);
  Thread self = { .pool = pool, .call = call };
  Results results;
  Holder holder;

  results_init (&results);
  procfun_call_set_deadline (call, 10 * G_TIME_SPAN_MILLISECOND);
  procfun_call_set_timeout (patient, 10 * G_TIME_SPAN_SECOND);
  holder_run (&holder, pool, &results);
  results_run (&results, pool, g_object_ref (patient));
  if (blocking)
    {
      GThread *thread = g_thread_new ("waits", thread_run, &self);

      g_thread_join (thread);
      g_assert_error (self.error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
      g_clear_error (&self.error);
    }
  else
    {
      results_run (&results, pool, g_object_ref (call));
      results_wait (&results, 1);
      g_assert_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
    }
  holder_let_go (&holder);
  results_wait (&results, blocking ? 2 : 3);
  g_assert_cmpuint (results.n_succeeded, ==, 2);
  holder_clear (&holder);
  results_clear (&results);
}

/* The worker is let go of by the first call when the second waits for it. */
static void
test_cancelled_after_waiting (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Results results;
  Holder first, second;

  results_init (&results);
  holder_run (&first, pool, &results);
  holder_init (&second, 0);
  procfun_call_set_grace_period (second.call, 0);
  results_run (&results, pool, g_object_ref (second.call));
  holder_let_go (&first);
  results_wait (&results, 1);
  while (procfun_call_get_pid (second.call) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_no_error (results.error);
  procfun_call_abort (second.call);
  results_wait (&results, 2);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  holder_clear (&first);
  holder_clear (&second);
  results_clear (&results);
}

static void
test_cancelled_in_thread (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Thread self = { .pool = pool, .call = call, .cancellable = cancellable };
  GThread *thread;
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, pool, &results);
  thread = g_thread_new ("waits", thread_run, &self);
  pools_wait_until_queued (pool, 1);
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&self.error);
  holder_let_go (&holder);
  results_wait (&results, 1);
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
  holder_clear (&holder);
  results_clear (&results);
}

/* Identifiers of sources are given in order. */
static guint
count_sources (void)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  guint id = g_source_attach (source, NULL);

  g_source_destroy (source);
  return id;
}

/* Calls that wait are data. */
static void
test_one_source (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Results results;
  Holder holder;
  guint n;

  results_init (&results);
  holder_run (&holder, pool, &results);
  n = count_sources ();
  for (guint i = 0; i < 1000; i++)
    results_run (&results, pool, add_call (1, 2));
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 1000);
  g_assert_cmpuint (count_sources () - n, ==, 2);
  holder_let_go (&holder);
  results_wait (&results, 1001);
  g_assert_cmpuint (results.n_succeeded, ==, 1001);
  holder_clear (&holder);
  results_clear (&results);
}

/* All that waits is cancelled at once, from another thread. */

static gpointer
abort_all (gpointer calls)
{
  for (guint i = 0; i < ((GPtrArray *)calls)->len; i++)
    procfun_call_abort (((GPtrArray *)calls)->pdata[i]);
  return NULL;
}

static void
test_all_cancelled (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func (g_object_unref);
  Results results;
  GThread *thread;
  Holder holder;

  results_init (&results);
  holder_run (&holder, pool, &results);
  for (guint i = 0; i < 500; i++)
    {
      ProcfunCall *call = add_call (1, 2);

      g_ptr_array_add (calls, g_object_ref (call));
      results_run (&results, pool, call);
    }
  results_run (&results, pool, add_call (3, 4));
  thread = g_thread_new ("aborts", abort_all, calls);
  results_wait (&results, 500);
  g_thread_join (thread);
  g_assert_cmpuint (results.n_succeeded, ==, 0);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 1);
  holder_let_go (&holder);
  results_wait (&results, 502);
  g_assert_cmpuint (results.n_succeeded, ==, 2);
  holder_clear (&holder);
  results_clear (&results);
}

/* Deadlines of those that wait, in no order. */
static void
test_many_deadlines (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, pool, &results);
  for (guint i = 0; i < 100; i++)
    {
      ProcfunCall *call = add_call (1, 2);

      procfun_call_set_deadline (call, (i * 37 % 100 + 1) * 200);
      results_run (&results, pool, call);
    }
  results_run (&results, pool, add_call (3, 4));
  results_wait (&results, 100);
  g_assert_cmpuint (results.n_succeeded, ==, 0);
  g_assert_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  holder_let_go (&holder);
  results_wait (&results, 102);
  g_assert_cmpuint (results.n_succeeded, ==, 2);
  holder_clear (&holder);
  results_clear (&results);
}

/* A main context inside of a callback brings those to an end that wait. */

typedef struct
{
  ProcfunPool *pool;
  Results *results;
  gboolean has_run;
} Inner;

static void
run_inside (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Inner *self = user_data;

  results_add (source, result, self->results);
  results_wait (self->results, 12);
  self->has_run = TRUE;
}

static void
test_loop_in_callback (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  ProcfunCall *cancelled = add_call (1, 2);
  Results results;
  Holder holder;
  Inner inner = { pool, &results, FALSE };

  results_init (&results);
  holder_run (&holder, pool, &results);
  procfun_call_set_executor (cancelled, PROCFUN_EXECUTOR (pool));
  procfun_call_run_async (cancelled, NULL, run_inside, &inner);
  for (guint i = 0; i < 10; i++)
    results_run (&results, pool, add_call (1, 2));
  procfun_call_abort (cancelled);
  holder_let_go (&holder);
  while (!inner.has_run)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (results.n_succeeded, ==, 11);
  g_object_unref (cancelled);
  holder_clear (&holder);
  results_clear (&results);
}

/* Many threads, and a maximum that changes meanwhile. */

static gpointer
call_often (gpointer data)
{
  for (gint i = 0; i < 20; i++)
    g_assert_cmpint (pools_get_number (data, add_call (i, 1)), ==, i + 1);
  return NULL;
}

static void
test_many_threads (gconstpointer resizes)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  GThread *threads[64];
  Events events;

  events_init (&events, pool);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("calls", call_often, pool);
  for (guint i = 0; resizes && i < 100; i++)
    {
      procfun_pool_set_max_workers (pool, i % 5 + 1);
      g_thread_yield ();
    }
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, 64 * 20);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 0);
  if (!resizes)
    g_assert_cmpuint (events_count (&events, "started"), ==, 2);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  g_assert_cmpuint (events_count (&events, "started"), ==, events_count (&events, "exited"));
  events_clear (&events);
}

/* Waiting calls go on when there may be more workers, and surplus workers end. */
static void
test_resize (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Results results;
  Holder holders[3];
  Events events;

  results_init (&results);
  events_init (&events, pool);
  holder_run (&holders[0], pool, &results);
  for (gsize i = 1; i < 3; i++)
    {
      holder_init (&holders[i], 0);
      results_run (&results, pool, g_object_ref (holders[i].call));
    }
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 2);
  procfun_pool_set_max_workers (pool, 3);
  g_main_context_iteration (NULL, TRUE);
  while (pools_get_statistic (pool, "workers") < 3)
    g_main_context_iteration (NULL, TRUE);
  signal_await (&holders[1].ready);
  signal_await (&holders[2].ready);
  procfun_pool_set_max_workers (pool, 2);
  for (gsize i = 0; i < 3; i++)
    holder_let_go (&holders[i]);
  results_wait (&results, 3);
  g_assert_cmpuint (events_count (&events, "recycled: shrunk"), ==, 1);
  procfun_pool_set_max_workers (pool, 1);
  g_assert_cmpuint (events_count (&events, "recycled: shrunk"), ==, 2);
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 1);
  for (gsize i = 0; i < 3; i++)
    holder_clear (&holders[i]);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
  results_clear (&results);
}

/* Nested */

static void
call_nested (ProcfunCall *call, int pid, ProcfunPool *pool)
{
  pools_assert_error (pool, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_NESTED, "*add()*");
}

static void
test_nested_in_handler (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = add_call (1, 2);

  g_signal_connect (call, "started", G_CALLBACK (call_nested), pool);
  g_assert_cmpint (pools_get_number (pool, g_object_ref (call)), ==, 3);
}

/* Calls that this thread began asynchronously have all workers, and some wait before it. */
static void
test_nested_in_context (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, pool, &results);
  results_run (&results, pool, add_call (1, 2));
  pools_assert_error (pool, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_NESTED, "*add()*");
  holder_let_go (&holder);
  results_wait (&results, 2);
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
  holder_clear (&holder);
  results_clear (&results);
}

static gpointer
let_go_in_thread (gpointer holder)
{
  holder_let_go (holder);
  return NULL;
}

static gpointer
hold_in_thread (gpointer data)
{
  Thread *self = data;

  thread_run (self);
  g_variant_unref (self->result);
  return NULL;
}

/* The worker of another thread goes to a call of this one that was there before; then this thread
 * waits for itself, which it must notice though it sleeps. */
static void
test_nested_while_waiting (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Results results;
  Holder holder;
  Thread other = { .pool = pool };
  GThread *thread;
  GThread *letter;

  results_init (&results);
  other.call = holder_init (&holder, 7);
  thread = g_thread_new ("holds", hold_in_thread, &other);
  signal_wait (&holder.ready);
  results_run (&results, pool, add_call (1, 2));
  letter = g_thread_new ("lets go", let_go_in_thread, &holder);
  pools_assert_error (pool, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_NESTED, "*add()*");
  g_thread_join (letter);
  g_thread_join (thread);
  results_wait (&results, 1);
  g_assert_cmpuint (results.n_succeeded, ==, 1);
  holder_clear (&holder);
  results_clear (&results);
}

/* Main contexts that nobody runs */

typedef struct
{
  ProcfunPool *pool;
  GMainContext *context;
  Results results;
} Absent;

#define N_LEFT 3

static gpointer
leave_calls (gpointer data)
{
  Absent *self = data;

  g_main_context_push_thread_default (self->context);
  for (gint i = 0; i < N_LEFT; i++)
    results_run (&self->results, self->pool, add_call (i, 10));
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/* Nothing is lost: they end when their main context is run. */
static void
test_absent_context (gconstpointer blocks)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GMainContext) context = g_main_context_new ();
  Absent absent = { .pool = pool, .context = context };
  Results results;

  results_init (&results);
  results_init (&absent.results);
  g_thread_join (g_thread_new ("leaves", leave_calls, &absent));
  if (blocks != NULL)
    g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
  else
    {
      results_run (&results, pool, add_call (1, 2));
      results_run (&results, pool, add_call (1, 3));
      results_wait (&results, 2);
      g_assert_cmpuint (results.n_succeeded, ==, 2);
    }
  g_assert_cmpuint (absent.results.n_ended, ==, 0);
  while (absent.results.n_ended < N_LEFT)
    g_main_context_iteration (context, TRUE);
  g_assert_cmpuint (absent.results.n_succeeded, ==, N_LEFT);
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 1);
  results_clear (&absent.results);
  results_clear (&results);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/pool/the more urgent call runs first", test_priorities);
  fixture_add_func ("/pool/a call that waits becomes more urgent", test_ageing);
  fixture_add_func ("/pool/a call that waits can be cancelled", test_cancelled_while_waiting);
  fixture_add_func ("/pool/a call that waited can be cancelled while it runs",
                    test_cancelled_after_waiting);
  fixture_add_func ("/pool/a blocking call that waits can be cancelled", test_cancelled_in_thread);
  fixture_add_func ("/pool/calls that wait take one source", test_one_source);
  fixture_add_func ("/pool/calls that wait can be cancelled all at once", test_all_cancelled);
  fixture_add_func ("/pool/calls that wait can have deadlines in any order", test_many_deadlines);
  fixture_add_func ("/pool/calls that wait go on in a main loop of a callback",
                    test_loop_in_callback);
  fixture_add_func ("/pool/a call that waits ends when it is aborted", test_aborted_and_dropped);
  fixture_add_data_func ("/pool/a call that waits misses its deadline in time", NULL,
                         test_deadline_while_waiting);
  fixture_add_data_func ("/pool/a blocking call that waits misses its deadline in time",
                         "in a thread", test_deadline_while_waiting);
  fixture_add_data_func ("/pool/many threads can call at once", NULL, test_many_threads);
  fixture_add_data_func ("/pool/many threads can call while the pool is resized", "resizes",
                         test_many_threads);
  fixture_add_func ("/pool/max-workers can grow and shrink while calls wait", test_resize);
  fixture_add_func ("/pool/a blocking call in a handler of the last worker is refused",
                    test_nested_in_handler);
  fixture_add_func ("/pool/a blocking call before its own main context is refused",
                    test_nested_in_context);
  fixture_add_func ("/pool/a thread that begins to wait for itself is told",
                    test_nested_while_waiting);
  fixture_add_data_func (
      "/pool/a main context that nobody runs does not hold up a call that blocks", "blocks",
      test_absent_context);
  fixture_add_data_func ("/pool/a main context that nobody runs does not hold up another one", NULL,
                         test_absent_context);
  return fixture_run ();
}
