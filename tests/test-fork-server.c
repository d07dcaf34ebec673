/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Inheritance of a forked process from its zygote, and the fate of calls, of processes, and of this
 * program when one of the others ends. Promises of every executor are in the tests that run on
 * each. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Much longer than it takes; the watchdog is there for what hangs. */
#define PATIENCE_MS 30000

PROCFUN_DEFINE_STATIC_FUNCTION (count_calls, gint)
{
  static gint n;

  return ++n;
}

PROCFUN_DEFINE_STATIC_FUNCTION (kill_parent, void)
{
  kill (getppid (), SIGKILL);
  for (;;)
    pause ();
}

/* A process of a session of its own holds @fd, and has a child that does. */
static void
leave_family (int fd)
{
  if (fork () != 0)
    return;
  setsid ();
  if (fork () == 0)
    setsid ();
  if (write (fd, "!", 1) == 1)
    for (;;)
      pause ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (leave_family_and_crash, void, (ProcfunFd, fd))
{
  char byte;

  leave_family (fd);
  if (read (STDIN_FILENO, &byte, 0) == 0)
    abort ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (leave_family_and_exit, void, (ProcfunFd, fd))
{
  leave_family (fd);
  _exit (0);
}

PROCFUN_DEFINE_STATIC_FUNCTION (leave_family_and_spin, void, (ProcfunFd, fd))
{
  leave_family (fd);
  for (;;)
    continue;
}

/* Numbers of processes */

static int
call_for_number (ProcfunExecutor *executor, ProcfunCall *call)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, executor);
  result = calls_run (call, FALSE, NULL, &error);
  g_assert_no_error (error);
  return g_variant_get_int32 (result);
}

/* A forked process is no child of this one. */
static int
get_zygote (ProcfunExecutor *executor)
{
  int pid = call_for_number (executor, get_parent_id_call ());

  g_assert_cmpint (pid, !=, getpid ());
  return pid;
}

static void
assert_works (ProcfunExecutor *executor)
{
  calls_assert_result (executor, add_call (1, 2), FALSE, "3");
}

static int
open_process (int pid)
{
  return (int)syscall (SYS_pidfd_open, pid, 0);
}

static gboolean
skip_without_pidfds (void)
{
  int fd = open_process (getpid ());

  if (fd < 0)
    {
      g_test_skip ("there are no pidfds here");
      return TRUE;
    }
  close (fd);
  return FALSE;
}

static void
wait_for_event (int fd)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
  int n;

  do
    n = poll (&poll_fd, 1, PATIENCE_MS);
  while (n < 0 && errno == EINTR);
  g_assert_cmpint (n, ==, 1);
}

/* Properties */

static void
count (guint *n)
{
  ++*n;
}

static void
test_properties (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  ProcfunForkServer *server = PROCFUN_FORK_SERVER (executor);
  guint n_notified = 0, spares;
  gint64 idle;

  g_signal_connect_swapped (executor, "notify", G_CALLBACK (count), &n_notified);
  g_object_get (executor, "spares", &spares, "idle-timeout", &idle, NULL);
  g_assert_cmpuint (spares, ==, 4);
  g_assert_cmpint (idle, ==, 10 * G_TIME_SPAN_SECOND);
  g_object_set (executor, "spares", 4, "idle-timeout", idle, NULL);
  g_assert_cmpuint (n_notified, ==, 0);
  g_object_set (executor, "spares", 3, "idle-timeout", (gint64)0, NULL);
  g_assert_cmpuint (n_notified, ==, 2);
  g_assert_cmpuint (procfun_fork_server_get_spares (server), ==, 3);
  g_assert_cmpint (procfun_fork_server_get_idle_timeout (server), ==, 0);
  procfun_fork_server_set_idle_timeout (server, 1);
  g_assert_cmpint (procfun_fork_server_get_idle_timeout (server), ==, 1000);
  procfun_fork_server_set_idle_timeout (server, G_MAXINT64);
  g_assert_cmpint (procfun_fork_server_get_idle_timeout (server), ==, G_MAXINT * (gint64)1000);
}

/* However many are forked ahead. */
static void
test_fresh (void)
{
  for (guint spares = 0; spares < 4; spares++)
    {
      g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
      g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

      procfun_fork_server_set_spares (PROCFUN_FORK_SERVER (executor), spares);
      for (guint i = 0; i < 10; i++)
        {
          int pid = call_for_number (executor, get_process_id_call ());

          g_assert_cmpint (call_for_number (executor, count_calls_call ()), ==, 1);
          g_assert_true (g_hash_table_add (seen, GINT_TO_POINTER (pid)));
        }
    }
}

static void
test_one_zygote (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  int zygote = get_zygote (executor);

  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (get_zygote (executor), ==, zygote);
}

