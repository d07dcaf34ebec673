/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls on a host behind a NATS server, as ratios to what JetStream takes alone for the same
 * messages, and to that and a call of a pool. The server is one of this program's, on the loopback;
 * the host is this program. bench-nats [ROUNDS] */

#include "bench/check.h"
#include "bench/jetstream.h"

#include <procfun.h>

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define CALLS_PER_ROUND 50

/* In µs: a host waits about so long for its next call, and finds less in the caches than one that
 * has call upon call. */
#define PAUSE 300
/* In µs: so long a new host asks before it begins a call. */
#define SETTLED (3 * G_USEC_PER_SEC)

#define BARE_HOST "--bare-host"

PROCFUN_DEFINE_FUNCTION (add, gint32, (gint32, a), (gint32, b)) { return a + b; }

static guint n_rounds = 40;
static ProcfunExecutor *hosts;
static ProcfunExecutor *pool;
static JetStream *bare;

static void
die_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

static GPid
start (const char *const *argv, GStrv env)
{
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async (NULL, (char **)argv, env, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH,
                 die_with_parent, NULL, &pid, &error);
  check (error);
  return pid;
}

static void
end (GPid pid)
{
  kill (pid, SIGKILL);
  waitpid (pid, NULL, 0);
}

/* The server, which writes where it listens into a file of its folder. */

static GPid
start_server (const char *folder)
{
  g_autofree char *in_path = g_find_program_in_path ("nats-server");
  const char *const argv[] = {
    in_path != NULL ? in_path : "/usr/sbin/nats-server",
    "-a",
    "127.0.0.1",
    "-p",
    "-1",
    "-js",
    "-sd",
    folder,
    "--ports_file_dir",
    folder,
    "-l",
    "/dev/null",
    NULL,
  };

  return start (argv, NULL);
}

static char *
wait_for_url (const char *folder, GPid server)
{
  g_autofree char *path = g_strdup_printf ("%s/nats-server_%d.ports", folder, server);
  g_autofree char *text = NULL;

  while (!g_file_get_contents (path, &text, NULL, NULL) || strchr (text, ']') == NULL)
    {
      g_clear_pointer (&text, g_free);
      if (waitpid (server, NULL, WNOHANG) != 0)
        exit (1);
      g_usleep (1000);
    }
  return g_strdup_printf ("nats://127.0.0.1:%d", atoi (strrchr (text, ':') + 1));
}

static void
remove_all (const char *path)
{
  const char *const argv[] = { "rm", "-rf", path, NULL };

  waitpid (start (argv, NULL), NULL, 0);
}

/* Ours */

/* The module of this build, unless another one is named. */
static void
find_module (void)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = g_path_get_dirname (program);
  g_autofree char *modules = g_build_filename (folder, "..", "engines", "nats", ".libs", NULL);

  if (g_file_test (modules, G_FILE_TEST_IS_DIR))
    g_setenv ("PROCFUN_ENGINES", modules, FALSE);
}

static void
set_up (const char *url)
{
  GIOExtensionPoint *point = g_io_extension_point_register (PROCFUN_ENGINE_EXTENSION_POINT_NAME);
  g_autoptr (ProcfunEngine) engine = NULL;
  g_autoptr (GError) error = NULL;

  g_io_modules_scan_all_in_directory (g_getenv ("PROCFUN_ENGINES"));
  engine = g_object_new (
      g_io_extension_get_type (g_io_extension_point_get_extension_by_name (point, "nats")), "url",
      url, NULL);
  PROCFUN_ENGINE_GET_CLASS (engine)->setup (engine, &error);
  check (error);
}

static GPid
start_host (const char *url)
{
  static const char *const argv[] = { "/proc/self/exe", "--procfun-host", "--slots=1", NULL };
  g_auto (GStrv) env = g_get_environ ();

  env = g_environ_setenv (env, "PROCFUN_COMMAND_LINE", "1", TRUE);
  env = g_environ_setenv (env, "PROCFUN_HOST_ENGINE", url, TRUE);
  return start (argv, env);
}

static void
call (void)
{
  g_autoptr (GError) error = NULL;

  add_process_with (1, 2, hosts, NULL, &error);
  check (error);
}

/* JetStream alone */

