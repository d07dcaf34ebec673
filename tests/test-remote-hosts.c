/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which hosts of a remote pool are started, stay and end, how they are launched, and what becomes
 * of calls when it is closed. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"
#include "tests/remotes.h"

#include <signal.h>
#include <unistd.h>

/* A function that only this program has. */
PROCFUN_DEFINE_STATIC_FUNCTION (find_nobody, gint) { return 7; }

PROCFUN_DEFINE_STATIC_FUNCTION (sleep_and_return, gint, (gint64, us), (gint, result))
{
  g_usleep ((gulong)us);
  return result;
}

/* For as long as it is left. */
PROCFUN_DEFINE_STATIC_FUNCTION (turn, void)
{
  for (volatile guint i = 0;; i++)
    ;
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer is_closed)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (procfun_executor_close_full_finish (PROCFUN_EXECUTOR (source), result, &error));
  g_assert_no_error (error);
  *(gboolean *)is_closed = TRUE;
}

typedef struct
{
  guint n_up;
  guint slots;
  char *name;
} Ups;

static void
note_up (ProcfunRemotePool *hosts, const char *name, guint slots, gpointer user_data)
{
  Ups *self = user_data;

  self->n_up++;
  self->slots += slots;
  g_free (self->name);
  self->name = g_strdup (name);
}

/* The list has three, and calls would be enough for all. */
static void
test_max_hosts (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1, local*1, local*1");
  Results results;

  procfun_remote_pool_set_max_hosts (hosts, 2);
  g_assert_cmpuint (procfun_remote_pool_get_max_hosts (hosts), ==, 2);
  results_init (&results);
  for (gint i = 0; i < 20; i++)
    results_run (&results, hosts, add_call (i, 1));
  results_wait (&results, 20);
  g_assert_cmpuint (results.n_succeeded, ==, 20);
  g_assert_cmpuint (procfun_remote_pool_get_n_hosts (hosts), <=, 2);
  results_clear (&results);
  remotes_close (hosts);
}

/* Another host takes the place of one whose program has no such function. */
static void
test_max_hosts_of_use (void)
{
  g_autofree char *list = g_strdup_printf ("local=%s/hosts, local*1", g_getenv ("G_TEST_BUILDDIR"));
  ProcfunRemotePool *hosts = remotes_new (list);

  procfun_remote_pool_set_max_hosts (hosts, 1);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), find_nobody_call (), FALSE, "7");
  remotes_close (hosts);
}

/* One call runs, one waits, and the third is too much. */
static void
test_full_queue (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autofree char *text = g_strnfill (8192, 'a');
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Results results;

  procfun_remote_pool_set_max_queue_calls (hosts, 1);
  g_assert_cmpuint (procfun_remote_pool_get_max_queue_calls (hosts), ==, 1);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  results_init (&results);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ProcfunCall) call = turn_call ();

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
      procfun_call_run_async (call, cancellable, results_add, &results);
    }
  for (guint i = 0; i < 2; i++)
    calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), i > 0, PROCFUN_ERROR,
                        PROCFUN_ERROR_BUSY, "*add()*queue is full*");
  procfun_remote_pool_set_max_queue_calls (hosts, 0);
  procfun_remote_pool_set_max_queue_bytes (hosts, 4096);
  g_assert_cmpuint (procfun_remote_pool_get_max_queue_bytes (hosts), ==, 4096);
  calls_assert_error (PROCFUN_EXECUTOR (hosts), string_length_call (text), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_BUSY, "*queue is full*");
  g_cancellable_cancel (cancellable);
  results_wait (&results, 2);
  g_assert_cmpuint (results.n_succeeded, ==, 0);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), string_length_call (text), FALSE, "uint64 8192");
  results_clear (&results);
  remotes_close (hosts);
}

