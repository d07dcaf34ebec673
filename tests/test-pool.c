/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The workers of a pool: when they are started, who gets them, when they end. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

PROCFUN_DEFINE_STATIC_FUNCTION (listen_until_cancelled, void)
{
  GCancellable *cancellable = procfun_get_cancellable ();

  procfun_report_progress (0.5, "listens");
  while (!g_cancellable_is_cancelled (cancellable))
    g_usleep (1000);
}

static void
test_defaults (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (0);
  auto_pool ProcfunPool *other = procfun_pool_new (7);
  g_autoptr (ProcfunExecutor) plain = g_object_new (PROCFUN_TYPE_POOL, NULL);
  guint n, min, queue;
  guint64 calls, memory, bytes;
  gint64 idle, close_timeout;

  g_object_get (pool, "max-workers", &n, "min-workers", &min, "calls-per-worker", &calls,
                "memory-per-worker", &memory, "max-queue-calls", &queue, "max-queue-bytes", &bytes,
                "idle-timeout", &idle, "close-timeout", &close_timeout, NULL);
  g_assert_cmpuint (n, >=, 1);
  g_assert_cmpuint (n, <=, g_get_num_processors ());
  g_assert_cmpuint (procfun_pool_get_max_workers (PROCFUN_POOL (plain)), ==, n);
  g_assert_cmpuint (procfun_pool_get_max_workers (other), ==, 7);
  g_assert_cmpuint (min + calls + memory + queue + bytes + close_timeout, ==, 0);
  g_assert_cmpint (idle, ==, G_TIME_SPAN_MINUTE);
  g_assert_cmpint (procfun_pool_get_retry_on (pool), ==, PROCFUN_RETRY_LOST);
}

static void
test_default_of_specs (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (0);
  g_autofree GParamSpec **specs = NULL;
  guint n;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (pool), &n);
  for (guint i = 0; i < n; i++)
    if (specs[i]->owner_type == PROCFUN_TYPE_POOL)
      {
        g_auto (GValue) value = G_VALUE_INIT;

        g_value_init (&value, specs[i]->value_type);
        g_object_get_property (G_OBJECT (pool), specs[i]->name, &value);
        g_assert_true (g_param_value_defaults (specs[i], &value));
      }
}

static void
count_notification (GObject *object, GParamSpec *pspec, guint *n)
{
  ++*n;
}

static void
test_properties (void)
{
  static const struct
  {
    const char *name;
    gint64 value;
  } cases[] = { { "max-workers", 3 },       { "min-workers", 2 },      { "calls-per-worker", 5 },
                { "memory-per-worker", 9 }, { "max-queue-calls", 4 },  { "max-queue-bytes", 77 },
                { "idle-timeout", 8000 },   { "close-timeout", 9000 }, { "max-retries", 6 },
                { "calls-in-flight", 11 },  { "retry-on", 3 } };
  auto_pool ProcfunPool *pool = procfun_pool_new (1);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GValue) value = G_VALUE_INIT, text = G_VALUE_INIT;
      g_autofree char *detail = g_strconcat ("notify::", cases[i].name, NULL);
      GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (pool), cases[i].name);
      guint n = 0;

      g_value_init (&text, G_TYPE_INT64);
      g_value_set_int64 (&text, cases[i].value);
      g_value_init (&value, pspec->value_type);
      if (G_IS_PARAM_SPEC_FLAGS (pspec))
        g_value_set_flags (&value, (guint)cases[i].value);
      else
        g_assert_true (g_value_transform (&text, &value));
      g_signal_connect (pool, detail, G_CALLBACK (count_notification), &n);
      g_object_set_property (G_OBJECT (pool), cases[i].name, &value);
      g_object_set_property (G_OBJECT (pool), cases[i].name, &value);
      g_assert_cmpuint (n, ==, 1);
      g_value_unset (&value);
      g_value_init (&value, pspec->value_type);
      g_object_get_property (G_OBJECT (pool), cases[i].name, &value);
      if (G_IS_PARAM_SPEC_FLAGS (pspec))
        g_assert_cmpuint (g_value_get_flags (&value), ==, cases[i].value);
      else
        {
          g_assert_true (g_value_transform (&value, &text));
          g_assert_cmpint (g_value_get_int64 (&text), ==, cases[i].value);
        }
    }
}

