/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Descriptors, also where the kernel has none left, or lacks a call. */

#include "procfun/platform/fds.h"
#include "procfun/platform/leave.h"
#include "tests/faults.h"
#include "tests/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <procfun.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* No number from here on can be had. */
#define LIMIT 64

static struct rlimit unlimited;

static void
take_numbers_away (void)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &unlimited), ==, 0);
  limit = unlimited;
  limit.rlim_cur = LIMIT;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

static void
give_numbers_back (void)
{
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &unlimited), ==, 0);
}

static void
test_moved (void)
{
  g_autoptr (GError) error = NULL;
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  const int before = fd;

  g_assert_true (fds_move_above (&fd, before - 1, &error));
  g_assert_cmpint (fd, ==, before);
  g_assert_true (fds_move_above (&fd, before + 10, &error));
  g_assert_no_error (error);
  g_assert_cmpint (fd, >, before + 10);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (fcntl (before, F_GETFD), ==, -1);
  close (fd);
}

static void
test_stays (void)
{
  g_autoptr (GError) error = NULL;
  auto_fd int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  const int before = fd;

  take_numbers_away ();
  g_assert_false (fds_move_above (&fd, LIMIT, &error));
  fds_move_far_up (&fd, LIMIT);
  give_numbers_back ();
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
  g_assert_cmpint (fd, ==, before);
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
}

