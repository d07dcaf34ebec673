/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/local-socket.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 8
#define PATIENCE_S 5

/* An error about the file at @path, for the reason that @code tells. */
static int
refuse (GError **error, const char *path, int code)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "%s: %s", path, g_strerror (code));
  return -1;
}

static gboolean
is_private (int fd)
{
  struct stat status;

  return fstat (fd, &status) == 0 && status.st_uid == geteuid () && (status.st_mode & 077) == 0;
}

int
local_folder_open (gboolean make, GError **error)
{
  g_autofree char *path = g_build_filename (g_get_user_runtime_dir (), "procfun", NULL);
  auto_fd int fd = -1;

  if (getauxval (AT_SECURE) != 0)
    return refuse (error, path, EPERM);
  if (make && g_mkdir_with_parents (path, 0700) < 0)
    return refuse (error, path, errno);
  fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || !fds_move_up (&fd))
    return refuse (error, path, errno);
  if (is_private (fd))
    return g_steal_fd (&fd);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
               _ ("%s belongs to somebody else, or others can enter it"), path);
  return -1;
}

/* By the folder's descriptor, because an address has room for 107 bytes only. */
static void
make_address (struct sockaddr_un *address, int folder, const char *name)
{
  memset (address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  g_snprintf (address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", folder, name);
}

static int
open_socket (int flags)
{
  auto_fd int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

  return fd >= 0 && fds_move_up (&fd) ? g_steal_fd (&fd) : -1;
}

/* Takes @fd. */
static int
connect_to (const struct sockaddr_un *address, int socket_fd)
{
  auto_fd int fd = socket_fd;

  if (fd >= 0 && connect (fd, (const struct sockaddr *)address, sizeof *address) == 0)
    return g_steal_fd (&fd);
  return -1;
}

/* Removes the socket of another process that had this number. */
static gboolean
remove_stale (int folder, const char *name, const struct sockaddr_un *address)
{
  auto_fd int fd = connect_to (address, open_socket (SOCK_NONBLOCK));

  if (fd < 0 && errno == ECONNREFUSED)
    return unlinkat (folder, name, 0) == 0;
  errno = EADDRINUSE;
  return FALSE;
}

int
local_socket_listen (int folder, const char *name, GError **error)
{
  auto_fd int fd = open_socket (SOCK_NONBLOCK);
  struct sockaddr_un address;

  make_address (&address, folder, name);
  /* A file made by bind() gets the mode of the socket. */
  if (fd < 0 || fchmod (fd, 0600) < 0)
    return refuse (error, name, errno);
  while (bind (fd, (const struct sockaddr *)&address, sizeof address) < 0)
    if (errno != EADDRINUSE || !remove_stale (folder, name, &address))
      return refuse (error, name, errno);
  if (listen (fd, BACKLOG) < 0)
    {
      int code = errno;

      unlinkat (folder, name, 0);
      return refuse (error, name, code);
    }
  return g_steal_fd (&fd);
}

int
local_socket_connect (int folder, const char *name, GError **error)
{
  const struct timeval patience = { .tv_sec = PATIENCE_S };
  struct sockaddr_un address;
  int fd = open_socket (0);

  if (fd < 0)
    return refuse (error, name, errno);
  setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  make_address (&address, folder, name);
  fd = connect_to (&address, fd);
  return fd >= 0 ? fd : refuse (error, name, errno);
}

gboolean
local_socket_is_of_user (int fd)
{
  struct ucred peer;
  socklen_t size = sizeof peer;

  return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
         && (peer.uid == geteuid () || peer.uid == 0);
}
