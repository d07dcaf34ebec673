/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls on hosts that this machine plays: their results, errors, output and ends. Faults of hosts
 * and of the connection to them are in test-remote-faults.c. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/generators.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"
#include "tests/readers.h"
#include "tests/remotes.h"

#include "procfun/wire/channel.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

PROCFUN_DEFINE_STATIC_FUNCTION (find_host_process, gint) { return remotes_get_host_process (); }

/* Whether its worker looks for the next call before it sleeps. */
PROCFUN_DEFINE_STATIC_FUNCTION (is_patient, gboolean) { return channel_is_patient (); }

/* Results */

static void
test_results (void)
{
  static const struct
  {
    const char *function;
    const char *arguments;
    const char *result;
  } cases[] = { { "add", "(2, 3)", "5" },
                { "nothing", "()", "()" },
                { "string_length", "('Grüße',)", "uint64 7" },
                { "are_those_bytes", "([byte 0, 1, 2],)", "true" },
                { "make_bytes", "(3,)", "[byte 0x00, 0x01, 0x02]" } };
  ProcfunRemotePool *hosts = remotes_new ("local*2");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      calls_assert_result (PROCFUN_EXECUTOR (hosts),
                           calls_new (cases[i].function, cases[i].arguments), async,
                           cases[i].result);
  remotes_close (hosts);
}

static void
test_call_knows_its_host (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  g_autoptr (ProcfunCall) call = get_process_id_call ();
  ProcfunUsage *usage;
  gint pid;

  g_assert_null (procfun_call_get_host (call));
  pid = pools_get_number (hosts, g_object_ref (call));
  g_assert_cmpstr (procfun_call_get_host (call), ==, "local*2");
  g_assert_cmpint (procfun_call_get_pid (call), ==, pid);
  usage = procfun_call_get_usage (call);
  g_assert_nonnull (usage);
  g_assert_cmpuint (procfun_usage_get_bytes_out (usage), ==, sizeof (gint));
  g_assert_cmpint (pools_get_number (hosts, find_host_process_call ()), !=, getpid ());
  remotes_close (hosts);
}

static void
test_large_values (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  g_autoptr (GBytes) bytes = make_bytes (8 * 1024 * 1024);
  g_autoptr (GBytes) back = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunCall) call = pass_bytes_call (bytes);
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  result = procfun_call_run (call, NULL, &error);
  g_assert_no_error (error);
  back = g_variant_get_data_as_bytes (result);
  g_assert_true (g_bytes_equal (bytes, back));
  remotes_close (hosts);
}

static void
test_payload_limit (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (GBytes) bytes = make_bytes (4096);

  procfun_remote_pool_set_max_payload (hosts, 1024);
  calls_assert_error (PROCFUN_EXECUTOR (hosts), pass_bytes_call (bytes), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_LIMIT, "*pass_bytes()*1024*");
  calls_assert_error (PROCFUN_EXECUTOR (hosts), make_bytes_call (4096), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_LIMIT, "*make_bytes()*");
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  remotes_close (hosts);
}

static void
test_many_at_once (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2, local*2");
  Results results;
  gint sum = 0;

  results_init (&results);
  for (gint i = 0; i < 200; i++)
    results_run (&results, hosts, add_call (i, 0));
  results_wait (&results, 200);
  g_assert_no_error (results.error);
  for (guint i = 0; i < results.results->len; i++)
    sum += g_array_index (results.results, gint, i);
  g_assert_cmpint (sum, ==, 199 * 200 / 2);
  g_assert_cmpuint (procfun_remote_pool_get_n_hosts (hosts), ==, 2);
  g_assert_cmpuint (procfun_remote_pool_get_n_slots (hosts), ==, 4);
  results_clear (&results);
  remotes_close (hosts);
}

/* The numbers of calls begin anew after a thousand. */
static void
test_many_one_by_one (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");

  for (gint i = 0; i < 1100; i++)
    g_assert_cmpint (pools_get_number (hosts, add_call (i, 1)), ==, i + 1);
  remotes_close (hosts);
}

typedef struct
{
  GHashTable *names;
  guint n_ended;
} Seen;

static void
note_host (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Seen *self = user_data;

  self->n_ended++;
  g_hash_table_add (self->names, (gpointer)procfun_call_get_host (PROCFUN_CALL (source)));
}