static GPid
start_bare_host (const char *url, const JetStreamSizes *sizes)
{
  g_autofree char *text = g_base64_encode ((const guchar *)sizes, sizeof *sizes);
  const char *const argv[] = { "/proc/self/exe", BARE_HOST, url, text, NULL };

  return start (argv, NULL);
}

static int
be_bare_host (char **arguments)
{
  gsize size;
  g_autofree JetStreamSizes *sizes = (JetStreamSizes *)g_base64_decode (arguments[1], &size);

  jetstream_be_host (arguments[0], sizes);
  return 0;
}

/* A call of a pool, in a main loop as that of a host is. */
static void
call_on_pool (void)
{
  g_autoptr (ProcfunCall) one = add_call (1, 2);

  procfun_call_set_executor (one, pool);
  procfun_call_run_async (one, NULL, NULL, NULL);
  while (procfun_call_get_state (one) < PROCFUN_CALL_SUCCEEDED)
    g_main_context_iteration (NULL, TRUE);
}

/* All in turns, and each in blocks, so that it pays for what is left to do behind its own last
 * answer. @pause: before each, in µs. */

static void
call_bare (void)
{
  jetstream_call (bare);
}

static void
time_block (void (*func) (void), gulong pause, double *times)
{
  for (guint i = 0; i < CALLS_PER_ROUND; i++)
    {
      gint64 began_at;

      g_usleep (pause);
      began_at = g_get_monotonic_time ();
      func ();
      times[i] = (double)(g_get_monotonic_time () - began_at);
    }
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return *(const double *)a < *(const double *)b ? -1 : 1;
}

static void
show (const char *what, const double *ours, const double *other, guint n)
{
  printf ("%-44s %10.1f %10.1f us, beside %10.1f %10.1f: %5.2f %5.2f\n", what, ours[0], ours[n / 2],
          other[0], other[n / 2], ours[0] / other[0], ours[n / 2] / other[n / 2]);
}

static void
measure (void)
{
  const guint n = n_rounds * CALLS_PER_ROUND;
  g_autofree double *ours = g_new (double, n);
  g_autofree double *alone = g_new (double, n);
  g_autofree double *both = g_new (double, n);

  call_on_pool ();
  g_usleep (SETTLED);
  for (guint i = 0; i < n; i += CALLS_PER_ROUND)
    {
      time_block (call, 0, ours + i);
      time_block (call_bare, 0, alone + i);
      time_block (call_on_pool, PAUSE, both + i);
      for (guint k = 0; k < CALLS_PER_ROUND; k++)
        both[i + k] += alone[i + k];
    }
  qsort (ours, n, sizeof *ours, compare);
  qsort (alone, n, sizeof *alone, compare);
  qsort (both, n, sizeof *both, compare);
  show ("call over NATS, / JetStream alone", ours, alone, n);
  show ("the same, / that + call on a pool", ours, both, n);
}

static void
run (const char *url)
{
  g_autofree char *address = g_strconcat (url, "/bench", NULL);
  g_autoptr (GError) error = NULL;
  JetStreamSizes sizes;
  GPid host, bare_host;

  set_up (address);
  jetstream_set_up (url);
  host = start_host (address);
  hosts = PROCFUN_EXECUTOR (procfun_remote_pool_new (address, &error));
  check (error);
  call ();
  sizes = jetstream_learn (url, "bench", call);
  bare_host = start_bare_host (url, &sizes);
  bare = jetstream_new (url, &sizes);
  jetstream_call (bare);
  printf ("call of %zu bytes, answer of %zu; least and median; ratios\n", sizes.call,
          sizes.answers[sizes.n_answers - 1]);
  pool = PROCFUN_EXECUTOR (procfun_pool_new (1));
  measure ();
  jetstream_free (bare);
  procfun_executor_close (hosts, NULL, NULL);
  procfun_executor_close (pool, NULL, NULL);
  g_object_unref (hosts);
  g_object_unref (pool);
  end (host);
  end (bare_host);
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = NULL;
  g_autofree char *url = NULL;
  GPid server;

  if (argc == 4 && strcmp (argv[1], BARE_HOST) == 0)
    return be_bare_host (argv + 2);
  if (argc > 1)
    n_rounds = (guint)MAX (atoi (argv[1]), 1);
  find_module ();
  folder = g_dir_make_tmp ("procfun-bench-XXXXXX", NULL);
  server = start_server (folder);
  url = wait_for_url (folder, server);
  run (url);
  end (server);
  remove_all (folder);
  return 0;
}
