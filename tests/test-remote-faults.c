/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Hosts that are killed, frozen, of another program, or none; and callers that are gone. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/openmetrics.h"
#include "tests/pools.h"
#include "tests/remotes.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Long enough for a busy machine. */
#define HEARTBEAT 500000

/* Hosts of which one that is silent is noticed soon. */
static ProcfunRemotePool *
make_watched_hosts (const char *list)
{
  ProcfunRemotePool *hosts = remotes_new (list);

  procfun_remote_pool_set_heartbeat (hosts, HEARTBEAT);
  return hosts;
}

/* Functions on the hosts */

PROCFUN_DEFINE_STATIC_FUNCTION (find_host, gint) { return remotes_get_host_process (); }

/* Says that it runs, and never ends. */
PROCFUN_DEFINE_STATIC_FUNCTION (hold, void, (const char *, path))
{
  const int fd = open (path, O_WRONLY);

  if (fd < 0 || write (fd, "!", 1) != 1)
    g_error ("nobody waits at %s", path);
  for (;;)
    pause ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (strike_host, gint, (gint, signum))
{
  kill (remotes_get_host_process (), signum);
  for (;;)
    pause ();
  return 0;
}

/* Kills its host, unless there is a file @path, which it makes before. */
PROCFUN_DEFINE_IDEMPOTENT_FUNCTION (strike_once, gint, (const char *, path))
{
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return 7;
  g_file_set_contents (path, "", 0, NULL);
  kill (remotes_get_host_process (), SIGKILL);
  for (;;)
    pause ();
  return 0;
}

PROCFUN_DEFINE_IDEMPOTENT_FUNCTION (strike_always, gint)
{
  kill (remotes_get_host_process (), SIGKILL);
  for (;;)
    pause ();
  return 0;
}

PROCFUN_DEFINE_STATIC_FUNCTION (end_host_by_request, gint)
{
  kill (remotes_get_host_process (), SIGTERM);
  g_usleep (20000);
  return 5;
}

/* The program “hosts” has this one with another name of its argument. */
PROCFUN_DEFINE_STATIC_FUNCTION (length, guint64, (const char *, word)) { return strlen (word); }

/* Lost hosts */

static void
test_lost (gconstpointer data)
{
  const gint signum = GPOINTER_TO_INT (data);
  ProcfunRemotePool *hosts = make_watched_hosts ("local*2");
  g_autoptr (ProcfunCall) call = strike_host_call (signum);
  g_autoptr (GError) error = NULL;
  ProcfunFailure *failure;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  g_assert_null (procfun_call_run (call, NULL, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                     "strike_host()*lost*local?2*");
  failure = procfun_error_get_failure (error);
  g_assert_cmpint (procfun_failure_get_cause (failure), ==, PROCFUN_CAUSE_WORKER_LOST);
  g_assert_cmpstr (procfun_failure_get_host (failure), ==, "local*2");
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  remotes_close (hosts);
}

/* Both calls of the host are told, and the two that wait behind them go on. */
static void
test_lost_with_all_slots_busy (void)
{
  ProcfunRemotePool *hosts = make_watched_hosts ("local*2");
  const gint host = pools_get_number (hosts, find_host_call ());
  Results results;

  results_init (&results);
  for (guint i = 0; i < 2; i++)
    results_run (&results, hosts, strike_host_call (0));
  for (guint i = 0; i < 2; i++)
    results_run (&results, hosts, find_host_call ());
  kill (host, SIGSTOP);
  results_wait (&results, 4);
  g_assert_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
  g_assert_cmpuint (results.n_succeeded, ==, 2);
  results_clear (&results);
  remotes_close (hosts);
}

/* A host that has large arguments to copy may be silent for longer than two heartbeats. */
static void
test_silent_with_large_arguments (void)
{
  ProcfunRemotePool *hosts = make_watched_hosts ("local*1");
  const gint host = pools_get_number (hosts, find_host_call ());
  g_autofree char *word = g_strnfill (128 * 1024 * 1024, 'a');
  Results results;

  results_init (&results);
  kill (host, SIGSTOP);
  results_run (&results, hosts, string_length_call (word));
  g_usleep (3 * HEARTBEAT);
  kill (host, SIGCONT);
  results_wait (&results, 1);
  g_assert_no_error (results.error);
  g_assert_cmpint (pools_get_number (hosts, find_host_call ()), ==, host);
  results_clear (&results);
  remotes_close (hosts);
}

static void
note_host (ProcfunRemotePool *hosts, const char *name, const GError *error, GString *text)
{
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
  g_string_append_printf (text, "lost %s;", name);
}

static void
note_host_up (ProcfunRemotePool *hosts, const char *name, guint slots, GString *text)
{
  g_string_append_printf (text, "up %s %u;", name, slots);
}

static void
test_signals (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  g_autoptr (GString) text = g_string_new (NULL);

  g_signal_connect (hosts, "host-up", G_CALLBACK (note_host_up), text);
  g_signal_connect (hosts, "host-lost", G_CALLBACK (note_host), text);
  pools_assert_error (hosts, strike_host_call (SIGKILL), PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                      "*");
  while (strstr (text->str, "lost") == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (text->str, ==, "up local*2 2;lost local*2;");
  remotes_close (hosts);
}

/* Numbers in the statistics of an executor that has one host of two slots */
typedef struct
{
  gint down;
  gint up;
  gint free;
  gint busy;
  gint lost;
} Told;

static gint
get_told (GHashTable *samples, ProcfunStatistics *statistics, const char *name, const char *state)
{
  const guint number = procfun_statistics_get_executor_number (statistics);
  g_autofree char *sample
      = g_strdup_printf ("%s{executor=\"ProcfunRemotePool\",number=\"%u\"%s}", name, number, state);

  return (gint)openmetrics_get (samples, sample);
}

static gboolean
are_told (ProcfunRemotePool *hosts, const Told *expected)
{
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (PROCFUN_EXECUTOR (hosts));
  g_autofree char *text = procfun_statistics_to_openmetrics (statistics);
  g_autofree char *json = procfun_statistics_to_json (statistics);
  g_autofree char *up = g_strdup_printf ("\"up\":%d", expected->up);
  g_autoptr (GHashTable) samples = openmetrics_read (text);

  return get_told (samples, statistics, "procfun_hosts", ",state=\"down\"") == expected->down
         && get_told (samples, statistics, "procfun_hosts", ",state=\"up\"") == expected->up
         && get_told (samples, statistics, "procfun_slots", ",state=\"free\"") == expected->free
         && get_told (samples, statistics, "procfun_slots", ",state=\"busy\"") == expected->busy
         && get_told (samples, statistics, "procfun_hosts_lost_total", "") == expected->lost
         && strstr (json, up) != NULL;
}

static void
wait_until_told (ProcfunRemotePool *hosts, Told expected)
{
  while (!are_told (hosts, &expected))
    g_usleep (1000);
}

static void
test_statistics (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  Results results;

  wait_until_told (hosts, (Told){ .down = 1 });
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  wait_until_told (hosts, (Told){ .up = 1, .free = 2 });
  results_init (&results);
  results_run (&results, hosts, strike_host_call (0));
  wait_until_told (hosts, (Told){ .up = 1, .free = 1, .busy = 1 });
  results_run (&results, hosts, strike_host_call (SIGKILL));
  results_wait (&results, 2);
  g_assert_cmpuint (results.n_succeeded, ==, 0);
  wait_until_told (hosts, (Told){ .down = 1, .lost = 1 });
  results_clear (&results);
  remotes_close (hosts);
}

static char *
make_path (void)
{
  g_autofree char *folder = g_dir_make_tmp ("procfun-XXXXXX", NULL);

  return g_build_filename (folder, "file", NULL);
}

static void
remove_path (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);

  g_unlink (path);
  g_rmdir (folder);
}

static void
test_retries (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autofree char *path = make_path ();

  procfun_remote_pool_set_retry_on (hosts, PROCFUN_RETRY_LOST);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), strike_once_call (path), FALSE, "7");
  g_unlink (path);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), strike_once_call (path), TRUE, "7");
  g_unlink (path);
  pools_assert_error (hosts, strike_host_call (SIGKILL), PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                      "*"); /* which is not defined so */
  procfun_remote_pool_set_retry_on (hosts, PROCFUN_RETRY_NONE);
  pools_assert_error (hosts, strike_once_call (path), PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                      "*");
  remove_path (path);
  remotes_close (hosts);
}

