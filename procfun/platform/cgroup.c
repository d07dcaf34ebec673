/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/cgroup.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/platform/fds.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

/* Memory that a group counts beside that of the function: page tables, stacks, memory of the kernel
 * for descriptors, and the reserve for reporting. A group's limit is higher by so much, so that
 * RLIMIT_DATA comes first, which a program can notice; the group is for the rest. */
#define OVERHEAD(limit) ((limit) / 64 + 4 * 1024 * 1024)

/* A process that was killed is gone at once, unless it sleeps in the kernel. */
#define END_WAIT_MS 100

struct _Cgroup
{
  char *folder;
  gboolean limits_processes;
  guint64 memory; /* in bytes; 0: no limit */
};

/* Groups that could not be removed, because something in them was not dead yet. */
static GPtrArray *left; /* (element-type filename) (nullable) */
static GMutex left_mutex;

/* Making */

static gboolean
fail (GError **error, const char *what, int error_number)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX,
               _ ("the control group of the call cannot be used: %s: %s"), what,
               g_strerror (error_number));
  return FALSE;
}

static gboolean
set_number (Cgroup *self, const char *name, guint64 number, GError **error)
{
  char text[32];

  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, number);
  return cgroup_write (self->folder, name, text) || fail (error, name, errno);
}

static gboolean
set_memory (Cgroup *self, guint64 limit, GError **error)
{
  guint64 max;

  if (!g_uint64_checked_add (&max, limit, OVERHEAD (limit)))
    return TRUE;
  if (!set_number (self, "memory.max", max, error)
      || !set_number (self, "memory.oom.group", 1, error))
    return FALSE;
  return cgroup_write (self->folder, "memory.swap.max", "0")
         || errno == ENOENT /* where there is no swap */
         || fail (error, "memory.swap.max", errno);
}

static gboolean
make_folder (Cgroup *self, const CgroupPlace *place, GError **error)
{
  static int n;
  g_autofree char *name
      = g_strdup_printf (CGROUP_PREFIX "%d-%d", (int)getpid (), g_atomic_int_add (&n, 1));
  g_autofree char *folder = g_build_filename (place->folder, name, NULL);

  if (mkdir (folder, 0755) != 0)
    return fail (error, folder, errno);
  self->folder = g_steal_pointer (&folder);
  return TRUE;
}

Cgroup *
cgroup_new_in (const CgroupPlace *place, const ProcfunLimits *limits, GError **error)
{
  g_autoptr (Cgroup) self = g_new0 (Cgroup, 1);
  gboolean memory = limits->memory != 0 && (place->controllers & CGROUP_MEMORY) != 0;

  self->memory = memory ? limits->memory : 0;
  self->limits_processes = limits->processes != 0 && (place->controllers & CGROUP_PIDS) != 0;
  if (!make_folder (self, place, error) || (memory && !set_memory (self, limits->memory, error))
      || (self->limits_processes && !set_number (self, "pids.max", limits->processes, error)))
    return NULL;
  return g_steal_pointer (&self);
}

Cgroup *
cgroup_new_for_limits (const ProcfunLimits *limits, GError **error)
{
  CgroupControllers wanted
      = (limits->memory != 0 ? CGROUP_MEMORY : 0) | (limits->processes != 0 ? CGROUP_PIDS : 0);
  const CgroupPlace *place = wanted != 0 ? cgroup_place_get () : NULL;

  if (place == NULL || (place->controllers & wanted) == 0)
    return NULL;
  return cgroup_new_in (place, limits, error);
}

/* Asking */

gboolean
cgroup_limits_processes (Cgroup *self)
{
  return self->limits_processes;
}

gboolean
cgroup_add (Cgroup *self, pid_t pid, GError **error)
{
  return set_number (self, "cgroup.procs", (guint64)pid, error);
}

void
cgroup_suspend_memory (Cgroup *self)
{
  if (self->memory > 0)
    cgroup_write (self->folder, "memory.max", "max");
}

/* Where that is not known, a limit that was suspended stays so: RLIMIT_DATA is there, too. */
void
cgroup_count_memory_anew (Cgroup *self)
{
  g_autofree char *text = self->memory > 0 ? cgroup_read (self->folder, "memory.current") : NULL;
  guint64 max;

  if (text != NULL
      && g_uint64_checked_add (&max, g_ascii_strtoull (text, NULL, 10),
                               self->memory + OVERHEAD (self->memory)))
    set_number (self, "memory.max", max, NULL);
}

/* Of a file of lines "NAME NUMBER"; 0 when it is not there. */
static guint64
get_event (Cgroup *self, const char *file, const char *name)
{
  g_autofree char *text = cgroup_read (self->folder, file);
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  gsize length = strlen (name);

  for (gsize i = 0; lines[i] != NULL; i++)
    if (strncmp (lines[i], name, length) == 0 && lines[i][length] == ' ')
      return g_ascii_strtoull (lines[i] + length, NULL, 10);
  return 0;
}

/* The group has one call, and so have its counters. */
gboolean
cgroup_was_oom_killed (Cgroup *self)
{
  return get_event (self, "memory.events", "oom_kill") > 0;
}

guint64
cgroup_get_refused_processes (Cgroup *self)
{
  return get_event (self, "pids.events", "max");
}

/* Since Linux 5.19 */
guint64
cgroup_get_peak (Cgroup *self)
{
  g_autofree char *text = cgroup_read (self->folder, "memory.peak");

  return text != NULL ? g_ascii_strtoull (text, NULL, 10) : 0;
}

/* Ending */

/* Since Linux 5.14 */
gboolean
cgroup_kill (Cgroup *self)
{
  return cgroup_write (self->folder, "cgroup.kill", "1");
}

/* The kernel wakes those who wait for POLLPRI when the file changes. Zombies do not count. */
static void
wait_until_empty (Cgroup *self)
{
  g_autofree char *path = g_build_filename (self->folder, "cgroup.events", NULL);
  auto_fd int fd = open (path, O_RDONLY | O_CLOEXEC);
  struct pollfd poll_fd = { .fd = fd, .events = POLLPRI };
  gint64 end = g_get_monotonic_time () + END_WAIT_MS * 1000;
  char text[256];

  while (fd >= 0 && pread (fd, text, sizeof text, 0) > 0
         && get_event (self, "cgroup.events", "populated") > 0 && g_get_monotonic_time () < end)
    poll (&poll_fd, 1, END_WAIT_MS);
}

static void
remove_left (void)
{
  for (guint i = left != NULL ? left->len : 0; i > 0; i--)
    if (rmdir (left->pdata[i - 1]) == 0 || errno == ENOENT)
      g_ptr_array_remove_index_fast (left, i - 1);
  if (left != NULL && left->len == 0)
    g_clear_pointer (&left, g_ptr_array_unref);
}

/* Takes @folder. */
static void
remove_folder (char *folder)
{
  g_mutex_lock (&left_mutex);
  if (left == NULL)
    left = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (left, folder);
  remove_left ();
  g_mutex_unlock (&left_mutex);
}

void
cgroup_free (Cgroup *self)
{
  if (self->folder != NULL)
    {
      cgroup_kill (self);
      wait_until_empty (self);
      remove_folder (g_steal_pointer (&self->folder));
    }
  g_free (self);
}