/* A process is forked for every call, with any setting. */
static void
test_all_are_forked (void)
{
  static const char *const limits[]
      = { "memory=500M", "cpu=100s", "files=100", "file-size=1M", "result=1M", "output=1M" };
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();
  int zygote = get_zygote (executor);

  procfun_launch_context_set_working_directory (context, "/");
  for (gsize i = 0; i <= G_N_ELEMENTS (limits); i++)
    {
      ProcfunCall *call = get_parent_id_call ();
      g_autoptr (ProcfunLimits) some = NULL;

      if (i < G_N_ELEMENTS (limits))
        some = procfun_limits_new_from_string (limits[i], NULL);
      else
        procfun_call_set_launch_context (call, context);
      procfun_call_set_limits (call, some);
      g_assert_cmpint (call_for_number (executor, call), ==, zygote);
    }
}

/* Changes for one call do not reach the next. */
static void
test_nothing_stays (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();

  procfun_launch_context_set_variable (context, "TEST_FORK_SERVER", "set");
  for (guint i = 0; i < 6; i++)
    {
      ProcfunCall *call = get_variable_call ("TEST_FORK_SERVER");

      if (i % 2 == 0)
        procfun_call_set_launch_context (call, context);
      calls_assert_result (executor, call, FALSE, i % 2 == 0 ? "@ms 'set'" : "@ms nothing");
    }
}

static void
test_descriptors (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());

  for (guint i = 0; i < 5; i++)
    calls_assert_result (executor, get_descriptors_call (), FALSE,
                         "['0', '1', '2', '3', '4', '5']");
}

/* The program's folder at the time of the call. */
static void
test_folder (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  g_autofree char *before = g_get_current_dir ();
  g_autofree char *folder = g_dir_make_tmp ("fork-XXXXXX", NULL);
  g_autofree char *expected = g_strdup_printf ("'%s'", folder);

  assert_works (executor);
  g_assert_no_errno (chdir (folder));
  calls_assert_result (executor, get_folder_call (), FALSE, expected);
  g_assert_no_errno (chdir ("/"));
  calls_assert_result (executor, get_folder_call (), FALSE, "'/'");
  g_assert_no_errno (chdir (before));
  g_assert_no_errno (rmdir (folder));
}

static void
test_stacks (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  g_autoptr (ProcfunCall) call = NULL;
  g_autoptr (GError) error = NULL;
  Signal signal;

  if (fixture_has_thread_sanitizer ())
    {
      g_test_skip ("the thread sanitizer keeps signals from a function that spins");
      return;
    }
  signal_open (&signal);
  call = do_spin_call (signal.ends[1]);
  procfun_call_set_executor (call, executor);
  procfun_call_set_timeout (call, 50000);
  g_assert_null (procfun_call_run (call, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  g_assert_nonnull (procfun_failure_get_backtrace (procfun_call_get_failure (call)));
  signal_close (&signal);
}

static gpointer
call_often (gpointer executor)
{
  const int zygote = get_zygote (executor);

  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (get_zygote (executor), ==, zygote);
  return NULL;
}

/* One may take the process that another has asked for, and still nobody gives up the zygote. */
static void
test_threads (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  GThread *threads[4];

  procfun_fork_server_set_spares (PROCFUN_FORK_SERVER (executor), 0);
  get_zygote (executor);
  for (guint n = 0; n < 25; n++)
    {
      for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new ("caller", call_often, executor);
      for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);
    }
}

/* Ends */

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static void
assert_lost (ProcfunCall *call, const GError *error)
{
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, "*()*lost*");
  g_assert_cmpint (procfun_failure_get_cause (procfun_call_get_failure (call)), ==,
                   PROCFUN_CAUSE_WORKER_LOST);
}

/* Each open call ends, and the next one has another zygote. */
static void
test_killed_zygote (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  int zygote = get_zygote (executor);
  ProcfunCall *calls[4];
  GAsyncResult *results[G_N_ELEMENTS (calls)] = { NULL };
  Signal signal;

  signal_open (&signal);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      calls[i] = i % 2 == 0 ? do_stay_call (signal.ends[1]) : do_spin_call (signal.ends[1]);
      procfun_call_set_executor (calls[i], executor);
      procfun_call_run_async (calls[i], NULL, keep_result, &results[i]);
      signal_await (&signal);
    }
  g_assert_no_errno (kill (zygote, SIGKILL));
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autoptr (GError) error = NULL;

      while (results[i] == NULL)
        g_main_context_iteration (NULL, TRUE);
      g_assert_null (procfun_call_run_finish (calls[i], results[i], &error));
      assert_lost (calls[i], error);
      g_object_unref (results[i]);
      g_object_unref (calls[i]);
    }
  g_assert_cmpint (get_zygote (executor), !=, zygote);
  signal_close (&signal);
}

