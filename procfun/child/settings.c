/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/settings.h"

#include "procfun/platform/descendants.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/platform/timers.h"
#include "procfun/wire/frame.h"
#include "procfun/wire/setup.h"
#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define N_SIGNALS 32 /* without those for real time */
#define N_FDS (SETUP_REPORT_FD + 1)

typedef struct
{
  dev_t device;
  ino_t inode;
  int flags;
} OpenFile;

typedef struct
{
  int policy;
  int nice;
  cpu_set_t cpus;
} Scheduling;

struct _Settings
{
  char **environment; /* as it was, */
  char **entries;     /* and the pointers in it, without the NULL */
  gsize n_entries;
  char *locale;
  locale_t thread_locale;
  struct sigaction actions[N_SIGNALS];
  struct rlimit limits[RLIM_NLIMITS];
  OpenFile files[N_FDS];
  Scheduling scheduling;
  gboolean has_prof_timer, has_virtual_timer; /* the initializer left one */
  int next_timer;                             /* the number that the next POSIX timer has */
  guint identity;
};

/* The environment and the locale */

static void
remember_entries (Settings *self)
{
  g_free (self->entries);
  self->n_entries = environ != NULL ? g_strv_length (environ) : 0;
  self->entries = g_memdup2 (environ, self->n_entries * sizeof *environ);
}

/* setenv() and putenv() put another pointer there, also for the same value. */
static gboolean
has_same_entries (const Settings *self)
{
  if (environ == NULL)
    return self->n_entries == 0;
  for (gsize i = 0; i < self->n_entries; i++)
    if (environ[i] != self->entries[i])
      return FALSE;
  return environ[self->n_entries] == NULL;
}

static gboolean
has_same_environment (Settings *self)
{
  char *none[] = { NULL };

  if (has_same_entries (self))
    return TRUE;
  if (!g_strv_equal ((const char *const *)(environ != NULL ? environ : none),
                     (const char *const *)self->environment))
    return FALSE;
  remember_entries (self);
  return TRUE;
}

guint64
settings_compare_memory (Settings *self)
{
  guint64 found = 0;

  uselocale (self->thread_locale);
  if (!has_same_environment (self))
    found |= FRAME_LEFT_ENVIRONMENT;
  if (strcmp (setlocale (LC_ALL, NULL), self->locale) != 0)
    found |= FRAME_LEFT_LOCALE;
  return found;
}

/* Signals */

static void
read_actions (struct sigaction actions[N_SIGNALS])
{
  for (int i = 1; i < N_SIGNALS; i++)
    sigaction (i, NULL, &actions[i]);
}

/* Of the mask the kernel fills in one bit a signal, and the C library the rest with what is there.
 */
static gboolean
is_same_action (const struct sigaction *action, const struct sigaction *other)
{
  return action->sa_handler == other->sa_handler && action->sa_flags == other->sa_flags
         && memcmp (&action->sa_mask, &other->sa_mask, _NSIG / 8) == 0;
}

/* It takes five times as long to set one as to read it. */
static void
restore_actions (Settings *self)
{
  struct sigaction now;

  for (int i = 1; i < N_SIGNALS; i++)
    if (sigaction (i, NULL, &now) == 0 && !is_same_action (&now, &self->actions[i]))
      sigaction (i, &self->actions[i], NULL);
}

/* Timers */

static gboolean
restore_timers (Settings *self)
{
  const struct itimerval none = { 0 };

  if (!self->has_prof_timer)
    setitimer (ITIMER_PROF, &none, NULL);
  if (!self->has_virtual_timer)
    setitimer (ITIMER_VIRTUAL, &none, NULL);
  return timers_delete_since (&self->next_timer);
}

/* Resource limits */

static void
read_limits (struct rlimit limits[RLIM_NLIMITS])
{
  for (int i = 0; i < RLIM_NLIMITS; i++)
    getrlimit ((__rlimit_resource_t)i, &limits[i]);
}