PROCFUN_DEFINE_STATIC_FUNCTION (doze, gint, (gint, ms))
{
  g_usleep ((gulong)ms * 1000);
  return ms;
}

static void
test_all_hosts_work (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1, exec:env PLAYS=another");
  Seen seen = { .names = g_hash_table_new (g_str_hash, g_str_equal) };
  guint n_begun = 0;

  while (g_hash_table_size (seen.names) < 2)
    {
      for (; n_begun < seen.n_ended + 4; n_begun++)
        {
          g_autoptr (ProcfunCall) call = doze_call (1);

          procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
          procfun_call_run_async (call, NULL, note_host, &seen);
        }
      g_main_context_iteration (NULL, TRUE);
    }
  while (seen.n_ended < n_begun)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (g_hash_table_contains (seen.names, "exec:env PLAYS=another"));
  g_hash_table_unref (seen.names);
  remotes_close (hosts);
}

/* Errors */

static void
test_errors (gconstpointer data)
{
  const gboolean async = GPOINTER_TO_INT (data);
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (hosts);

  calls_assert_error (executor, fail_call ("g-io-error-quark", G_IO_ERROR_EXISTS, "it is there"),
                      async, G_IO_ERROR, G_IO_ERROR_EXISTS, "it is there");
  calls_assert_error (executor, do_exit_call (7), async, PROCFUN_ERROR, PROCFUN_ERROR_EXITED,
                      "*exit (7)*");
  calls_assert_error (executor, do_return_null_call (), async, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE,
                      "*do_return_null()*");
  calls_assert_result (executor, add_call (1, 2), async, "3");
  remotes_close (hosts);
}

static void
test_crash (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (ProcfunCall) call = do_crash_call ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  ProcfunFailure *failure;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  g_assert_null (procfun_call_run (call, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  failure = procfun_error_get_failure (error);
  g_assert_nonnull (failure);
  g_assert_cmpint (procfun_failure_get_cause (failure), ==, PROCFUN_CAUSE_CRASHED);
  g_assert_cmpstr (procfun_failure_get_signal_name (failure), ==, "SIGSEGV");
  g_assert_cmpstr (procfun_failure_get_function_name (failure), ==, "do_crash");
  g_assert_cmpstr (procfun_failure_get_host (failure), ==, "local*1");
  g_assert_cmpint (procfun_failure_get_pid (failure), ==, procfun_call_get_pid (call));
  g_assert_nonnull (procfun_failure_get_backtrace (failure));
  text = procfun_failure_to_string (failure);
  g_assert_nonnull (strstr (text, "host: local*1"));
  g_assert_nonnull (strstr (text, "do_crash"));
  remotes_close (hosts);
}

static void
test_limits (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (ProcfunLimits) limits = procfun_limits_new ();
  ProcfunCall *call = do_leak_call (512 * 1024 * 1024);

  procfun_limits_set_memory (limits, 128 * 1024 * 1024);
  procfun_call_set_limits (call, limits);
  calls_assert_error (PROCFUN_EXECUTOR (hosts), call, FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_MEMORY_LIMIT, "*do_leak()*");
  remotes_close (hosts);
}

static void
test_launch_context (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();
  ProcfunCall *call = get_variable_call ("FAR_AWAY");

  procfun_launch_context_set_variable (context, "FAR_AWAY", "yes");
  procfun_call_set_launch_context (call, context);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), call, FALSE, "@ms 'yes'");
  call = get_folder_call ();
  procfun_launch_context_set_working_directory (context, "/");
  procfun_call_set_launch_context (call, context);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), call, FALSE, "'/'");
  remotes_close (hosts);
}

static void
test_descriptors_are_refused (void)
{
  ProcfunRemotePool *hosts = remotes_new ("exec:/does/not/exist");
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();
  g_autoptr (GError) error = NULL;
  ProcfunCall *call = add_call (1, 2);

  calls_assert_error (PROCFUN_EXECUTOR (hosts), read_all_call (0), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_INVALID, "read_all()*descriptors*");
  calls_assert_error (PROCFUN_EXECUTOR (hosts), open_text_call (""), TRUE, PROCFUN_ERROR,
                      PROCFUN_ERROR_INVALID, "open_text()*descriptors*");
  procfun_launch_context_add_fd (context, 0, 10, &error);
  g_assert_no_error (error);
  procfun_call_set_launch_context (call, context);
  calls_assert_error (PROCFUN_EXECUTOR (hosts), call, FALSE, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                      "add()*launch context*");
  remotes_close (hosts);
}

