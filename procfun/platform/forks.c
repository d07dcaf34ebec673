/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/forks.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/thread.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How long a thread that ends may take, and how often to look. */
#define THREAD_END_US (100 * G_TIME_SPAN_MILLISECOND)
#define THREAD_STEP_US 200

gboolean
forks_are_safe (GError **error)
{
  char name[THREAD_NAME_SIZE];

  if (thread_count () == 1)
    return TRUE;
  thread_get_other_name (name);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
               _ ("no process can be forked from one that has another thread: “%s”"), name);
  return FALSE;
}

/* One that has been joined may be there for another moment. */
gboolean
forks_become_safe (GError **error)
{
  const gint64 until = g_get_monotonic_time () + THREAD_END_US;

  while (thread_count () != 1 && g_get_monotonic_time () < until)
    g_usleep (THREAD_STEP_US);
  return forks_are_safe (error);
}

gboolean
forks_check_descriptors (int own, GError **error)
{
  static const char *const shared[] = { "anon_inode:[eventfd]",
                                        "anon_inode:[eventpoll]",
                                        "anon_inode:inotify",
                                        "anon_inode:[signalfd]",
                                        "anon_inode:[timerfd]",
                                        "anon_inode:[io_uring]",
                                        NULL };
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (path, NULL);

      if (target == NULL || !g_strv_contains (shared, target)
          || g_ascii_strtoll (name, NULL, 10) == own)
        continue;
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                   _ ("no process can be forked from one that has opened “%s”"), target);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_opened (int fd, GError **error)
{
  if (fd >= 0)
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
               _ ("cannot open descriptors for a process: %s"), g_strerror (errno));
  return FALSE;
}

gboolean
forks_check_pidfd (GError **error)
{
  auto_fd int fd = forks_open_pidfd (getpid ());

  return check_opened (fd, error);
}

void
forks_watch_deaths (gboolean watch)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGCHLD);
  sigprocmask (watch ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

gboolean
forks_open_death_fd (int *fd, GError **error)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGCHLD);
  forks_watch_deaths (TRUE);
  *fd = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  return check_opened (*fd, error);
}

void
forks_clear_death_fd (int fd)
{
  struct signalfd_siginfo info[8];

  while (read (fd, info, sizeof info) == sizeof info)
    ;
}

/* asm-generic/socket.h of Linux 6.5 */
#define SO_PEERPIDFD_OPTION 77

int
forks_open_peer (int socket_fd)
{
  struct ucred peer;
  socklen_t size = sizeof peer;
  int fd = -1;

  if (getsockopt (socket_fd, SOL_SOCKET, SO_PEERPIDFD_OPTION, &fd, &(socklen_t){ sizeof fd }) != 0
      && getsockopt (socket_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0)
    return forks_open_pidfd (peer.pid);
  if (fd >= 0 && !fds_move_up (&fd))
    fd_clear (&fd);
  return fd;
}

int
forks_open_pidfd (pid_t pid)
{
  int fd = (int)syscall (SYS_pidfd_open, pid, 0);

  if (fd >= 0 && !fds_move_up (&fd))
    fd_clear (&fd);
  return fd;
}
