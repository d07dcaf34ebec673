/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/ending.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/core/call.h"
#include "procfun/platform/usage-measure.h"
#include "procfun/wire/crash.h"

void
ending_init (Ending *self, ProcfunCall *call, int pid)
{
  self->call = call;
  clocks_init (&self->clocks, call);
  outcome_init (&self->outcome, call, pid);
}

void
ending_clear (Ending *self)
{
  outcome_clear (&self->outcome);
  g_clear_pointer (&self->merged, procfun_limits_free);
}

static void
set_limits (Ending *self, const ProcfunLimits *own, const ProcfunLimits *others)
{
  if (own != NULL && others != NULL)
    self->merged = limits_merge (own, others);
  self->limits = self->merged != NULL ? self->merged : own != NULL ? own : others;
  self->clocks.limits = self->outcome.limits = self->limits;
}

void
ending_take_worker (Ending *self, Worker *worker)
{
  self->worker = worker;
  set_limits (self, procfun_call_get_settings (self->call)->limits, worker->limits);
  self->escalation = (Escalation){ .process = worker->process,
                                   .channel = worker->channel,
                                   .call_id = self->escalation.call_id,
                                   .cgroup = worker->cgroup,
                                   .grace = procfun_call_get_settings (self->call)->grace_period };
}

gboolean
ending_is_decided (const Ending *self)
{
  return outcome_is_known (&self->outcome);
}

void
ending_await (Ending *self)
{
  if (!(self->answered && self->worker->is_kept))
    clocks_await_end (&self->clocks);
}

/* The process may not be able to tell its usage any more. */
static void
measure (Ending *self)
{
  ProcfunUsage usage = { 0 };

  if (usage_of_process (process_get_pid (self->worker->process), &usage)
      && !process_has_died (self->worker->process))
    outcome_set_usage (&self->outcome, &usage);
}

void
ending_fail (Ending *self, ProcfunCause cause, GError *error)
{
  outcome_fail (&self->outcome, cause, error);
  ending_await (self);
}

void
ending_fail_and_kill (Ending *self, ProcfunCause cause, GError *error)
{
  ending_fail (self, cause, error);
  escalation_kill (&self->escalation);
}

void
ending_break_off (Ending *self, ProcfunCause cause, ProcfunError code, char *sentence)
{
  if (self->escalation.step == PROCFUN_STEP_KILL) /* the process may still send frame after frame */
    {
      g_free (sentence);
      return;
    }
  measure (self);
  outcome_fail_by (&self->outcome, cause, code, sentence);
  escalation_kill (&self->escalation);
}

/* Nothing that the process says from now on changes the outcome. */
static void
check_cancelled (Ending *self)
{
  GError *error = NULL;

  if (!canceller_set_error_if_cancelled (procfun_call_get_canceller (self->call), &error))
    return;
  if (procfun_call_is_urgent (self->call))
    self->escalation.grace = 0;
  measure (self);
  outcome_fail (&self->outcome, PROCFUN_CAUSE_CANCELLED, error);
  escalation_begin (&self->escalation);
}

static void
time_out (Ending *self, char *sentence)
{
  measure (self);
  outcome_fail_by (&self->outcome, PROCFUN_CAUSE_TIMED_OUT, PROCFUN_ERROR_TIMED_OUT, sentence);
  if (!self->worker->has_greeted || self->escalation.step != PROCFUN_STEP_NONE)
    {
      escalation_begin (&self->escalation);
      return;
    }
  process_signal_alone (self->worker->process, CRASH_STACKS_SIGNAL);
  clocks_await_stacks (&self->clocks);
}

void
ending_check (Ending *self)
{
  ClocksDue due;

  check_cancelled (self);
  if (ending_is_decided (self) || !clocks_check (&self->clocks, self->worker->process, &due))
    return;
  if (due.cause == PROCFUN_CAUSE_TIMED_OUT)
    time_out (self, due.sentence);
  else
    ending_break_off (self, due.cause, due.code, due.sentence);
}

/* A process that has reported a crash has said what it died of. It may not come to its end: a
 * signal handler may look at a broken stack, or wait for a lock of its program. */
static void
end_late (Ending *self, const Streams *streams)
{
  if (!streams_has_death (streams))
    ending_break_off (self, PROCFUN_CAUSE_PROTOCOL, PROCFUN_ERROR_PROTOCOL,
                      g_strdup (_ ("closed its channel without an answer")));
  else if (process_is_examined (self->worker->process))
    ending_await (self);
  else
    escalation_kill (&self->escalation);
}

void
ending_advance (Ending *self, const Streams *streams)
{
  if (clocks_take_spares (&self->clocks))
    worker_fork_ahead (self->worker);
  if (clocks_take_stacks (&self->clocks, streams_has_stacks (streams)))
    escalation_begin (&self->escalation);
  if (clocks_take_end (&self->clocks))
    end_late (self, streams);
  escalation_advance (&self->escalation);
}

gint64
ending_get_wake_time (const Ending *self)
{
  gint64 time = clocks_get_wake_time (&self->clocks, ending_is_decided (self));
  gint64 step_at = self->escalation.next_at;

  return step_at > 0 && (time < 0 || step_at < time) ? step_at : time;
}