/* A static variable keeps its value for the next call. */
static void
test_same_worker (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  gint pid = pools_get_pid (pool);
  Events events;

  events_init (&events, pool);
  for (gint i = 1; i <= 10; i++)
    g_assert_cmpint (pools_get_number (pool, count_calls_call ()), ==, i);
  g_assert_cmpint (pools_get_pid (pool), ==, pid);
  g_assert_cmpuint (events.words->len, ==, 0);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  g_assert_cmpuint (events_count (&events, "exited"), ==, 1);
  g_assert_cmpint (events.pid, ==, pid);
  events_clear (&events);
}

/* Ten calls on two workers show two processes, and never more. */
static void
test_as_many_as_needed (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  g_autoptr (GHashTable) pids = g_hash_table_new (NULL, NULL);
  Results results;
  Events events;
  Holder holders[2];

  results_init (&results);
  events_init (&events, pool);
  for (gsize i = 0; i < G_N_ELEMENTS (holders); i++)
    holder_run (&holders[i], pool, &results);
  g_assert_cmpuint (events_count (&events, "started"), ==, 2);
  for (guint i = 0; i < 10; i++)
    results_run (&results, pool, get_process_id_call ());
  for (gsize i = 0; i < G_N_ELEMENTS (holders); i++)
    holder_let_go (&holders[i]);
  results_wait (&results, 12);
  g_assert_no_error (results.error);
  for (guint i = 0; i < results.results->len; i++)
    if (g_array_index (results.results, gint, i) != 0)
      g_hash_table_add (pids, GINT_TO_POINTER (g_array_index (results.results, gint, i)));
  g_assert_cmpuint (g_hash_table_size (pids), <=, 2);
  g_assert_cmpuint (events_count (&events, "started"), ==, 2);
  for (gsize i = 0; i < G_N_ELEMENTS (holders); i++)
    holder_clear (&holders[i]);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
  results_clear (&results);
}

/* The one that worked last has warm caches. */
static void
test_warm_one_first (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  Results results;
  Holder first, second;
  gint pid;

  results_init (&results);
  holder_run (&first, pool, &results);
  holder_run (&second, pool, &results);
  holder_let_go (&second);
  results_wait (&results, 1);
  holder_let_go (&first);
  results_wait (&results, 2);
  pid = procfun_call_get_pid (first.call);
  g_assert_cmpint (pid, !=, procfun_call_get_pid (second.call));
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (pools_get_pid (pool), ==, pid);
  holder_clear (&first);
  holder_clear (&second);
  results_clear (&results);
}

/* Deaths */

static void
test_crash_replaces (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  gint pid = pools_get_pid (pool);
  Events events;

  events_init (&events, pool);
  pools_assert_error (pool, do_abort_call (), PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "*SIGABRT*");
  g_assert_cmpint (pools_get_pid (pool), !=, pid);
  g_assert_cmpuint (events_count (&events, "exited"), ==, 1);
  g_assert_cmpuint (events_count (&events, "started"), ==, 1);
  g_assert_true (events.status == -1 || WIFSIGNALED (events.status));
  g_assert_cmpuint (events.words->len, ==, 2);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
}

/* A worker that was killed while it had nothing to do is no failure of the next call. */
static void
test_killed_while_idle (void)
{
  for (guint i = 0; i < 20; i++)
    {
      auto_pool ProcfunPool *pool = procfun_pool_new (1);
      Results results;
      gint pid = pools_get_pid (pool);
      guint64 before = pools_get_statistic (pool, "succeeded");

      results_init (&results);
      g_assert_no_errno (kill (pid, SIGKILL));
      while (kill (pid, 0) == 0)
        g_thread_yield ();
      if (i % 2 == 0)
        g_assert_cmpint (pools_get_pid (pool), !=, pid);
      else
        {
          results_run (&results, pool, add_call (1, 2));
          results_wait (&results, 1);
          g_assert_no_error (results.error);
        }
      g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, before + 1);
      results_clear (&results);
    }
}