/* While it runs */

static void
note_line (ProcfunCall *call, ProcfunStream stream, const char *line, GString *text)
{
  g_string_append_printf (text, "%s: %s\n", stream == PROCFUN_STREAM_STDOUT ? "out" : "err", line);
}

static void
test_output (gconstpointer data)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (GString) text = g_string_new (NULL);
  ProcfunCall *call = do_print_call ("one\ntwo\n", "three\n");

  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_CAPTURE);
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDERR, PROCFUN_OUTPUT_CAPTURE);
  g_signal_connect (call, "output", G_CALLBACK (note_line), text);
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  g_variant_unref (calls_run (call, GPOINTER_TO_INT (data), NULL, NULL));
  g_assert_nonnull (strstr (text->str, "out: one\n"));
  g_assert_nonnull (strstr (text->str, "out: two\n"));
  g_assert_nonnull (strstr (text->str, "err: three\n"));
  remotes_close (hosts);
}

PROCFUN_DEFINE_STATIC_FUNCTION (advance, void)
{
  procfun_report_progress (0.5, "half");
  procfun_report_progress (1, NULL);
}

static void
note_progress (ProcfunCall *call, double fraction, const char *text, GString *all)
{
  g_string_append_printf (all, "%g %s;", fraction, text != NULL ? text : "-");
}

static void
test_progress (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (GString) all = g_string_new (NULL);
  ProcfunCall *call = advance_call ();

  g_signal_connect (call, "progress", G_CALLBACK (note_progress), all);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), call, TRUE, "()");
  g_assert_cmpstr (all->str, ==, "0.5 half;1 -;");
  remotes_close (hosts);
}

static void
test_items (gconstpointer mode)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (GError) error = NULL;
  ProcfunCall *call = numbers_call (5);

  {
    g_auto (Reader) reader = reader_new (call, mode);
    g_autofree char *items = NULL;

    procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
    items = reader_print_rest (&reader, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (items, ==, "0 1 2 3 4");
  }
  remotes_close (hosts);
}

/* More than what a host sends ahead. */
static void
test_many_items (gconstpointer mode)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (GError) error = NULL;
  ProcfunCall *call = blobs_call (40, 256 * 1024);
  guint n = 0;

  {
    g_auto (Reader) reader = reader_new (call, mode);
    GVariant *item;

    procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
    while ((item = reader_next (&reader, NULL, &error)) != NULL)
      {
        n++;
        g_variant_unref (item);
      }
  }
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, 40);
  remotes_close (hosts);
}

static void
test_dropped_generator (gconstpointer mode)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  ProcfunCall *call = blobs_call (1000, 256 * 1024);

  {
    g_auto (Reader) reader = reader_new (call, mode);

    procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
    g_variant_unref (reader_next (&reader, NULL, NULL));
  }
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  remotes_close (hosts);
}

/* Ends */

PROCFUN_DEFINE_STATIC_FUNCTION (turn, void)
{
  for (volatile gint i = 0;; i++)
    continue;
}

static void
cancel (ProcfunCall *call, int pid, GCancellable *cancellable)
{
  g_cancellable_cancel (cancellable);
}

static void
test_cancel_running (gconstpointer data)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  ProcfunCall *call = turn_call ();

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  procfun_call_set_grace_period (call, 0);
  g_signal_connect (call, "started", G_CALLBACK (cancel), cancellable);
  g_assert_null (calls_run (call, GPOINTER_TO_INT (data), cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  remotes_close (hosts);
}

static void
test_timeout (gconstpointer data)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunCall) call = turn_call ();

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  procfun_call_set_timeout (call, 50000);
  procfun_call_set_grace_period (call, 0);
  g_assert_null (calls_run (g_object_ref (call), GPOINTER_TO_INT (data), NULL, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT, "turn()*timed out*");
  g_assert_cmpint (procfun_failure_get_cause (procfun_error_get_failure (error)), ==,
                   PROCFUN_CAUSE_TIMED_OUT);
  remotes_close (hosts);
}