/* A pair needs two. */
static void
test_none_left (void)
{
  for (guint n = 0; n < 2; n++)
    {
      g_autoptr (GError) socket_error = NULL;
      g_autoptr (GError) pipe_error = NULL;
      gboolean has_sockets, has_pipe;
      int fds[2] = { -1, -1 };
      GArray *taken;

      take_numbers_away ();
      taken = fixture_take_descriptors (n);
      has_sockets = fds_open_socketpair (fds, &socket_error);
      has_pipe = fds_open_pipe (fds, &pipe_error);
      fixture_give_descriptors_back (taken);
      give_numbers_back ();
      g_assert_false (has_sockets);
      g_assert_false (has_pipe);
      g_assert_error (socket_error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
      g_assert_error (pipe_error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
      g_assert_nonnull (strstr (pipe_error->message, g_strerror (EMFILE)));
    }
}

static void
test_nameless (void)
{
  Fault faults[] = { { "open", ENOSPC, 1, TRUE }, { NULL } };
  g_autoptr (GError) error = NULL;
  auto_fd int fd = fds_open_nameless (&error);
  auto_fd int in_memory = -1;
  g_autofree char *path = NULL;
  g_autofree char *target = NULL;
  GArray *taken;
  int none;

  g_assert_no_error (error);
  g_assert_cmpint (write (fd, "text", 4), ==, 4);
  faults_set (faults);
  in_memory = fds_open_nameless (&error);
  faults_set (NULL);
  g_assert_no_error (error);
  g_assert_cmpint (faults[0].n_seen, >, 0);
  path = g_strdup_printf ("/proc/self/fd/%d", in_memory);
  target = g_file_read_link (path, NULL);
  g_assert_true (g_str_has_prefix (target, "/memfd:"));
  take_numbers_away ();
  taken = fixture_take_descriptors (0);
  none = fds_open_nameless (&error);
  fixture_give_descriptors_back (taken);
  give_numbers_back ();
  g_assert_cmpint (none, ==, -1);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT);
}

static void
test_for_events (void)
{
  auto_fd int event = eventfd (0, EFD_CLOEXEC);
  auto_fd int file = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  g_assert_true (fds_is_for_events (event));
  g_assert_false (fds_is_for_events (file));
  g_assert_false (fds_is_for_events (-1));
}

static void
test_connected (void)
{
  g_autoptr (GError) error = NULL;
  auto_fd int file = open ("/dev/null", O_RDWR | O_CLOEXEC);
  int fds[2];

  g_assert_true (fds_open_socketpair (fds, &error));
  g_assert_no_error (error);
  g_assert_true (fds_is_connected (fds[0]));
  g_assert_true (fds_is_connected (fds[1]));
  g_assert_cmpint (shutdown (fds[1], SHUT_RD), ==, 0);
  g_assert_false (fds_is_connected (fds[0]));
  g_assert_false (fds_is_connected (fds[1]));
  close (fds[1]);
  g_assert_false (fds_is_connected (fds[0]));
  close (fds[0]);
  g_assert_false (fds_is_connected (file));
}

/* Without memory there is no way to wait. */
static void
test_poll (void)
{
  Fault faults[] = { { "poll", EINTR, 1 }, { "poll", ENOMEM, 1 }, { NULL } };
  g_autoptr (GError) error = NULL;
  int fds[2];
  GPollFD poll_fds[2];

  g_assert_true (fds_open_pipe (fds, &error));
  poll_fds[0] = (GPollFD){ .fd = fds[0], .events = G_IO_IN };
  poll_fds[1] = (GPollFD){ .fd = -1, .events = G_IO_IN };
  g_assert_cmpint (fds_poll (poll_fds, 2, 0), ==, 0);
  faults_set (faults);
  g_assert_cmpint (fds_poll (poll_fds, 2, 0), ==, -1);
  faults_set (&faults[1]);
  g_assert_cmpint (fds_poll (poll_fds, 2, -1), ==, 1);
  faults_set (NULL);
  g_assert_cmpint (poll_fds[0].revents, ==, G_IO_IN);
  g_assert_cmpint (poll_fds[1].revents, ==, 0);
  close (fds[0]);
  close (fds[1]);
}

/* In a child */

static gboolean
is_open (int fd)
{
  return fcntl (fd, F_GETFD) >= 0;
}

static int
close_from (void)
{
  int first = open ("/dev/null", O_RDONLY);
  int last = fcntl (first, F_DUPFD, first + 5);

  fds_close_from (first);
  return !is_open (first) && !is_open (last) && is_open (STDERR_FILENO) ? 0 : 1;
}

static int
close_from_listed (void)
{
  Fault faults[] = { { "close_range", ENOSYS, 1 }, { NULL } };

  int status;

  faults_set (faults);
  status = close_from ();
  faults_set (NULL);
  return status == 0 && faults[0].n_seen == 1 ? 0 : 1;
}

/* Those that are open stay what they are. */
static int
fill_standard (void)
{
  int kept = eventfd (0, 0);

  dup2 (kept, STDOUT_FILENO);
  close (STDIN_FILENO);
  close (STDERR_FILENO);
  fds_fill_standard ();
  return is_open (STDIN_FILENO) && is_open (STDERR_FILENO) && fds_is_for_events (STDOUT_FILENO)
                 && !fds_is_for_events (STDERR_FILENO)
             ? 0
             : 1;
}

static void
test_in_child (gconstpointer func)
{
  int status;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    leave_process (((int (*) (void))func) ());
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/fds/are-moved-above-a-number", test_moved);
  fixture_add_func ("/fds/stay-where-there-is-no-number", test_stays);
  fixture_add_func ("/fds/a-pair-needs-two-numbers", test_none_left);
  fixture_add_func ("/fds/a-nameless-file-may-be-in-memory", test_nameless);
  fixture_add_func ("/fds/those-of-event-loops-are-known", test_for_events);
  fixture_add_func ("/fds/both-sides-of-a-socket-are-connected", test_connected);
  fixture_add_func ("/fds/without-memory-each-is-ready", test_poll);
  fixture_add_data_func ("/fds/are-closed-from-a-number-on", close_from, test_in_child);
  fixture_add_data_func ("/fds/are-closed-on-kernels-without-close-range", close_from_listed,
                         test_in_child);
  fixture_add_data_func ("/fds/standard-ones-are-filled", fill_standard, test_in_child);
  return fixture_run ();
}