/* A worker that ends by itself is noticed at the latest when it is asked for. */
static void
test_idle_end (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Events events;
  gint pid;

  events_init (&events, pool);
  procfun_pool_set_idle_timeout (pool, 1);
  pid = pools_get_pid (pool);
  while (events_count (&events, "exited") == 0)
    pools_get_statistic (pool, "workers");
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 0);
  g_assert_cmpint (pools_get_pid (pool), !=, pid);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
}

/* Calls come just when workers end, and none is lost. */
static void
test_idle_end_and_calls (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);

  procfun_pool_set_idle_timeout (pool, 1);
  for (guint i = 0; i < 200; i++)
    {
      g_assert_cmpint (pools_get_number (pool, add_call (1, (gint)i)), ==, 1 + i);
      g_usleep (i * 10); /* so that some meet the end */
    }
}

static void
on_started_late (ProcfunExecutor *pool, int pid, gpointer n_started)
{
  ++*(guint *)n_started;
  g_usleep (50 * G_TIME_SPAN_MILLISECOND);
}

/* A worker that was started for a call stays until it comes, though that takes longer than it may
 * be idle. */
static void
test_idle_before_first_call (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  guint n_started = 0;

  procfun_pool_set_idle_timeout (pool, 1);
  g_signal_connect (pool, "worker-started", G_CALLBACK (on_started_late), &n_started);
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
  g_assert_cmpuint (n_started, ==, 1);
}

static void
hold_and_let_go (ProcfunPool *pool, guint n)
{
  g_autofree Holder *holders = g_new (Holder, n);
  Results results;

  results_init (&results);
  for (guint i = 0; i < n; i++)
    holder_run (&holders[i], pool, &results);
  for (guint i = 0; i < n; i++)
    holder_let_go (&holders[i]);
  results_wait (&results, n);
  for (guint i = 0; i < n; i++)
    holder_clear (&holders[i]);
  results_clear (&results);
}

/* Surplus workers that have nothing to do end when the bound is lowered. */
static void
test_fewer_workers (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (3);

  procfun_pool_set_min_workers (pool, 0);
  hold_and_let_go (pool, 3);
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 3);
  procfun_pool_set_max_workers (pool, 1);
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 1);
}

/* One that is started in place of one that was to stay stays, too. */
static void
test_min_workers_replaced (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);

  procfun_pool_set_min_workers (pool, 1);
  pools_assert_error (pool, do_crash_call (), PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "*");
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 1);
  procfun_pool_set_min_workers (pool, 0);
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 0);
}

static void
test_min_workers_stay (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  Results results;
  Holder holders[2];
  Events events;

  results_init (&results);
  events_init (&events, pool);
  procfun_pool_set_idle_timeout (pool, 1);
  procfun_pool_set_min_workers (pool, 1);
  for (gsize i = 0; i < 2; i++)
    holder_run (&holders[i], pool, &results);
  for (gsize i = 0; i < 2; i++)
    holder_let_go (&holders[i]);
  results_wait (&results, 2);
  while (events_count (&events, "exited") == 0)
    pools_get_statistic (pool, "workers");
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 1);
  g_assert_cmpint (pools_get_pid (pool), ==, procfun_call_get_pid (holders[0].call));
  procfun_pool_set_min_workers (pool, 0);
  g_assert_cmpuint (events_count (&events, "recycled: shrunk"), ==, 1);
  for (gsize i = 0; i < 2; i++)
    holder_clear (&holders[i]);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
  results_clear (&results);
}

/* Recycling */

static void
test_calls_per_worker (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Events events;

  events_init (&events, pool);
  procfun_pool_set_calls_per_worker (pool, 3);
  for (gint i = 0; i < 9; i++)
    g_assert_cmpint (pools_get_number (pool, count_calls_call ()), ==, i % 3 + 1);
  g_assert_cmpuint (events_count (&events, "recycled: calls"), ==, 3);
  g_assert_cmpuint (events_count (&events, "started"), ==, 3);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  g_assert_cmpuint (events_count (&events, "exited"), ==, 3);
  events_clear (&events);
}