static void
on_started (ProcfunCall *call, int pid, gboolean *runs)
{
  *runs = TRUE;
}

/* One call has the only slot; others wait behind it. */
static ProcfunCall *
occupy (ProcfunRemotePool *hosts, Results *results)
{
  ProcfunCall *call = turn_call ();
  gboolean runs = FALSE;
  gulong handler = g_signal_connect (call, "started", G_CALLBACK (on_started), &runs);

  procfun_call_set_grace_period (call, 0);
  results_run (results, hosts, g_object_ref (call));
  while (!runs)
    g_main_context_iteration (NULL, TRUE);
  g_signal_handler_disconnect (call, handler);
  return call;
}

/* A worker of this machine's pool has its next call at once, or not at all soon. That of a host has
 * it a round trip later, unless the host has other calls meanwhile. */
static void
test_patience (void)
{
  g_autoptr (ProcfunExecutor) pool = PROCFUN_EXECUTOR (procfun_pool_new (1));
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  g_autoptr (ProcfunCall) other = NULL;
  g_autoptr (GError) error = NULL;
  Results results;

  results_init (&results);
  g_assert_false (is_patient_process_with (pool, NULL, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_true (is_patient_process_with (PROCFUN_EXECUTOR (hosts), NULL, &error));
      g_assert_no_error (error);
    }
  other = occupy (hosts, &results);
  g_assert_false (is_patient_process_with (PROCFUN_EXECUTOR (hosts), NULL, &error));
  g_assert_no_error (error);
  procfun_call_abort (other);
  results_wait (&results, 1);
  results_clear (&results);
  procfun_executor_close (pool, NULL, NULL);
  remotes_close (hosts);
}

static void
test_in_the_queue (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (ProcfunCall) running = NULL;
  g_autoptr (ProcfunCall) cancelled = add_call (1, 1);
  ProcfunCall *late = add_call (1, 2);
  Results results;

  results_init (&results);
  running = occupy (hosts, &results);
  results_run (&results, hosts, g_object_ref (cancelled));
  procfun_call_abort (cancelled);
  results_wait (&results, 1);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  procfun_call_set_deadline (late, 20000);
  results_run (&results, hosts, late);
  results_wait (&results, 2);
  calls_check_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT, "add()*deadline*");
  procfun_call_abort (running);
  results_wait (&results, 3);
  results_clear (&results);
  remotes_close (hosts);
}

static void
test_close_in_vain (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (ProcfunCall) running = NULL;
  g_autoptr (GError) error = NULL;
  Results results;

  results_init (&results);
  running = occupy (hosts, &results);
  g_assert_false (procfun_executor_close (PROCFUN_EXECUTOR (hosts), NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
  procfun_call_abort (running);
  results_wait (&results, 1);
  results_clear (&results);
  remotes_close (hosts);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  procfun_executor_close_finish (PROCFUN_EXECUTOR (source), result, &error);
  g_assert_no_error (error);
  *(gboolean *)user_data = TRUE;
}

static void
test_close_async (void)
{
  g_autoptr (ProcfunRemotePool) hosts = remotes_new ("local*1");
  gboolean is_closed = FALSE;

  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  procfun_executor_close_async (PROCFUN_EXECUTOR (hosts), NULL, on_closed, &is_closed);
  while (!is_closed)
    g_main_context_iteration (NULL, TRUE);
  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_CLOSED, "add()*closed");
}

/* The last reference is enough. */
static void
test_dropped (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");

  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  g_object_unref (hosts);
}

static void
test_unused (void)
{
  g_object_unref (remotes_new ("local*1"));
  remotes_close (remotes_new ("local*1"));
}

static void
test_idle (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  const gint first = (procfun_remote_pool_set_idle_timeout (hosts, 1000),
                      pools_get_number (hosts, find_host_process_call ()));

  while (procfun_remote_pool_get_n_hosts (hosts) > 0)
    g_usleep (1000);
  g_assert_cmpint (pools_get_number (hosts, find_host_process_call ()), !=, first);
  remotes_close (hosts);
}

/* Lists */

static void
test_bad_lists (void)
{
  static const char *const lists[]
      = { "",      "local*0", "local*2,",         "ssh:", "ssh:-oProxyCommand=evil",
          "alpha", "local:x", "exec:'unfinished", "pool" };

  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (procfun_remote_pool_new (lists[i], &error));
      if (!g_error_matches (error, G_SHELL_ERROR, G_SHELL_ERROR_BAD_QUOTING))
        g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
    }
}

