/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Processes end with the program that calls, also where another process holds copies of all its
 * descriptors, and where somebody has stopped the zygote. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the program: a pipe whose other end closes when nothing is left that holds it, and one that a
 * helper waits at. */
#define HELD_FD 50
#define HELPER_FD 51

/* Much longer than it takes. */
#define PATIENCE_MS 30000

PROCFUN_DEFINE_STATIC_FUNCTION (spin, void, (ProcfunFd, ready), (ProcfunFd, held))
{
  if (write (ready, "!", 1) == 1)
    for (;;)
      continue;
}

PROCFUN_DEFINE_STATIC_FUNCTION (stop_parent, void, (ProcfunFd, ready), (ProcfunFd, held))
{
  gint parent = getppid ();

  kill (parent, SIGSTOP);
  if (write (ready, &parent, sizeof parent) == sizeof parent)
    for (;;)
      pause ();
}

/* A process that has all descriptors that this one has, but for those of the held pipe, until the
 * test lets it go. */
static void
fork_helper (void)
{
  struct stat held, other;
  char byte;

  if (fork () != 0)
    return;
  fstat (HELD_FD, &held);
  for (int fd = 0; fd < 256; fd++)
    if (fstat (fd, &other) == 0 && other.st_ino == held.st_ino && other.st_dev == held.st_dev)
      close (fd);
  while (read (HELPER_FD, &byte, 1) > 0)
    ;
  _exit (0);
}

/* The program that will be killed. Tells what the function has said. */
static void
be_program (ProcfunCall *(*make) (ProcfunFd ready, ProcfunFd held), gboolean has_helper)
{
  g_autoptr (ProcfunCall) call = NULL;
  struct pollfd poll_fd = { .events = POLLIN };
  int ready[2];
  gint word = 0;

  g_assert_no_errno (pipe2 (ready, O_CLOEXEC));
  poll_fd.fd = ready[0];
  call = make (ready[1], HELD_FD);
  procfun_call_run_async (call, NULL, NULL, NULL);
  while (poll (&poll_fd, 1, 1) == 0)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpint (read (ready[0], &word, sizeof word), >, 0);
  if (has_helper)
    fork_helper ();
  g_assert_cmpint (write (HELD_FD, &word, sizeof word), ==, sizeof word);
  for (;;)
    pause ();
}

static gint
read_word (int fd)
{
  gint word = 0;

  g_assert_cmpint (read (fd, &word, sizeof word), ==, sizeof word);
  return word;
}

typedef struct
{
  GSubprocess *program;
  int held;   /* ends when nothing has it any more */
  int helper; /* keeps it */
} Program;

static void
start_program (Program *self)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_autofree char *path = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GError) error = NULL;
  int held[2], helper[2];

  g_assert_no_errno (pipe2 (held, O_CLOEXEC));
  g_assert_no_errno (pipe2 (helper, O_CLOEXEC));
  g_subprocess_launcher_take_fd (launcher, held[1], HELD_FD);
  g_subprocess_launcher_take_fd (launcher, helper[0], HELPER_FD);
  self->program = g_subprocess_launcher_spawn (launcher, &error, path, "--GTestSubprocess", "-p",
                                               g_test_get_path (), NULL);
  g_assert_no_error (error);
  g_subprocess_launcher_close (launcher);
  self->held = held[0];
  self->helper = helper[1];
}

/* Kills it: the processes that it had started must end. */
static void
end_program (Program *self)
{
  struct pollfd poll_fd = { .fd = self->held, .events = POLLIN };

  g_subprocess_force_exit (self->program);
  g_subprocess_wait (self->program, NULL, NULL);
  g_assert_cmpint (poll (&poll_fd, 1, PATIENCE_MS), ==, 1);
  g_assert_cmpint (poll_fd.revents & POLLIN, ==, 0);
  close (self->held);
  close (self->helper);
  g_object_unref (self->program);
}

static void
test_killed_with_helper (void)
{
  Program program;

  if (fixture_has_thread_sanitizer ())
    {
      g_test_skip ("the thread sanitizer keeps signals from a function that only spins");
      return;
    }
  if (g_test_subprocess ())
    be_program (spin_call, TRUE);
  start_program (&program);
  read_word (program.held);
  end_program (&program);
}

static void
test_killed_with_stopped_zygote (void)
{
  struct pollfd zygote = { .events = POLLIN };
  g_autoptr (ProcfunExecutor) executor = NULL;
  Program program;

  if (g_test_subprocess ())
    {
      executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
      procfun_executor_set_default (executor);
      be_program (stop_parent_call, FALSE);
    }
  start_program (&program);
  zygote.fd = (int)syscall (SYS_pidfd_open, read_word (program.held), 0);
  end_program (&program);
  if (zygote.fd >= 0)
    {
      g_assert_cmpint (poll (&zygote, 1, PATIENCE_MS), ==, 1);
      close (zygote.fd);
    }
}