static void
test_poison (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");

  procfun_remote_pool_set_retry_on (hosts, PROCFUN_RETRY_LOST);
  procfun_remote_pool_set_max_retries (hosts, 1);
  pools_assert_error (hosts, strike_always_call (), PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, "*");
  remotes_close (hosts);
}

/* SIGTERM: what runs may end, and what comes goes to the next one. */
static void
test_drain (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  const gint first = pools_get_number (hosts, find_host_call ());

  g_assert_cmpint (pools_get_number (hosts, end_host_by_request_call ()), ==, 5);
  g_assert_cmpint (pools_get_number (hosts, find_host_call ()), !=, first);
  remotes_close (hosts);
}

/* Hosts that are none */

static void
assert_unreachable (const char *list, gint code, const char *pattern)
{
  ProcfunRemotePool *hosts = remotes_new (list);

  procfun_remote_pool_set_connect_timeout (hosts, 20 * G_USEC_PER_SEC);
  pools_assert_error (hosts, add_call (1, 2), PROCFUN_ERROR, code, pattern);
  remotes_close (hosts);
}

static void
test_no_hosts (void)
{
  static const struct
  {
    const char *list;
    gint code;
    const char *pattern;
  } cases[] = {
    { "exec:/does/not/exist", PROCFUN_ERROR_ENGINE, "add()*/does/not/exist*" },
    { "local=/does/not/exist", PROCFUN_ERROR_ENGINE, "add()*last output*/does/not/exist*" },
    { "exec:true", PROCFUN_ERROR_ENGINE, "add()*exec:true*" },
    { "exec:sh -c 'echo permission denied >&2; exit 255'", PROCFUN_ERROR_ENGINE,
      "add()*permission denied*" },
    { "exec:sh -c 'echo this is no host; sleep 0.1'", PROCFUN_ERROR_ENGINE,
      "add()*this is no host*" },
    { "exec:sh -c 'yes | head -c 200000'", PROCFUN_ERROR_ENGINE, "add()*no message*" },
    { "exec:sh -c \"head -c 100 /dev/zero | tr '\\000' '\\365'; sleep 100\"",
      PROCFUN_ERROR_MISMATCH, "add()*version*" },
    { "exec:sh -c \"printf '\\365\\001\\115'; head -c 100 /dev/zero; sleep 100\"",
      PROCFUN_ERROR_ENGINE, "add()*no message*" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_unreachable (cases[i].list, cases[i].code, cases[i].pattern);
}

static void
test_silent_launcher (void)
{
  ProcfunRemotePool *hosts = remotes_new ("exec:sh -c 'exec sleep 1000'");

  procfun_remote_pool_set_connect_timeout (hosts, 50000);
  pools_assert_error (hosts, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_ENGINE,
                      "add()*did not answer*");
  remotes_close (hosts);
}

/* As login shells do. */
static void
test_noisy_shell (void)
{
  ProcfunRemotePool *hosts
      = remotes_new ("exec:sh -c 'echo Welcome; echo to this machine; exec \"$@\"' sh");

  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  remotes_close (hosts);
}

static void
test_other_program (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autofree char *program = g_test_build_filename (G_TEST_BUILT, "hosts", NULL);

  procfun_remote_pool_set_program (hosts, program);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, "3");
  pools_assert_error (hosts, length_call ("four"), PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
                      "length()*another function*");
  pools_assert_error (hosts, string_length_call ("four"), PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                      "string_length()*no function*");
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (1, 2), TRUE, "3");
  remotes_close (hosts);
}