/* A map has more calls at once than may wait. */
static void
test_full_queue_of_map (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  g_autoptr (ProcfunMap) map = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), add_function ());
  g_autoptr (GVariant) sums = NULL;
  g_autoptr (GError) error = NULL;

  procfun_remote_pool_set_max_queue_calls (hosts, 1);
  procfun_map_set_chunk_size (map, 1);
  procfun_map_set_array (map, g_variant_new_parsed ("[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]"));
  sums = procfun_map_run (map, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (sums), ==, 5);
  remotes_close (hosts);
}

static void
test_min_hosts (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1, local*1, local*1");
  Results results;

  procfun_remote_pool_set_idle_timeout (hosts, 20000);
  procfun_remote_pool_set_min_hosts (hosts, 1);
  g_assert_cmpuint (procfun_remote_pool_get_min_hosts (hosts), ==, 1);
  results_init (&results);
  for (gint i = 0; i < 20; i++)
    results_run (&results, hosts, add_call (i, 1));
  results_wait (&results, 20);
  results_clear (&results);
  while (procfun_remote_pool_get_n_hosts (hosts) != 1)
    g_usleep (1000);
  g_usleep (100000); /* five times its idle timeout */
  g_assert_cmpuint (procfun_remote_pool_get_n_hosts (hosts), ==, 1);
  remotes_close (hosts);
}

/* The first call runs and ends, and the others, which wait, do not begin. */
static void
test_drop_queued (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  gboolean is_closed = FALSE;
  Results results;

  results_init (&results);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  for (gint i = 0; i < 4; i++)
    results_run (&results, hosts, sleep_and_return_call (200000, i));
  procfun_executor_close_full_async (PROCFUN_EXECUTOR (hosts), PROCFUN_CLOSE_DROP_QUEUED, NULL,
                                     on_closed, &is_closed);
  results_wait (&results, 4);
  g_assert_cmpuint (results.n_succeeded, <=, 1);
  g_assert_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  while (!is_closed)
    g_main_context_iteration (NULL, TRUE);
  results_clear (&results);
  g_object_unref (hosts);
}

static void
note_running (ProcfunCall *call, gint pid, gpointer is_running)
{
  *(gboolean *)is_running = TRUE;
}

static void
test_cancel_when_closing (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  ProcfunCall *call = turn_call ();
  gboolean is_closed = FALSE;
  gboolean is_running = FALSE;
  Results results;

  results_init (&results);
  g_signal_connect (call, "started", G_CALLBACK (note_running), &is_running);
  procfun_call_set_grace_period (call, 0);
  results_run (&results, hosts, call);
  while (!is_running)
    g_main_context_iteration (NULL, TRUE);
  procfun_executor_close_full_async (PROCFUN_EXECUTOR (hosts), PROCFUN_CLOSE_CANCEL_RUNNING, NULL,
                                     on_closed, &is_closed);
  results_wait (&results, 1);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  while (!is_closed)
    g_main_context_iteration (NULL, TRUE);
  results_clear (&results);
  g_object_unref (hosts);
}

/* Launchers */

static void
test_launcher (void)
{
  static const char *const command[] = { "env", "WHO=me", "{}", NULL };
  g_autoptr (ProcfunLauncher) launcher = procfun_launcher_new ("alpha", command);
  g_autoptr (ProcfunRemotePool) hosts = procfun_remote_pool_new (NULL, NULL);
  g_autoptr (ProcfunCall) call = add_call (2, 3);
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GError) error = NULL;
  Ups ups = { 0 };

  g_signal_connect (hosts, "host-up", G_CALLBACK (note_up), &ups);
  procfun_launcher_set_slots (launcher, 3);
  g_assert_cmpstr (procfun_launcher_get_name (launcher), ==, "alpha");
  g_assert_cmpstr (procfun_launcher_get_command (launcher)[1], ==, "WHO=me");
  g_assert_cmpuint (procfun_launcher_get_slots (launcher), ==, 3);
  g_assert_false (procfun_launcher_get_quote (launcher));
  g_assert_null (procfun_launcher_get_program (launcher));
  procfun_remote_pool_add_launcher (hosts, launcher);
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  result = procfun_call_run (call, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_variant_get_int32 (result), ==, 5);
  g_assert_cmpstr (procfun_call_get_host (call), ==, "alpha");
  while (ups.n_up == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (ups.name, ==, "alpha");
  g_assert_cmpuint (ups.slots, ==, 3);
  g_free (ups.name);
  remotes_close (g_object_ref (hosts));
}