static void
test_killed_between_calls (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());

  if (skip_without_pidfds ())
    return;
  for (guint i = 0; i < 5; i++)
    {
      int zygote = get_zygote (executor);
      int fd = open_process (zygote);

      g_assert_no_errno (kill (zygote, SIGKILL));
      wait_for_event (fd);
      close (fd);
      assert_works (executor);
    }
}

static void
test_killed_by_function (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunCall) call = kill_parent_call ();
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, executor);
      g_assert_null (calls_run (g_object_ref (call), async, NULL, &error));
      assert_lost (call, error);
      assert_works (executor);
    }
}

/* A function may have stopped it. */
static void
test_stopped_zygote (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  int zygote;

  procfun_fork_server_set_spares (PROCFUN_FORK_SERVER (executor), 0);
  zygote = get_zygote (executor);
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_assert_no_errno (kill (zygote, SIGSTOP));
      calls_assert_result (executor, add_call (2, 3), async, "5");
      g_assert_cmpint (get_zygote (executor), ==, zygote);
    }
}

/* Stops it so that no signal lets it go on. FALSE: the test is skipped. */
static gboolean
hold (int pid)
{
  if (ptrace (PTRACE_SEIZE, pid, NULL, NULL) == 0)
    {
      g_assert_no_errno (ptrace (PTRACE_INTERRUPT, pid, NULL, NULL));
      return TRUE;
    }
  g_test_skip ("no process can be traced here");
  return FALSE;
}

/* It answers no more, and is not waited for more than once. */
static void
test_held_zygote (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  int zygote;

  procfun_fork_server_set_spares (PROCFUN_FORK_SERVER (executor), 0);
  zygote = get_zygote (executor);
  if (!hold (zygote))
    return;
  assert_works (executor);
  g_assert_cmpint (get_zygote (executor), !=, zygote);
}

/* proc(5), /proc/pid/task/tid/children */
static char **
list_children (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/children", pid, pid);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return g_strsplit (g_strchomp (text), " ", -1);
}

static guint
count_children (int pid)
{
  g_auto (GStrv) children = list_children (pid);

  return g_strv_length (children);
}

static void
kill_children (int pid)
{
  g_auto (GStrv) children = list_children (pid);

  for (gsize i = 0; children[i] != NULL; i++)
    {
      int fd = open_process (atoi (children[i]));

      g_assert_no_errno (kill (atoi (children[i]), SIGKILL));
      wait_for_event (fd);
      close (fd);
    }
}

/* Those ahead are dead, and nobody says so: the process that is executed instead is a new one. */
static void
test_stopped_without_spares (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  int zygote;

  if (skip_without_pidfds ())
    return;
  zygote = get_zygote (executor);
  while (count_children (zygote) < procfun_fork_server_get_spares (PROCFUN_FORK_SERVER (executor)))
    g_thread_yield ();
  if (!hold (zygote))
    return;
  kill_children (zygote);
  assert_works (executor);
  g_assert_cmpint (get_zygote (executor), !=, zygote);
}

/* Those that wait in vain. */
static void
test_spares_end (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  int zygote, fd;

  if (skip_without_pidfds ())
    return;
  zygote = get_zygote (executor);
  fd = open_process (zygote);
  procfun_fork_server_set_spares (PROCFUN_FORK_SERVER (executor), 3);
  procfun_fork_server_set_idle_timeout (PROCFUN_FORK_SERVER (executor), 1);
  assert_works (executor);
  procfun_fork_server_set_spares (PROCFUN_FORK_SERVER (executor), 0);
  assert_works (executor); /* uses up the one of before, which waits longer */
  wait_for_event (fd);     /* and last it ends itself */
  close (fd);
  assert_works (executor);
}

/* A spare may end in the moment in which it is taken. */
static void
test_spares_that_end_at_once (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());

  procfun_fork_server_set_spares (PROCFUN_FORK_SERVER (executor), 2);
  procfun_fork_server_set_idle_timeout (PROCFUN_FORK_SERVER (executor), 1);
  for (guint i = 0; i < 200; i++)
    {
      poll (NULL, 0, (int)(i % 3));
      assert_works (executor);
    }
}

static void
test_close (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  guint n_processes = fixture_count_processes ();
  guint n_descriptors;
  g_autoptr (GError) error = NULL;
  int zygote;

  n_descriptors = fixture_count_descriptors ();
  procfun_fork_server_set_spares (PROCFUN_FORK_SERVER (executor), 3);
  zygote = get_zygote (executor);
  g_assert_cmpuint (fixture_count_processes (), >, n_processes);
  g_assert_true (procfun_executor_close (executor, NULL, &error));
  g_assert_no_error (error);
  while (kill (zygote, 0) == 0) /* GLib's thread reaps it */
    g_thread_yield ();
  while (fixture_count_processes () > n_processes || fixture_count_descriptors () > n_descriptors)
    g_thread_yield ();
  calls_assert_error (executor, add_call (1, 2), FALSE, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED, "*");
}