static gboolean
restore_limits (Settings *self)
{
  gboolean ok = TRUE;
  struct rlimit now;

  for (int i = 0; i < RLIM_NLIMITS; i++)
    if (getrlimit ((__rlimit_resource_t)i, &now) == 0
        && memcmp (&now, &self->limits[i], sizeof now) != 0)
      ok &= setrlimit ((__rlimit_resource_t)i, &self->limits[i]) == 0;
  return ok;
}

/* Descriptors that each call has */

static void
read_file (int fd, OpenFile *file)
{
  struct stat st = { 0 };

  memset (file, 0, sizeof *file);
  if (fstat (fd, &st) != 0)
    return;
  file->device = st.st_dev;
  file->inode = st.st_ino;
  file->flags = fcntl (fd, F_GETFL);
}

static gboolean
restore_files (Settings *self)
{
  gboolean ok = TRUE;

  for (int fd = 0; fd < N_FDS; fd++)
    {
      const OpenFile *before = &self->files[fd];
      OpenFile now;

      read_file (fd, &now);
      if (now.device != before->device || now.inode != before->inode)
        ok = FALSE;
      else if (now.flags != before->flags)
        ok &= fcntl (fd, F_SETFL, before->flags) == 0;
    }
  return ok && fds_is_connected (SETUP_CHANNEL_FD);
}

/* Scheduling */

static void
read_scheduling (Scheduling *scheduling)
{
  memset (scheduling, 0, sizeof *scheduling);
  scheduling->policy = sched_getscheduler (0);
  scheduling->nice = getpriority (PRIO_PROCESS, 0);
  sched_getaffinity (0, sizeof scheduling->cpus, &scheduling->cpus);
}

static gboolean
restore_scheduling (Settings *self)
{
  const struct sched_param param = { .sched_priority = 0 };
  const Scheduling *before = &self->scheduling;
  Scheduling now;

  read_scheduling (&now);
  if (memcmp (&now, before, sizeof now) == 0)
    return TRUE;
  if (now.policy != before->policy)
    sched_setscheduler (0, before->policy, &param);
  if (now.nice != before->nice)
    setpriority (PRIO_PROCESS, 0, before->nice);
  if (!CPU_EQUAL (&now.cpus, &before->cpus))
    sched_setaffinity (0, sizeof before->cpus, &before->cpus);
  read_scheduling (&now);
  return memcmp (&now, before, sizeof now) == 0;
}

/* All of them */

Settings *
settings_new (void)
{
  Settings *self = g_new0 (Settings, 1);

  self->environment = g_strdupv (environ);
  if (self->environment == NULL)
    self->environment = g_new0 (char *, 1);
  remember_entries (self);
  self->locale = g_strdup (setlocale (LC_ALL, NULL));
  self->thread_locale = uselocale (NULL);
  read_actions (self->actions);
  read_limits (self->limits);
  for (int fd = 0; fd < N_FDS; fd++)
    read_file (fd, &self->files[fd]);
  read_scheduling (&self->scheduling);
  self->has_prof_timer = timers_is_set (ITIMER_PROF);
  self->has_virtual_timer = timers_is_set (ITIMER_VIRTUAL);
  self->next_timer = timers_find_next ();
  self->identity = inherited_state_look (g_get_monotonic_time ());
  return self;
}

void
settings_free (Settings *self)
{
  g_strfreev (self->environment);
  g_free (self->entries);
  g_free (self->locale);
  g_free (self);
}

guint64
settings_restore (Settings *self)
{
  guint64 found = 0;

  if (!restore_timers (self)) /* or they would find no handler */
    found |= FRAME_LEFT_TIMERS;
  restore_actions (self);
  descendants_adopt ();
  if (!restore_limits (self))
    found |= FRAME_LEFT_LIMITS;
  if (!restore_files (self))
    found |= FRAME_LEFT_DESCRIPTORS;
  if (!restore_scheduling (self))
    found |= FRAME_LEFT_SCHEDULING;
  if (inherited_state_look (g_get_monotonic_time ()) != self->identity)
    found |= FRAME_LEFT_IDENTITY;
  return found;
}
