/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/self.h"

#include "procfun/platform/fds.h"
#include <fcntl.h>
#include <sys/stat.h>

char **
self_read_command_line (void)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (g_file_get_contents ("/proc/self/cmdline", &text, &size, NULL))
    for (const char *at = text; at < text + size; at += strlen (at) + 1)
      g_strv_builder_add (builder, at);
  return g_strv_builder_end (builder);
}

/* By the open file, whose name may be out of reach, and which valgrind redirects to the program
 * that it runs; it need not be readable. */
static gboolean
is_running_file (const char *path)
{
  struct stat running, named;
  auto_fd int fd = open ("/proc/self/exe", O_PATH | O_CLOEXEC);

  return fd >= 0 && fstat (fd, &running) == 0 && stat (path, &named) == 0
         && running.st_ino == named.st_ino && running.st_dev == named.st_dev;
}

/* Its name where that still leads to the file that runs, for `ps` to show; the kernel's own link
 * else. That one may be followed only by those who may look into this process, which a process that
 * changed its user is not itself when it is named by its number. */
char *
self_get_executable (gboolean directly)
{
  g_autofree char *path = g_file_read_link ("/proc/self/exe", NULL);

  if (path != NULL && is_running_file (path))
    return g_steal_pointer (&path);
  return directly ? g_strdup ("/proc/self/exe") : g_strdup_printf ("/proc/%d/exe", (int)getpid ());
}
