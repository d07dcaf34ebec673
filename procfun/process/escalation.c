/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/escalation.h"

#include <signal.h>

/* A process stops when it next runs, or leaves the kernel; a family of thousands takes its time.
 * One that waits for a device is killed as it is: who is born meanwhile is then not found. */
#define STOP_US 1000 /* and twice as long after each look */
#define STOP_LOOKS_MAX 6

/* SIGKILL needs no second time, except for who was born meanwhile. */
#define KILL_AGAIN_US 100000

/* A process that may be killed dies as soon as the kernel lets it, which may have to write or free
 * much. */
#define DIE_MAX_US (10 * G_USEC_PER_SEC)

static void
wait_grace (Escalation *self, ProcfunStep step)
{
  self->step = step;
  self->next_at = g_get_monotonic_time () + self->grace;
}

static gint64
get_time_to_die (const Escalation *self)
{
  return process_may_be_signalled (self->process) ? DIE_MAX_US : KILL_AGAIN_US;
}

void
escalation_kill (Escalation *self)
{
  const gint64 now = g_get_monotonic_time ();

  if (self->in_vain_at == 0)
    self->in_vain_at = now + get_time_to_die (self);
  self->step = PROCFUN_STEP_KILL;
  if (self->cgroup == NULL || !cgroup_kill (self->cgroup))
    {
      if (!process_stop_all (self->process) && self->n_looks < STOP_LOOKS_MAX)
        {
          self->next_at = g_get_monotonic_time () + (STOP_US << self->n_looks++);
          return;
        }
      process_kill_all (self->process);
    }
  self->next_at = now + KILL_AGAIN_US;
}

/* A process that was stopped would see SIGTERM only when it goes on. */
static void
terminate (Escalation *self)
{
  if (!process_note_descendants (self->process))
    {
      escalation_kill (self);
      return;
    }
  process_signal (self->process, SIGTERM);
  process_signal (self->process, SIGCONT);
  wait_grace (self, PROCFUN_STEP_TERMINATE);
}

static void
ask (Escalation *self)
{
  if (!process_note_descendants (self->process))
    {
      escalation_kill (self);
      return;
    }
  channel_send (self->channel, FRAME_CANCEL, self->call_id, NULL, 0, NULL, NULL);
  channel_out_flush (&self->channel->out);
  wait_grace (self, PROCFUN_STEP_CANCELLABLE);
}

void
escalation_begin (Escalation *self)
{
  if (self->step != PROCFUN_STEP_NONE)
    return;
  if (self->grace == 0)
    escalation_kill (self);
  else if (self->listens)
    ask (self);
  else
    terminate (self);
}

void
escalation_advance (Escalation *self)
{
  if (self->next_at == 0 || g_get_monotonic_time () < self->next_at)
    return;
  if (self->step == PROCFUN_STEP_CANCELLABLE)
    terminate (self);
  else
    escalation_kill (self);
}

gboolean
escalation_is_in_vain (const Escalation *self)
{
  return self->in_vain_at > 0 && g_get_monotonic_time () >= self->in_vain_at;
}
