/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/cpus.h"

#include "procfun/platform/limits-apply.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* cgroups(7): the group in the unified hierarchy is the line “0::/…”. */
static char *
find_group (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents ("/proc/self/cgroup", &text, NULL, NULL))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "0::/"))
      return g_build_filename ("/sys/fs/cgroup", lines[i] + strlen ("0::"), NULL);
  return NULL;
}

/* cpu.max, in the kernel's Documentation/admin-guide/cgroup-v2.rst: “QUOTA PERIOD” or “max PERIOD”.
 */
static double
read_quota (const char *group)
{
  g_autofree char *path = g_build_filename (group, "cpu.max", NULL);
  g_autofree char *text = NULL;
  double quota, period;

  if (!g_file_get_contents (path, &text, NULL, NULL)
      || sscanf (text, "%lf %lf", &quota, &period) != 2 || !(quota > 0) || !(period > 0))
    return INFINITY;
  return quota / period;
}

/* A group may have no more than those above it. */
static double
find_quota (void)
{
  g_autofree char *group = find_group ();
  double quota = INFINITY;

  while (group != NULL && strlen (group) >= strlen ("/sys/fs/cgroup"))
    {
      char *parent = g_path_get_dirname (group);

      quota = MIN (quota, read_quota (group));
      g_free (group);
      group = parent;
    }
  return quota;
}

guint
cpus_count (void)
{
  guint n = limits_count_cpus (0);
  double quota = find_quota ();

  return MAX (quota < n ? (guint)ceil (quota) : n, 1);
}