/* OpenMP, GLib and others keep threads for the next time. */
static void
test_threads_stay (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Events events;
  gint pid;

  events_init (&events, pool);
  pools_get_number (pool, leave_thread_call ());
  pid = pools_get_pid (pool);
  g_assert_cmpuint (events_count (&events, "started"), ==, 1);
  g_assert_cmpint (pools_get_pid (pool), ==, pid);
  pools_get_number (pool, leave_thread_call ());
  g_assert_cmpuint (events_count (&events, "recycled: leftovers: threads"), ==, 1);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
}

#define BOUND ((guint64)64 << 20)

static const struct
{
  const char *name;
  const char *arguments;
  const char *event;
} leavings[] = { { "leave_descriptor", "()", "recycled: leftovers: descriptors" },
                 { "leave_thread", "()", "recycled: leftovers: threads" },
                 { "leave_memory", "(134217728,)", "recycled: memory" } };

static void
test_leftovers (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Events events;
  gint pid;

  events_init (&events, pool);
  procfun_pool_set_memory_per_worker (pool, BOUND);
  pid = pools_get_pid (pool);
  g_assert_cmpint (pools_get_pid (pool), ==, pid);
  pools_get_number (pool, calls_new (leavings[i].name, leavings[i].arguments));
  g_assert_cmpuint (events_count (&events, leavings[i].event), ==, 1);
  g_assert_cmpint (pools_get_pid (pool), !=, pid);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  g_assert_cmpuint (events_count (&events, "exited"), ==, 2);
  events_clear (&events);
}

/* Descriptors of arguments and results are no leftovers. */
static void
test_descriptors (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Events events;

  events_init (&events, pool);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (ProcfunCall) call = calls_new ("echo_fd", "(handle 0,)");
      g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();

      g_unix_fd_list_append (list, 0, NULL);
      procfun_call_set_fd_list (call, list);
      pools_get_number (pool, g_object_ref (call));
      g_assert_cmpint (pools_get_number (pool, count_calls_call ()), ==, i + 1);
    }
  g_assert_cmpuint (events_count (&events, "started"), ==, 1);
  g_assert_cmpuint (events_count (&events, "recycled: leftovers: descriptors"), ==, 0);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
}

/* A child that a function leaves is killed with its call, and no reason to give the worker up. */
static void
test_child_left (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  gint pid = pools_get_pid (pool);

  pools_get_number (pool, do_leave_child_call ());
  g_assert_cmpint (pools_get_pid (pool), ==, pid);
}

/* A change that cannot be undone does not reach the next call. */
static void
test_limits_end_worker (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunLimits) limits = procfun_limits_new ();
  g_autoptr (ProcfunCall) call = get_process_id_call ();
  gint pid = pools_get_pid (pool);

  procfun_limits_set_open_files (limits, 20);
  procfun_call_set_limits (call, limits);
  g_assert_cmpint (pools_get_number (pool, g_object_ref (call)), ==, pid);
  g_assert_cmpint (pools_get_pid (pool), !=, pid);
}

static void
test_describe (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Results results;
  Events events;
  Holder holder;

  results_init (&results);
  events_init (&events, pool);
  holder_run (&holder, pool, &results);
  for (guint i = 0; i < 3; i++)
    results_run (&results, pool, add_call (1, 2));
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 1);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 3);
  g_assert_cmpuint (pools_get_statistic (pool, "submitted"), ==, 4);
  holder_let_go (&holder);
  results_wait (&results, 4);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 0);
  g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, 4);
  pools_assert_error (pool, do_crash_call (), PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "*");
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 0);
  g_assert_cmpuint (pools_get_statistic (pool, "workers-started"), ==, 1);
  g_assert_cmpuint (pools_get_statistic (pool, "workers-exited"), ==, 1);
  g_assert_cmpuint (events.words->len, ==, 2);
  holder_clear (&holder);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
  results_clear (&results);
}

static char *
get_greeting (ProcfunPool *pool)
{
  g_autoptr (ProcfunCall) call = get_variable_call ("GREETING");
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GVariant) text = NULL;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  result = procfun_call_run (call, NULL, &error);
  g_assert_no_error (error);
  text = g_variant_get_maybe (result);
  return text != NULL ? g_variant_dup_string (text, NULL) : NULL;
}