/* A function on a host */
PROCFUN_DEFINE_STATIC_FUNCTION (find_host, gint) { return remotes_get_host_process (); }

/* (transfer full): what the descriptor of a process is */
static char *
read_descriptor (gint pid, const char *fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd/%s", pid, fd);

  return g_file_read_link (path, NULL);
}

static gboolean
has_file (gint pid, const char *file)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd", pid);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  gboolean has = FALSE;
  const char *fd;

  g_assert_nonnull (dir);
  while ((fd = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *found = read_descriptor (pid, fd);

      has = has || g_strcmp0 (found, file) == 0;
    }
  return has;
}

/* Signals of the terminal do not reach its command, and what the program has open is not its own.
 */
static void
test_apart (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  int fds[2];
  g_autofree char *number = NULL;
  g_autofree char *file = NULL;
  gint host;

  g_assert_cmpint (pipe (fds), ==, 0); /* which a command of g_spawn_async() might have */
  number = g_strdup_printf ("%d", fds[1]);
  file = read_descriptor (getpid (), number);
  host = pools_get_number (hosts, find_host_call ());
  g_assert_true (has_file (getpid (), file));
  g_assert_false (has_file (host, file));
  g_assert_cmpint (getsid (host), ==, host);
  g_assert_cmpint (getpgid (host), ==, host);
  close (fds[0]);
  close (fds[1]);
  remotes_close (hosts);
}

/* The shell that a launcher gives its last word to, as sshd does. */
static void
test_quoting_launcher (void)
{
  static const char *const command[] = { "sh", "-c", NULL };
  g_autoptr (ProcfunLauncher) launcher = procfun_launcher_new ("by a shell", command);
  g_autoptr (ProcfunRemotePool) hosts = procfun_remote_pool_new (NULL, NULL);

  procfun_launcher_set_quote (launcher, TRUE);
  procfun_launcher_set_slots (launcher, 1);
  procfun_remote_pool_add_launcher (hosts, launcher);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, "5");
  remotes_close (g_object_ref (hosts));
}

/* A pool without hosts has none to wait for. */
static void
test_no_hosts (void)
{
  ProcfunRemotePool *hosts = procfun_remote_pool_new (NULL, NULL);

  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_ENGINE, "add()*no hosts*");
  remotes_close (hosts);
}

/* Hosts of hosts */

#define TREE "exec:env PROCFUN_HOST_EXECUTOR='local*1, local*1' {}*2"

PROCFUN_DEFINE_STATIC_FUNCTION (kill_host, gint)
{
  kill (remotes_get_host_process (), SIGKILL);
  for (;;)
    pause ();
  return 0;
}

static void
test_tree (void)
{
  ProcfunRemotePool *hosts = remotes_new (TREE);
  g_autoptr (ProcfunCall) crash = do_crash_call ();
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GError) error = NULL;

  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, "5");
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (3, 4), TRUE, "7");
  procfun_call_set_executor (crash, PROCFUN_EXECUTOR (hosts));
  result = procfun_call_run (crash, NULL, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  g_assert_cmpint (procfun_failure_get_signal (procfun_call_get_failure (crash)), ==, SIGSEGV);
  g_assert_nonnull (procfun_failure_get_backtrace (procfun_call_get_failure (crash)));
  remotes_close (hosts);
}

