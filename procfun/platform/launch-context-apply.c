/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/launch-context-apply.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>

static gboolean
fail (GError **error, const char *what)
{
  int saved_errno = errno;

  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN, "%s: %s", what, g_strerror (saved_errno));
  return FALSE;
}

/* A number of a CPU, or -1. */
static int
read_cpu (const char **at)
{
  char *end;
  guint64 cpu;

  if (!g_ascii_isdigit (**at))
    return -1;
  cpu = g_ascii_strtoull (*at, &end, 10);
  *at = end;
  return cpu < CPU_SETSIZE ? (int)cpu : -1;
}

static gboolean
parse_cpus (const char *cpus, cpu_set_t *set)
{
  const char *at = cpus;

  CPU_ZERO (set);
  for (;;)
    {
      int first = read_cpu (&at);
      int last = first;

      if (*at == '-')
        {
          at++;
          last = read_cpu (&at);
        }
      if (first < 0 || last < first)
        return FALSE;
      for (int cpu = first; cpu <= last; cpu++)
        CPU_SET (cpu, set);
      if (*at == '\0')
        return TRUE;
      if (*at++ != ',')
        return FALSE;
    }
}

gboolean
launch_context_check_cpus (const char *cpus, GError **error)
{
  cpu_set_t set;

  if (parse_cpus (cpus, &set))
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("“%s” is no list of CPUs like 0-3,6"), cpus);
  return FALSE;
}

static void
apply_environment (GVariant *context)
{
  g_autoptr (GVariantIter) iter = NULL;
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;
  gboolean clear = FALSE;

  if (g_variant_lookup (context, "clear-environment", "b", &clear) && clear)
    clearenv ();
  if (!g_variant_lookup (context, "variables", "a(aymay)", &iter))
    return;
  while (g_variant_iter_next (iter, "(^aym^ay)", &name, &value))
    {
      if (value != NULL)
        g_setenv (name, value, TRUE);
      else
        g_unsetenv (name);
      g_clear_pointer (&name, g_free);
      g_clear_pointer (&value, g_free);
    }
}

static gboolean
apply_scheduling (GVariant *context, GError **error)
{
  const char *cpus;
  cpu_set_t set;
  gint32 nice;

  if (g_variant_lookup (context, "nice", "i", &nice) && setpriority (PRIO_PROCESS, 0, nice) != 0)
    return fail (error, _ ("the nice value cannot be set"));
  if (g_variant_lookup (context, "cpus", "&s", &cpus)
      && (!parse_cpus (cpus, &set) || sched_setaffinity (0, sizeof set, &set) != 0))
    return fail (error, _ ("the process cannot be bound to its CPUs"));
  return TRUE;
}

/* All descriptors are moved away first: one may have the number that another one is to get. */
static void
move_out_of_the_way (int *fds, int n_fds, const gint32 *targets, gsize n)
{
  gint32 highest = 0;

  for (gsize i = 0; i < n; i++)
    highest = MAX (highest, targets[i]);
  for (int i = 0; i < n_fds; i++)
    {
      int moved = fcntl (fds[i], F_DUPFD_CLOEXEC, highest + 1);

      close (fds[i]);
      fds[i] = moved;
    }
}

static gboolean
apply_descriptors (GVariant *context, GUnixFDList *list, GError **error)
{
  g_autoptr (GVariant) variant = g_variant_lookup_value (context, "targets", G_VARIANT_TYPE ("ai"));
  g_autofree int *fds = NULL;
  const gint32 *targets;
  gsize n = 0;
  int n_fds = 0;
  gboolean ok = TRUE;

  if (variant == NULL || list == NULL)
    return TRUE;
  targets = g_variant_get_fixed_array (variant, &n, sizeof *targets);
  fds = g_unix_fd_list_steal_fds (list, &n_fds);
  move_out_of_the_way (fds, n_fds, targets, n);
  for (int i = 0; i < n_fds; i++)
    {
      if (ok && (gsize)i < n && (fds[i] < 0 || dup2 (fds[i], targets[i]) < 0))
        ok = fail (error, _ ("a descriptor cannot get its number"));
      fd_clear (&fds[i]);
    }
  return ok;
}

gboolean
launch_context_apply (GVariant *context, GUnixFDList *fds, GError **error)
{
  g_autofree char *folder = NULL;

  apply_environment (context);
  if (g_variant_lookup (context, "working-directory", "^ay", &folder) && chdir (folder) != 0)
    {
      g_autofree char *what
          = g_strdup_printf (_ ("the working directory %s cannot be entered"), folder);

      return fail (error, what);
    }
  return apply_scheduling (context, error) && apply_descriptors (context, fds, error);
}