/* Another one needs another worker. */
static void
test_launch_context (void)
{
  static const char *const words[] = { "hello", "welcome", NULL };
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  int pid = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    {
      g_autoptr (ProcfunLaunchContext) context
          = words[i] != NULL ? procfun_launch_context_new () : NULL;
      g_autofree char *greeting = NULL;
      int next;

      if (context != NULL)
        procfun_launch_context_set_variable (context, "GREETING", words[i]);
      procfun_process_executor_set_launch_context (PROCFUN_PROCESS_EXECUTOR (pool), context);
      next = pools_get_pid (pool);
      g_assert_cmpint (next, !=, pid);
      greeting = get_greeting (pool);
      g_assert_cmpstr (greeting, ==, words[i]);
      g_assert_cmpint (pools_get_pid (pool), ==, next);
      pid = next;
    }
}

static void
abort_call (ProcfunCall *call, double fraction, const char *message, gpointer user_data)
{
  procfun_call_abort (call);
}

static void
test_step (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  int pid = pools_get_pid (pool);
  g_autoptr (ProcfunCall) call = listen_until_cancelled_call ();
  g_autoptr (GError) error = NULL;
  ProcfunFailure *failure;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  g_signal_connect (call, "progress", G_CALLBACK (abort_call), NULL);
  g_assert_null (procfun_call_run (call, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  failure = procfun_call_get_failure (call);
  g_assert_nonnull (failure);
  g_assert_cmpint (procfun_failure_get_step (failure), ==, PROCFUN_STEP_CANCELLABLE);
  /* With the first thread of a process the thread sanitizer starts one of its own, which stays. */
  if (!fixture_has_thread_sanitizer ())
    g_assert_cmpint (pools_get_pid (pool), ==, pid);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/pool/a new pool has as many workers as there are CPUs", test_defaults);
  fixture_add_func ("/pool/each property of a new pool has its default", test_default_of_specs);
  fixture_add_func ("/pool/a property notifies when it changes and reads back", test_properties);
  fixture_add_func ("/pool/a worker keeps static variables for its next call", test_same_worker);
  fixture_add_func ("/pool/workers are started as they are needed", test_as_many_as_needed);
  fixture_add_func ("/pool/the worker that worked last gets the next call", test_warm_one_first);
  fixture_add_func ("/pool/a worker that crashes is replaced", test_crash_replaces);
  fixture_add_func ("/pool/a worker that was killed while it was idle fails no call",
                    test_killed_while_idle);
  fixture_add_func ("/pool/an idle worker ends after the idle timeout", test_idle_end);
  fixture_add_func ("/pool/no call fails because a worker ends for being idle",
                    test_idle_end_and_calls);
  fixture_add_func ("/pool/a worker that was started for a call waits for it",
                    test_idle_before_first_call);
  fixture_add_func ("/pool/idle workers end when max-workers is lowered", test_fewer_workers);
  fixture_add_func ("/pool/a worker that replaces one of min-workers stays",
                    test_min_workers_replaced);
  fixture_add_func ("/pool/min-workers stay when there is nothing to do", test_min_workers_stay);
  fixture_add_func ("/pool/a worker is replaced after calls-per-worker", test_calls_per_worker);
  for (gsize i = 0; i < G_N_ELEMENTS (leavings); i++)
    {
      g_autofree char *path = g_strconcat ("/pool/recycle/", leavings[i].name, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_leftovers);
    }
  fixture_add_func ("/pool/threads of the first call may stay", test_threads_stay);
  fixture_add_func ("/pool/descriptors of arguments and results are no leftovers",
                    test_descriptors);
  fixture_add_func ("/pool/a child that a call leaves is killed and its worker stays",
                    test_child_left);
  fixture_add_func ("/pool/a worker ends with a call that has limits", test_limits_end_worker);
  fixture_add_func ("/pool/a launch context of the pool keeps its workers", test_launch_context);
  fixture_add_func ("/pool/a failure tells that the cancellable was enough", test_step);
  fixture_add_func ("/pool/statistics count workers and waiting calls", test_describe);
  return fixture_run ();
}