static void
test_another_host_has_it (void)
{
  g_autofree char *program = g_test_build_filename (G_TEST_BUILT, "hosts", NULL);
  g_autofree char *list = g_strdup_printf ("local*4=%s, local*1", program);
  ProcfunRemotePool *hosts = remotes_new (list);

  for (guint i = 0; i < 4; i++)
    calls_assert_result (PROCFUN_EXECUTOR (hosts), length_call ("four"), FALSE, "uint64 4");
  remotes_close (hosts);
}

/* Callers that are gone */

static char *
make_fifo (void)
{
  char *path = make_path ();

  g_assert_no_errno (mkfifo (path, 0600));
  return path;
}

/* The program that is killed: calls, and waits. */
static void
be_caller (const char *path)
{
  ProcfunRemotePool *hosts = make_watched_hosts ("local*1");
  g_autoptr (ProcfunCall) call = hold_call (path);

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  procfun_call_run (call, NULL, NULL);
}

/* Waits until nobody holds the other end any more. */
static void
await_end (int fd)
{
  char byte;
  gssize n;

  do
    n = read (fd, &byte, 1);
  while (n > 0 || (n < 0 && errno == EINTR));
  g_assert_cmpint (n, ==, 0);
}

static void
test_caller_gone (gconstpointer data)
{
  const gint signum = GPOINTER_TO_INT (data);
  g_autofree char *path = make_fifo ();
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) caller
      = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, &error, program, "--caller", path, NULL);
  char byte;
  int fd;

  g_assert_no_error (error);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  g_subprocess_send_signal (caller, signum);
  await_end (fd);
  g_subprocess_force_exit (caller);
  g_subprocess_wait (caller, NULL, NULL);
  close (fd);
  remove_path (path);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--caller"))
    {
      be_caller (argv[2]);
      return 0;
    }
  fixture_init (&argc, &argv);

  fixture_add_data_func ("/remote/lost/killed-host-is-told-and-started-again",
                         GINT_TO_POINTER (SIGKILL), test_lost);
  fixture_add_data_func ("/remote/lost/frozen-host-is-told-and-started-again",
                         GINT_TO_POINTER (SIGSTOP), test_lost);
  fixture_add_func ("/remote/lost/all-slots-may-be-busy", test_lost_with_all_slots_busy);
  fixture_add_func ("/remote/lost/none-is-that-copies-large-arguments",
                    test_silent_with_large_arguments);
  fixture_add_func ("/remote/lost/signals-tell-of-hosts", test_signals);
  fixture_add_func ("/remote/lost/statistics-count-hosts", test_statistics);
  fixture_add_func ("/remote/lost/idempotent-functions-run-again", test_retries);
  fixture_add_func ("/remote/lost/poison-is-not-tried-for-ever", test_poison);
  fixture_add_func ("/remote/lost/terminated-host-ends-what-it-runs", test_drain);
  fixture_add_func ("/remote/none/reason-is-told", test_no_hosts);
  fixture_add_func ("/remote/none/silent-one-is-given-up", test_silent_launcher);
  fixture_add_func ("/remote/none/noisy-shell-is-skipped", test_noisy_shell);
  fixture_add_func ("/remote/contract/other-functions-are-refused", test_other_program);
  fixture_add_func ("/remote/contract/another-host-is-taken", test_another_host_has_it);
  fixture_add_data_func ("/remote/caller/killed-one-leaves-nothing", GINT_TO_POINTER (SIGKILL),
                         test_caller_gone);
  fixture_add_data_func ("/remote/caller/frozen-one-leaves-nothing", GINT_TO_POINTER (SIGSTOP),
                         test_caller_gone);

  return fixture_run ();
}