static void
test_map_through_a_tree (void)
{
  ProcfunRemotePool *hosts = remotes_new (TREE);
  g_autoptr (ProcfunMap) map = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), add_function ());
  g_autoptr (ProcfunStatistics) statistics = NULL;
  g_autoptr (GVariant) sums = NULL;
  g_autoptr (GError) error = NULL;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ii)"));
  for (gint i = 0; i < 1000; i++)
    g_variant_builder_add (&builder, "(ii)", i, 1);
  procfun_map_set_array (map, g_variant_builder_end (&builder));
  procfun_map_set_chunk_size (map, 100);
  sums = procfun_map_run (map, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (sums), ==, 1000);
  for (gsize i = 0; i < 1000; i++)
    {
      gint sum;

      g_variant_get_child (sums, i, "i", &sum);
      g_assert_cmpint (sum, ==, (gint)i + 1);
    }
  statistics = procfun_statistics_new (PROCFUN_EXECUTOR (hosts));
  g_assert_cmpuint (procfun_statistics_get_submitted (statistics), ==, 10);
  g_clear_object (&map);
  remotes_close (hosts);
}

/* The host between them lives, and starts another one. */
static void
test_lost_leaf (void)
{
  ProcfunRemotePool *hosts = remotes_new (TREE);

  calls_assert_error (PROCFUN_EXECUTOR (hosts), kill_host_call (), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_WORKER_LOST, "*kill_host()*");
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, "5");
  remotes_close (hosts);
}

static void
test_tree_of_no_hosts (void)
{
  ProcfunRemotePool *hosts = remotes_new ("exec:env PROCFUN_HOST_EXECUTOR=nowhere {}*1");

  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_ENGINE, "*PROCFUN_HOST_EXECUTOR: *nowhere*");
  remotes_close (hosts);
}

/* A library */

static void
test_no_library (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autofree char *path = NULL;

  g_assert_null (procfun_remote_pool_get_library (hosts));
  procfun_remote_pool_set_library (hosts, "/nowhere/at/all.so");
  path = procfun_remote_pool_get_library (hosts);
  g_assert_cmpstr (path, ==, "/nowhere/at/all.so");
  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_ENGINE, "*/nowhere/at/all.so*");
  remotes_close (hosts);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/remote-hosts/close/waiting-calls-are-dropped", test_drop_queued);
  fixture_add_func ("/remote-hosts/close/running-calls-are-cancelled", test_cancel_when_closing);
  fixture_add_func ("/remote-hosts/start/no-more-than-max-hosts-start", test_max_hosts);
  fixture_add_func ("/remote-hosts/start/those-without-the-function-do-not-count",
                    test_max_hosts_of_use);
  fixture_add_func ("/remote-hosts/queue/full-one-takes-no-more", test_full_queue);
  fixture_add_func ("/remote-hosts/queue/full-one-takes-a-map", test_full_queue_of_map);
  fixture_add_func ("/remote-hosts/start/min-hosts-stay", test_min_hosts);
  fixture_add_func ("/remote-hosts/start/none-are-an-error", test_no_hosts);
  fixture_add_func ("/remote-hosts/launchers/start-hosts", test_launcher);
  fixture_add_func ("/remote-hosts/launchers/have-a-session-and-no-descriptors", test_apart);
  fixture_add_func ("/remote-hosts/launchers/quote-for-a-shell", test_quoting_launcher);
  fixture_add_func ("/remote-hosts/tree/calls-reach-hosts-of-hosts", test_tree);
  fixture_add_func ("/remote-hosts/tree/maps-reach-hosts-of-hosts", test_map_through_a_tree);
  fixture_add_func ("/remote-hosts/tree/lost-host-of-a-host-costs-its-calls", test_lost_leaf);
  fixture_add_func ("/remote-hosts/tree/wrong-list-is-told", test_tree_of_no_hosts);
  fixture_add_func ("/remote-hosts/library/missing-one-is-told", test_no_library);

  return fixture_run ();
}
