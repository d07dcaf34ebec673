/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/fds.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

static gboolean
move_above (int *fd, int last)
{
  int moved;

  if (*fd > last)
    return TRUE;
  moved = fcntl (*fd, F_DUPFD_CLOEXEC, last + 1);
  if (moved < 0)
    return FALSE;
  close (*fd);
  *fd = moved;
  return TRUE;
}

gboolean
fds_move_up (int *fd)
{
  return move_above (fd, STDERR_FILENO);
}

void
fds_move_far_up (int *fd, int first)
{
  move_above (fd, first - 1);
}

static void
set_error (GError **error, int error_number)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
               _ ("cannot open descriptors for a process: %s"), g_strerror (error_number));
}

gboolean
fds_move_above (int *fd, int last, GError **error)
{
  if (move_above (fd, last))
    return TRUE;
  set_error (error, errno);
  return FALSE;
}

static gboolean
finish_pair (int result, int fds[2], GError **error)
{
  int saved_errno;

  if (result == 0 && fds_move_up (&fds[0]) && fds_move_up (&fds[1]))
    return TRUE;
  saved_errno = errno;
  if (result == 0)
    {
      fd_clear (&fds[0]);
      fd_clear (&fds[1]);
    }
  set_error (error, saved_errno);
  return FALSE;
}

gboolean
fds_open_socketpair (int fds[2], GError **error)
{
  return finish_pair (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), fds,
                      error);
}

/* Only its reader may not block: the writer is a program's stream, or writes nothing. */
gboolean
fds_open_pipe (int fds[2], GError **error)
{
  int result = pipe2 (fds, O_CLOEXEC);

  if (result == 0 && fcntl (fds[0], F_SETFL, O_NONBLOCK) != 0)
    {
      int saved_errno = errno;

      close (fds[0]);
      close (fds[1]);
      errno = saved_errno;
      result = -1;
    }
  return finish_pair (result, fds, error);
}

/* Large data belongs on a disk, and some systems have the usual folder in memory. */
int
fds_open_nameless (GError **error)
{
  const char *folders[] = { g_getenv ("TMPDIR"), "/var/tmp", "/tmp" };
  int fd = -1;

  for (gsize i = 0; i < G_N_ELEMENTS (folders) && fd < 0; i++)
    if (folders[i] != NULL)
      fd = open (folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0)
    fd = memfd_create ("procfun-stream", MFD_CLOEXEC);
  if (fd >= 0 && fds_move_up (&fd))
    return fd;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT, _ ("no temporary file can be had: %s"),
               g_strerror (errno));
  fd_clear (&fd);
  return -1;
}

/* For kernels and tools (valgrind) without close_range(). */
static void
close_listed_from (int first)
{
  DIR *dir = opendir ("/proc/self/fd");
  struct dirent *entry;

  if (dir == NULL)
    return;
  while ((entry = readdir (dir)) != NULL)
    {
      int fd = atoi (entry->d_name);

      if (fd >= first && fd != dirfd (dir))
        close (fd);
    }
  closedir (dir);
}

/* proc(5): such a descriptor is a link to “anon_inode:[eventfd]”. */
gboolean
fds_is_for_events (int fd)
{
  static const char name[] = "anon_inode:";
  char path[32], target[sizeof name];

  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  return readlink (path, target, sizeof name - 1) == sizeof name - 1
         && memcmp (target, name, sizeof name - 1) == 0;
}

gboolean
fds_is_connected (int fd)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLRDHUP };

  return poll (&poll_fd, 1, 0) == 0 && send (fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) == 0;
}

void
fds_close_from (int first)
{
  if (close_range ((unsigned)first, ~0U, 0) != 0)
    close_listed_from (first);
}

void
fds_fill_standard (void)
{
  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0)
      {
        int opened = open ("/dev/null", O_RDWR); /* the lowest free number, which is fd */

        if (opened > STDERR_FILENO)
          close (opened);
      }
}

#define POLL_PAUSE_US 1000

int
fds_poll (GPollFD *fds, guint n, int ms)
{
  int n_ready = g_poll (fds, n, ms);

  if (n_ready >= 0 || errno == EINTR || errno == EAGAIN)
    return n_ready;
  g_usleep (POLL_PAUSE_US);
  n_ready = 0;
  for (guint i = 0; i < n; i++)
    {
      fds[i].revents = fds[i].fd >= 0 ? fds[i].events : 0;
      n_ready += fds[i].revents != 0 ? 1 : 0;
    }
  return n_ready;
}
