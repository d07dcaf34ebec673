/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/remotes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ProcfunRemotePool *
remotes_new (const char *list)
{
  g_autoptr (GError) error = NULL;
  ProcfunRemotePool *hosts = procfun_remote_pool_new (list, &error);

  g_assert_no_error (error);
  return hosts;
}

void
remotes_close (ProcfunRemotePool *hosts)
{
  g_autoptr (GError) error = NULL;

  procfun_executor_close (PROCFUN_EXECUTOR (hosts), NULL, &error);
  g_assert_no_error (error);
  g_object_unref (hosts);
}

int
remotes_get_host_process (void)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", getppid ());
  g_autofree char *stat = NULL;
  int parent = 0;

  if (!g_file_get_contents (path, &stat, NULL, NULL)
      || sscanf (strrchr (stat, ')') + 1, " %*c %d", &parent) != 1)
    g_error ("there is no %s", path);
  return parent;
}

GArray *
remotes_find_children (void)
{
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (pid_t));
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  const char *thread;

  while ((thread = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/task", thread, "children", NULL);
      g_autofree char *children = NULL;
      char *at;

      if (!g_file_get_contents (path, &children, NULL, NULL))
        continue;
      for (at = children; *at != '\0';)
        {
          const pid_t pid = (pid_t)strtol (at, &at, 10);

          at += strspn (at, " \n");
          g_array_append_val (pids, pid);
        }
    }
  return pids;
}
