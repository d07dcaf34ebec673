/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/placement.h"

#include "procfun/platform/schedule.h"

/* Calls follow each other closely when so many come, each at most so long after the one before. */
#define QUICK_CALLS 16
#define QUICK_US 100

/* Moving takes as long as some calls, and is in vain where other processes want the other
 * processor, too. */
#define MOVE_STEP_US (2 * G_TIME_SPAN_MILLISECOND)

void
placement_note_call (Placement *self, gint64 began_at, int cpu)
{
  gboolean is_quick = began_at - self->began_at <= QUICK_US;

  self->began_at = began_at;
  self->n_quick = is_quick ? self->n_quick + 1 : 0;
  if (self->n_quick < QUICK_CALLS || began_at - self->moved_at < MOVE_STEP_US)
    return;
  self->n_quick = 0;
  if (cpu >= 0 && schedule_is_on (cpu))
    {
      self->moved_at = began_at;
      schedule_leave (cpu);
    }
}
