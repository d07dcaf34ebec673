/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/reaper.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

/* How long a launcher may take to end once its host has no connection any more. */
#define END_WAIT_US (2 * G_USEC_PER_SEC)
#define END_STEP_US 10000
#define END_MAX_US (5 * G_USEC_PER_SEC)

/* A launcher that is to end. */
typedef struct
{
  Process *process;
  gint64 since; /* monotonic time in µs */
  gboolean was_killed;
} EndingLauncher;

void
reaper_init (Reaper *self)
{
  self->launchers = g_array_new (FALSE, FALSE, sizeof (EndingLauncher));
}

void
reaper_clear (Reaper *self)
{
  g_array_unref (self->launchers);
}

void
reaper_take (Reaper *self, Process *process, gboolean is_hung)
{
  const EndingLauncher launcher
      = { .process = process, .since = g_get_monotonic_time (), .was_killed = is_hung };

  if (is_hung)
    process_signal (process, SIGKILL);
  g_array_append_val (self->launchers, launcher);
}

gboolean
reaper_has_any (const Reaper *self)
{
  return self->launchers->len > 0;
}

/* TRUE: it is gone, or nobody waits for it any more. */
static gboolean
advance_launcher (EndingLauncher *self, gint64 now)
{
  const pid_t pid = process_get_pid (self->process);

  if (process_has_died (self->process))
    {
      while (waitpid (pid, NULL, WNOHANG) < 0 && errno == EINTR)
        ;
      return TRUE;
    }
  if (!self->was_killed && now - self->since >= END_WAIT_US)
    {
      process_signal (self->process, SIGKILL);
      self->was_killed = TRUE;
    }
  return now - self->since >= END_MAX_US;
}

gint64
reaper_advance (Reaper *self, gint64 now)
{
  for (guint i = self->launchers->len; i-- > 0;)
    {
      EndingLauncher *launcher = &g_array_index (self->launchers, EndingLauncher, i);

      if (!advance_launcher (launcher, now))
        continue;
      process_free (launcher->process);
      g_array_remove_index_fast (self->launchers, i);
    }
  return self->launchers->len > 0 ? now + END_STEP_US : G_MAXINT64;
}
