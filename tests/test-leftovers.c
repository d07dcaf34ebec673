/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Leftovers of a call in a worker of a pool: either the next call finds them restored, or it runs
 * in another worker. */

#include "tests/fixture.h"
#include "tests/hostile-children.h"
#include "tests/left-settings.h"
#include "tests/pools.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static void
test_restored (gconstpointer data)
{
  const int i = GPOINTER_TO_INT (data);
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  gint pid = pools_get_number (pool, change_restored_call (i));

  g_assert_cmpint (pid, >, 0);
  g_assert_cmpint (pools_get_number (pool, find_restored_call (i)), ==, pid);
}

/* Everything else has the worker replaced, and the signal says why. */

static void
test_found (gconstpointer data)
{
  const int i = GPOINTER_TO_INT (data);
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autofree char *event = g_strconcat ("recycled: leftovers: ", found_settings[i].event, NULL);
  Events events;
  gint pid;

  if (found_settings[i].needs_root && getuid () != 0)
    {
      g_test_skip ("only root can do this");
      return;
    }
  events_init (&events, pool);
  pid = pools_get_number (pool, change_found_call (i));
  g_assert_cmpint (pools_get_pid (pool), !=, pid);
  g_assert_cmpuint (events_count (&events, event), ==, 1);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
}

/* The answer may still come, through shared memory. */
static void
test_channel (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = do_shut_channel_down_call ();
  g_autoptr (GVariant) result = NULL;
  gint pid = pools_get_pid (pool);

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  result = procfun_call_run (call, NULL, NULL);
  g_assert_cmpint (pools_get_pid (pool), !=, pid);
}

PROCFUN_DEFINE_STATIC_FUNCTION (set_variable_again, int)
{
  g_setenv ("PATH", g_getenv ("PATH"), TRUE);
  return getpid ();
}

static void
test_same_value (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  gint pid = pools_get_number (pool, set_variable_again_call ());

  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (pools_get_number (pool, set_variable_again_call ()), ==, pid);
}

/* A worker that has run many calls looks less often, but also after each call that takes long. */
PROCFUN_DEFINE_STATIC_FUNCTION (ignore_late, int, (int, usec))
{
  if (usec > 0)
    signal (SIGTERM, SIG_IGN);
  g_usleep ((gulong)usec);
  return getpid ();
}

static void
test_long_call (void)
{
  const int i = 0; /* an ignored signal */
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  gint pid = pools_get_number (pool, find_restored_call (i));

  for (guint n = 0; n < 100; n++)
    pools_get_number (pool, ignore_late_call (0));
  g_assert_cmpint (pools_get_number (pool, ignore_late_call (20000)), ==, pid);
  g_assert_cmpint (pools_get_number (pool, find_restored_call (i)), ==, pid);
}

PROCFUN_DEFINE_STATIC_FUNCTION (lower_hard_limit, int)
{
  const struct rlimit limit = { 9, 9 };

  return setrlimit (RLIMIT_NOFILE, &limit) == 0 ? getpid () : -1;
}

PROCFUN_DEFINE_STATIC_FUNCTION (find_hard_limit, int)
{
  struct rlimit limit;

  return getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max > 9 ? getpid () : -1;
}

/* It can be raised again by those alone who have CAP_SYS_RESOURCE. */
static void
test_hard_limit (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  Events events;
  gint pid, next;

  events_init (&events, pool);
  pid = pools_get_number (pool, lower_hard_limit_call ());
  g_assert_cmpint (pid, >, 0);
  next = pools_get_number (pool, find_hard_limit_call ());
  g_assert_cmpint (next, >, 0);
  g_assert_cmpuint (events_count (&events, "recycled: leftovers: limits"), ==, next != pid ? 1 : 0);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
}

/* GIO's thread, which waits for events in descriptors of its own. */
PROCFUN_DEFINE_STATIC_FUNCTION (watch_file, int)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/");
  G_GNUC_UNUSED g_autoptr (GFileMonitor) monitor
      = g_file_monitor (file, G_FILE_MONITOR_NONE, NULL, NULL);

  return getpid ();
}

static void
test_gio (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  gint pid = pools_get_number (pool, watch_file_call ());

  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (pools_get_number (pool, watch_file_call ()), ==, pid);
}

#define END_AFTER_US (5 * G_TIME_SPAN_MILLISECOND)

static gpointer
close_and_end (gpointer fd)
{
  const gint64 until = g_get_monotonic_time () + END_AFTER_US;

  while (g_get_monotonic_time () < until)
    ;
  close (GPOINTER_TO_INT (fd));
  return NULL;
}

/* As GLib's own thread does for a GSubprocess. */
PROCFUN_DEFINE_STATIC_FUNCTION (leave_ending_thread, int)
{
  const int fd = open ("/dev/null", O_RDONLY);

  g_thread_unref (g_thread_new ("ends", close_and_end, GINT_TO_POINTER (fd)));
  return getpid ();
}

static void
test_ending_thread (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  gint pid = pools_get_number (pool, leave_ending_thread_call ());

  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (pools_get_number (pool, leave_ending_thread_call ()), ==, pid);
}

static const struct
{
  const char *path;
  ProcfunKeptThreads threads;
  guint n_recycled; /* of two calls that leave a thread each */
} kept[] = { { "none-is-kept", PROCFUN_KEPT_THREADS_NONE, 2 },
             { "that-of-the-first-call-is-kept", PROCFUN_KEPT_THREADS_FIRST_CALL, 1 },
             { "any-is-kept", PROCFUN_KEPT_THREADS_ANY, 0 } };

static void
test_kept_threads (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  ProcfunKeptThreads threads;
  Events events;

  events_init (&events, pool);
  g_assert_cmpint (procfun_pool_get_kept_threads (pool), ==, PROCFUN_KEPT_THREADS_FIRST_CALL);
  g_object_set (pool, "kept-threads", kept[i].threads, NULL);
  g_object_get (pool, "kept-threads", &threads, NULL);
  g_assert_cmpint (threads, ==, kept[i].threads);
  for (guint n = 0; n < 2; n++)
    pools_get_number (pool, leave_thread_call ());
  g_assert_cmpuint (events_count (&events, "recycled: leftovers: threads"), ==, kept[i].n_recycled);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (gsize i = 0; i < n_restored_settings; i++)
    {
      g_autofree char *path = g_strdup_printf ("/leftovers/%s/is-restored-for-the-next-call",
                                               restored_settings[i].path);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_restored);
    }
  for (gsize i = 0; i < n_found_settings; i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/leftovers/%s/has-the-worker-replaced", found_settings[i].path);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_found);
    }
  fixture_add_func ("/leftovers/a-lowered-hard-limit/is-not-met-by-the-next-call", test_hard_limit);
  fixture_add_func ("/leftovers/a-channel-that-was-shut-down/is-not-met-by-the-next-call",
                    test_channel);
  fixture_add_func ("/leftovers/a-variable-set-to-its-value/changes-nothing", test_same_value);
  fixture_add_func ("/leftovers/a-long-call-of-an-old-worker/is-looked-at", test_long_call);
  fixture_add_func ("/leftovers/a-thread-of-gio/stays-with-its-descriptors", test_gio);
  fixture_add_func ("/leftovers/threads/one-that-ends-a-moment-later-is-not-left-behind",
                    test_ending_thread);
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      g_autofree char *path = g_strdup_printf ("/leftovers/threads/%s", kept[i].path);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_kept_threads);
    }
  return fixture_run ();
}