/* The sessions that they made do not hide them: the zygote adopts them. */
static void
assert_family_ends (ProcfunCall *(*make) (ProcfunFd fd), int code)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  int zygote = get_zygote (executor);
  char byte;
  Signal signal;

  signal_open (&signal);
  calls_assert_error (executor, make (signal.ends[1]), FALSE, PROCFUN_ERROR, code, "*");
  close (signal.ends[1]);
  while (read (signal.ends[0], &byte, 1) == 1) /* until nobody has it */
    ;
  close (signal.ends[0]);
  g_assert_cmpint (get_zygote (executor), ==, zygote);
}

static void
test_family_of_crash (void)
{
  assert_family_ends (leave_family_and_crash_call, PROCFUN_ERROR_CRASHED);
}

static void
test_family_of_exit (void)
{
  assert_family_ends (leave_family_and_exit_call, PROCFUN_ERROR_EXITED);
}

/* The program that calls is killed: nothing of it stays, though nobody is there who could see to
 * that. */
static void
test_killed_program (void)
{
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  g_autoptr (GSubprocess) program = NULL;
  g_autofree char *path = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GError) error = NULL;
  char byte;
  Signal signal;

  if (g_test_subprocess ())
    {
      g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());

      calls_assert_error (executor, leave_family_and_spin_call (50), FALSE, 0, 0, "");
      return;
    }
  signal_open (&signal);
  launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_subprocess_launcher_take_fd (launcher, signal.ends[1], 50);
  program = g_subprocess_launcher_spawn (launcher, &error, path, "--GTestSubprocess", "-p",
                                         g_test_get_path (), NULL);
  g_assert_no_error (error);
  g_subprocess_launcher_close (launcher);
  signal_wait (&signal);
  g_subprocess_force_exit (program);
  g_subprocess_wait (program, NULL, NULL);
  while (read (signal.ends[0], &byte, 1) == 1)
    ;
  close (signal.ends[0]);
}

/* A program that forks itself: both go on, and neither uses what the other has. */
static void
test_forked_program (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  int zygote = get_zygote (executor);
  pid_t pid = fixture_fork ();

  if (pid == 0)
    {
      gboolean differs = get_zygote (executor) != zygote;

      g_object_unref (executor);
      fixture_exit_fork (differs);
    }
  fixture_wait_for_fork (pid);
  g_assert_cmpint (get_zygote (executor), ==, zygote);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/fork-server/properties-are-read-and-written", test_properties);
  fixture_add_func ("/fork-server/each-call-has-a-fresh-process", test_fresh);
  fixture_add_func ("/fork-server/a-module-has-one-zygote", test_one_zygote);
  fixture_add_func ("/fork-server/every-kind-of-call-is-forked", test_all_are_forked);
  fixture_add_func ("/fork-server/changes-do-not-reach-the-next-call", test_nothing_stays);
  fixture_add_func ("/fork-server/descriptors-are-passed", test_descriptors);
  fixture_add_func ("/fork-server/calls-run-in-the-folder-of-the-program", test_folder);
  fixture_add_func ("/fork-server/a-crash-has-its-stacks", test_stacks);
  fixture_add_func ("/fork-server/threads-call-at-once", test_threads);
  fixture_add_func ("/fork-server/a-killed-zygote-ends-open-calls", test_killed_zygote);
  fixture_add_func ("/fork-server/killed/a-zygote-killed-between-calls-is-replaced",
                    test_killed_between_calls);
  fixture_add_func ("/fork-server/killed/a-function-that-kills-the-zygote-gets-another",
                    test_killed_by_function);
  fixture_add_func ("/fork-server/a-stopped-zygote-goes-on", test_stopped_zygote);
  fixture_add_func ("/fork-server/a-zygote-that-a-debugger-holds-is-waited-for-once",
                    test_held_zygote);
  fixture_add_func ("/fork-server/stopped/dead-spares-of-a-stopped-zygote-are-replaced",
                    test_stopped_without_spares);
  fixture_add_func ("/fork-server/spares/spares-end-when-idle", test_spares_end);
  fixture_add_func ("/fork-server/spares/a-spare-that-ends-while-taken-loses-no-call",
                    test_spares_that_end_at_once);
  fixture_add_func ("/fork-server/closing-ends-all-processes", test_close);
  fixture_add_func ("/fork-server/family/a-crash-leaves-no-descendants", test_family_of_crash);
  fixture_add_func ("/fork-server/family/an-exit-leaves-no-descendants", test_family_of_exit);
  fixture_add_func ("/fork-server/a-killed-program-leaves-nothing", test_killed_program);
  fixture_add_func ("/fork-server/a-forked-program-starts-anew", test_forked_program);
  return fixture_run ();
}
