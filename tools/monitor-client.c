/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/monitor-client.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/local-socket.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_MAX (64 << 20)
#define CHUNK_SIZE 65536

/* 0: it is none. */
static int
read_name (const char *name)
{
  int pid = 0;
  int length = 0;

  return sscanf (name, "%9d.sock%n", &pid, &length) == 1 && length > 0 && name[length] == '\0' ? pid
                                                                                               : 0;
}

/* A socket at which nobody listens is removed if its process is gone. Others have just been made.
 */
static gboolean
is_alive (int folder, const char *name)
{
  g_autoptr (GError) error = NULL;
  auto_fd int fd = local_socket_connect (folder, name, &error);

  if (fd < 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED)
      && kill (read_name (name), 0) < 0 && errno == ESRCH)
    unlinkat (folder, name, 0);
  return fd >= 0;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return *(const int *)a - *(const int *)b;
}

GArray *
monitor_list_processes (GError **error)
{
  g_autoptr (GArray) pids = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GError) own_error = NULL;
  struct dirent *entry;
  auto_fd int folder = local_folder_open (FALSE, &own_error);
  int copy = folder >= 0 ? fcntl (folder, F_DUPFD_CLOEXEC, 0) : -1;
  DIR *dir = copy >= 0 ? fdopendir (copy) : NULL;

  if (folder < 0 && !g_error_matches (own_error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&own_error));
      return NULL;
    }
  while (dir != NULL && (entry = readdir (dir)) != NULL)
    {
      int pid = read_name (entry->d_name);

      if (pid > 0 && is_alive (folder, entry->d_name))
        g_array_append_val (pids, pid);
    }
  if (dir != NULL)
    closedir (dir);
  g_array_sort (pids, compare);
  return g_steal_pointer (&pids);
}

int
monitor_connect (int pid, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%d.sock", pid);
  g_autoptr (GError) own_error = NULL;
  auto_fd int folder = local_folder_open (FALSE, &own_error);
  int fd = folder >= 0 ? local_socket_connect (folder, name, &own_error) : -1;

  if (fd >= 0)
    return fd;
  if (g_error_matches (own_error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
      || g_error_matches (own_error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 _ ("process %d has not opened its monitor; start it with PROCFUN_MONITOR=1"), pid);
  else
    g_propagate_error (error, g_steal_pointer (&own_error));
  return -1;
}

static char *
refuse (GError **error)
{
  if (errno == EAGAIN)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                         _ ("the process does not answer"));
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, _ ("the process has ended"));
  return NULL;
}

char *
monitor_ask (int fd, const char *request, const char *end, GError **error)
{
  g_autoptr (GString) answer = g_string_new (NULL);
  g_autofree char *line = g_strconcat (request, "\n", NULL);
  g_autofree char *chunk = g_malloc (CHUNK_SIZE);

  if (send (fd, line, strlen (line), MSG_NOSIGNAL) < 0)
    return refuse (error);
  while (!g_str_has_suffix (answer->str, end))
    {
      gssize size;

      do
        size = recv (fd, chunk, CHUNK_SIZE, 0);
      while (size < 0 && errno == EINTR);
      if (size == 0)
        errno = 0;
      if (size <= 0 || answer->len > ANSWER_MAX)
        return refuse (error);
      g_string_append_len (answer, chunk, size);
    }
  return g_strndup (answer->str, answer->len - 1);
}