static void
test_unknown_scheme (void)
{
  ProcfunRemotePool *hosts = remotes_new ("nowhere://broker/render");

  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_ENGINE, "add()*“nowhere:”*");
  remotes_close (hosts);
}

static void
test_one_of_two_is_enough (void)
{
  ProcfunRemotePool *hosts = remotes_new ("exec:/does/not/exist, local*1");

  for (guint i = 0; i < 3; i++)
    calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  remotes_close (hosts);
}

static void
add_items (const char *name, const ReaderMode *mode)
{
  static const struct
  {
    const char *name;
    GTestDataFunc func;
  } tests[] = { { "come-in-order", test_items },
                { "wait-for-their-reader", test_many_items },
                { "dropped-generator-ends", test_dropped_generator } };

  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strdup_printf ("/remote/items/%s/%s", tests[i].name, name);

      fixture_add_data_func (path, mode, tests[i].func);
    }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/remote/results/come-back", test_results);
  fixture_add_func ("/remote/results/call-knows-its-host", test_call_knows_its_host);
  fixture_add_func ("/remote/results/large-values-come-back", test_large_values);
  fixture_add_func ("/remote/results/larger-ones-than-the-limit-do-not", test_payload_limit);
  fixture_add_func ("/remote/results/many-at-once-come-back", test_many_at_once);
  fixture_add_func ("/remote/results/many-one-by-one-come-back", test_many_one_by_one);
  fixture_add_func ("/remote/results/all-hosts-work", test_all_hosts_work);
  fixture_add_func ("/remote/results/workers-of-a-single-call-are-patient", test_patience);
  fixture_add_data_func ("/remote/errors/come-back/blocking", GINT_TO_POINTER (FALSE), test_errors);
  fixture_add_data_func ("/remote/errors/come-back/async", GINT_TO_POINTER (TRUE), test_errors);
  fixture_add_func ("/remote/errors/crash-is-reported-whole", test_crash);
  fixture_add_func ("/remote/settings/limits-hold-on-hosts", test_limits);
  fixture_add_func ("/remote/settings/launch-context-holds-on-hosts", test_launch_context);
  fixture_add_func ("/remote/settings/descriptors-are-refused", test_descriptors_are_refused);
  fixture_add_data_func ("/remote/output/comes-by-lines/blocking", GINT_TO_POINTER (FALSE),
                         test_output);
  fixture_add_data_func ("/remote/output/comes-by-lines/async", GINT_TO_POINTER (TRUE),
                         test_output);
  fixture_add_func ("/remote/progress/comes-in-order", test_progress);
  add_items ("blocking", &reader_modes[2]);
  add_items ("async", &reader_modes[3]);
  fixture_add_data_func ("/remote/ends/busy-loop-is-cancelled/blocking", GINT_TO_POINTER (FALSE),
                         test_cancel_running);
  fixture_add_data_func ("/remote/ends/busy-loop-is-cancelled/async", GINT_TO_POINTER (TRUE),
                         test_cancel_running);
  fixture_add_data_func ("/remote/ends/time-is-up/blocking", GINT_TO_POINTER (FALSE), test_timeout);
  fixture_add_data_func ("/remote/ends/time-is-up/async", GINT_TO_POINTER (TRUE), test_timeout);
  fixture_add_func ("/remote/ends/waiting-calls-are-cancelled-and-late", test_in_the_queue);
  fixture_add_func ("/remote/close/does-not-wait-for-itself", test_close_in_vain);
  fixture_add_func ("/remote/close/waits-in-a-main-context", test_close_async);
  fixture_add_func ("/remote/close/last-reference-ends-hosts", test_dropped);
  fixture_add_func ("/remote/close/unused-hosts-are-not-started", test_unused);
  fixture_add_func ("/remote/close/idle-hosts-end", test_idle);
  fixture_add_func ("/remote/lists/bad-ones-are-refused", test_bad_lists);
  fixture_add_func ("/remote/lists/unknown-scheme-fails-calls", test_unknown_scheme);
  fixture_add_func ("/remote/lists/one-host-of-two-is-enough", test_one_of_two_is_enough);

  return fixture_run ();
}