/* Processes that the executor keeps are told to end. */
static void
test_dropped_with_helper (gconstpointer make)
{
  ProcfunExecutor *executor = ((ProcfunExecutor * (*)(void)) make) ();
  int fds[2];
  gint64 begin;
  pid_t helper;

  calls_assert_result (executor, add_call (1, 2), FALSE, "3");
  calls_assert_result (executor, add_call (1, 2), FALSE, "3");
  g_assert_no_errno (pipe2 (fds, O_CLOEXEC));
  helper = fork ();
  if (helper == 0)
    {
      char byte;

      close (fds[1]);
      while (read (fds[0], &byte, 1) > 0)
        ;
      _exit (0);
    }
  begin = g_get_monotonic_time ();
  g_object_unref (executor);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 3 * G_USEC_PER_SEC);
  close (fds[0]);
  close (fds[1]);
  g_assert_cmpint (waitpid (helper, NULL, 0), ==, helper);
}

/* The first argument of a process that nobody but root may end. */
#define PRIVILEGED "--privileged"

static int
be_privileged (void)
{
  if (setuid (0) != 0)
    return 1;
  close_range (STDERR_FILENO + 1, ~0U, 0);
  return (int)sleep (60);
}

/* A file that runs as root for any user. Returns the number of its process. */
PROCFUN_DEFINE_STATIC_FUNCTION (leave_privileged, gint, (const char *, path))
{
  int ends[2];
  char byte;
  pid_t pid;

  if (pipe (ends) != 0)
    return -1;
  pid = fork ();
  if (pid == 0)
    {
      execl (path, path, PRIVILEGED, NULL);
      _exit (1);
    }
  close (ends[1]);
  while (read (ends[0], &byte, 1) > 0) /* until it has its rights */
    ;
  close (ends[0]);
  return (gint)pid;
}

static gint
leave_as_nobody (ProcfunExecutor *executor, const char *path)
{
  g_autoptr (ProcfunCall) call = leave_privileged_call (path);
  g_autoptr (GVariant) left = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (setgid (65534));
  g_assert_no_errno (setuid (65534));
  alarm (20);
  procfun_call_set_executor (call, executor);
  left = procfun_call_run (call, NULL, &error);
  g_assert_no_error (error);
  calls_assert_result (executor, add_call (1, 2), FALSE, "3");
  g_assert_true (procfun_executor_close (executor, NULL, NULL));
  return g_variant_get_int32 (left);
}

static void
test_privileged_is_left (gconstpointer make)
{
  g_autofree char *folder = g_dir_make_tmp ("lifeline-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "privileged", NULL);
  g_autofree char *own_path = g_file_read_link ("/proc/self/exe", NULL);
  const char *const install[] = { "install", "-m", "4755", own_path, path, NULL };
  int ends[2], status;
  gint left;
  pid_t pid;

  g_assert_no_errno (chmod (folder, 0755));
  if (geteuid () != 0
      || !g_spawn_sync (NULL, (char **)install, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                        &status, NULL)
      || status != 0)
    {
      rmdir (folder);
      g_test_skip ("only root can make such a file");
      return;
    }
  g_assert_no_errno (pipe2 (ends, O_CLOEXEC));
  pid = fork ();
  if (pid == 0)
    {
      left = leave_as_nobody (((ProcfunExecutor * (*)(void)) make) (), path);
      fixture_exit_fork (write (ends[1], &left, sizeof left) == sizeof left);
    }
  close (ends[1]);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  kill (read_word (ends[0]), SIGKILL);
  close (ends[0]);
  g_assert_no_errno (unlink (path));
  g_assert_no_errno (rmdir (folder));
}

static ProcfunExecutor *
make_pool (void)
{
  return PROCFUN_EXECUTOR (procfun_pool_new (2));
}

static ProcfunExecutor *
make_fork_server (void)
{
  return PROCFUN_EXECUTOR (procfun_fork_server_new ());
}

static ProcfunExecutor *
make_spawner (void)
{
  return PROCFUN_EXECUTOR (procfun_spawner_new ());
}

int
main (int argc, char *argv[])
{
  if (argc == 2 && g_str_equal (argv[1], PRIVILEGED))
    return be_privileged ();
  fixture_init (&argc, &argv);

  calls_add_func ("/lifeline/calls-end-with-killed-program-whose-helper-lives",
                  test_killed_with_helper);
  fixture_add_func ("/lifeline/calls-of-stopped-zygote-end-with-killed-program",
                    test_killed_with_stopped_zygote);
  fixture_add_data_func ("/lifeline/dropped-executor-ends-at-once-while-helper-lives/fork-server",
                         make_fork_server, test_dropped_with_helper);
  fixture_add_data_func ("/lifeline/dropped-executor-ends-at-once-while-helper-lives/pool",
                         make_pool, test_dropped_with_helper);
  fixture_add_data_func ("/lifeline/privileged-process-is-not-waited-for/fork-server",
                         make_fork_server, test_privileged_is_left);
  fixture_add_data_func ("/lifeline/privileged-process-is-not-waited-for/pool", make_pool,
                         test_privileged_is_left);
  fixture_add_data_func ("/lifeline/privileged-process-is-not-waited-for/spawner", make_spawner,
                         test_privileged_is_left);
  return fixture_run ();
}
