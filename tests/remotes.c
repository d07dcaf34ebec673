/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/remotes.h"

#include <stdio.h>
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
