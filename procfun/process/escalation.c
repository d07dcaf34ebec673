/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/escalation.h"

#include <signal.h>

/* SIGKILL needs no second time, except for who was born meanwhile. */
#define KILL_AGAIN_US 100000

static void
wait_grace (Escalation *self, ProcfunStep step)
{
  self->step = step;
  self->next_at = g_get_monotonic_time () + self->grace;
}

void
escalation_kill (Escalation *self)
{
  if (self->cgroup == NULL || !cgroup_kill (self->cgroup))
    process_kill_all (self->process);
  self->step = PROCFUN_STEP_KILL;
  self->next_at = g_get_monotonic_time () + KILL_AGAIN_US;
}

/* A process that was stopped would see SIGTERM only when it goes on. */
static void
terminate (Escalation *self)
{
  process_note_descendants (self->process);
  process_signal (self->process, SIGTERM);
  process_signal (self->process, SIGCONT);
  wait_grace (self, PROCFUN_STEP_TERMINATE);
}

static void
ask (Escalation *self)
{
  process_note_descendants (self->process);
  channel_send (self->channel, FRAME_CANCEL, self->call_id, NULL, 0, NULL, NULL);
  channel_flush (self->channel);
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
