/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/exchange-private.h"

#include "procfun/base/intl.h"
#include "procfun/base/usage.h"
#include "procfun/core/call-debug.h"
#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/limits-apply.h"
#include "procfun/platform/usage-measure.h"
#include "procfun/process/crash-report.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

/* A child that has answered, closed its channel or reported its death ends by itself; when it does
 * not within this time, it is ended. */
#define END_WAIT_US (2 * G_USEC_PER_SEC)

/* Where the kernel has no pidfds, for which nothing can wait: as long as the channel is open, its
 * end mostly tells. */
#define BLIND_STEP_US 1000
#define BLIND_STEP_OPEN_US 20000

/* When a stream of the program is full. */
#define HELD_UP_STEP_US 5000

/* What a process needs to write the stacks of its threads, before it is ended for lack of time. */
#define STACKS_WAIT_US 50000

/* What comes of it */

void
exchange_await_end (Exchange *self)
{
  if (self->end_by == 0 && !(self->answered && self->worker.is_kept))
    self->end_by = g_get_monotonic_time () + END_WAIT_US;
}

/* It may not be able to say so itself any more. */
static void
measure (Exchange *self)
{
  ProcfunUsage usage = { 0 };

  if (usage_of_process (process_get_pid (self->worker.process), &usage)
      && !process_has_died (self->worker.process))
    outcome_set_usage (&self->outcome, &usage);
}

void
exchange_fail (Exchange *self, ProcfunCause cause, GError *error)
{
  outcome_fail (&self->outcome, cause, error);
  exchange_await_end (self);
}

void
exchange_fail_and_kill (Exchange *self, ProcfunCause cause, GError *error)
{
  exchange_fail (self, cause, error);
  escalation_kill (&self->escalation);
}

void
exchange_break_off (Exchange *self, ProcfunCause cause, ProcfunError code, char *sentence)
{
  measure (self);
  outcome_fail_by (&self->outcome, cause, code, sentence);
  escalation_kill (&self->escalation);
}

/* Asks first. What it says from now on changes nothing. */
static void
fail_and_end (Exchange *self, ProcfunCause cause, GError *error)
{
  measure (self);
  outcome_fail (&self->outcome, cause, error);
  escalation_begin (&self->escalation);
}

static void
receive_report (Exchange *self)
{
  while (self->worker.report_fd >= 0)
    {
      guint8 data[4096];
      gssize n = read (self->worker.report_fd, data, sizeof data);

      if (n > 0 && self->report == NULL)
        self->report = g_byte_array_new ();
      if (n > 0 && self->report->len < CRASH_REPORT_MAX)
        g_byte_array_append (self->report, data, (guint)n);
      else if (n >= 0 || (errno != EINTR && errno != EAGAIN))
        fd_clear (&self->worker.report_fd);
      else if (errno == EAGAIN)
        return;
    }
}

static void
receive_output (Exchange *self)
{
  const ProcfunLimits *limits = self->call->limits;
  guint64 limit = limits != NULL ? procfun_limits_get_output_size (limits) : 0;
  guint64 size = 0;

  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    {
      if ((self->ready & (READY_OUTPUT << i)) != 0 || output_is_held_up (&self->outputs[i]))
        output_advance (&self->outputs[i], self->call);
      size += output_get_size (&self->outputs[i]);
    }
  if (limit > 0 && size > limit && !outcome_is_known (&self->outcome))
    exchange_break_off (self, PROCFUN_CAUSE_LIMIT, PROCFUN_ERROR_LIMIT,
                        g_strdup (_ ("printed more than its limit allows")));
}

/* When it must end */

static void
check_cancelled (Exchange *self)
{
  GError *error = NULL;

  if (!canceller_set_error_if_cancelled (self->call->canceller, &error))
    return;
  if (g_atomic_int_get (&self->call->is_urgent))
    self->escalation.grace = 0;
  fail_and_end (self, PROCFUN_CAUSE_CANCELLED, error);
}

static gboolean
is_over (gint64 time, gint64 now)
{
  return time > 0 && now >= time;
}

static void
time_out (Exchange *self, char *sentence)
{
  measure (self);
  outcome_fail_by (&self->outcome, PROCFUN_CAUSE_TIMED_OUT, PROCFUN_ERROR_TIMED_OUT, sentence);
  if (!self->worker.has_greeted || self->escalation.step != PROCFUN_STEP_NONE)
    {
      escalation_begin (&self->escalation);
      return;
    }
  self->asked_for_stacks = TRUE;
  process_signal_alone (self->worker.process, CRASH_STACKS_SIGNAL);
  self->stacks_until = g_get_monotonic_time () + STACKS_WAIT_US;
}

/* What it was doing when its time was up has been told, or it does not tell. */
static void
check_stacks (Exchange *self)
{
  if (self->stacks_until == 0
      || (g_get_monotonic_time () < self->stacks_until
          && (self->report == NULL
              || !crash_report_has_stacks (self->report->data, self->report->len))))
    return;
  self->stacks_until = 0;
  escalation_begin (&self->escalation);
}

static double
to_seconds (gint64 us)
{
  return (double)us / G_USEC_PER_SEC;
}

/* To ask for the time is not free, and most calls have as long as they like. */
static void
check_clocks (Exchange *self)
{
  gint64 now;

  if (self->timeout_at == 0 && self->deadline_at == 0)
    return;
  now = g_get_monotonic_time ();
  if (is_over (self->timeout_at, now))
    time_out (self, g_strdup_printf (_ ("timed out after %.6g s"),
                                     to_seconds (procfun_call_get_effective_timeout (self->call))));
  else if (is_over (self->deadline_at, now))
    time_out (self, g_strdup_printf (_ ("missed its deadline of %.6g s"),
                                     to_seconds (self->call->deadline)));
}

/* Looked at when it could be used up at the earliest, and not more often. */
static void
check_cpu_time (Exchange *self)
{
  const ProcfunLimits *limits = self->call->limits;
  gint64 budget = limits != NULL ? procfun_limits_get_cpu_time (limits) : 0;
  pid_t pid = process_get_pid (self->worker.process);
  gint64 now, used;

  if (budget == 0 || !self->worker.has_greeted)
    return;
  now = g_get_monotonic_time ();
  if (now < self->cpu_check_at)
    return;
  used = limits_read_cpu_time (pid) - self->cpu_at_hello;
  if (process_has_died (self->worker.process))
    return; /* the number may be somebody else's */
  self->cpu_time = used;
  self->cpu_check_at = now + limits_get_cpu_wait (budget - used, limits_count_cpus (pid));
  if (used >= budget)
    exchange_break_off (self, PROCFUN_CAUSE_CPU_LIMIT, PROCFUN_ERROR_CPU_LIMIT,
                        g_strdup_printf (_ ("used more CPU time than its limit of %.6g s allows"),
                                         to_seconds (budget)));
}

static gboolean
has_crashed (Exchange *self)
{
  return self->report != NULL && crash_report_has_death (self->report->data, self->report->len);
}

/* It has answered, closed its channel or crashed, and should be gone. What it died of it has said;
 * a signal handler that looks at a broken stack, or that locks of its program keep waiting, may not
 * come to an end. */
static void
check_end (Exchange *self)
{
  if (self->end_by == 0 || g_get_monotonic_time () < self->end_by)
    return;
  self->end_by = 0;
  if (!has_crashed (self))
    exchange_break_off (self, PROCFUN_CAUSE_PROTOCOL, PROCFUN_ERROR_PROTOCOL,
                        g_strdup (_ ("closed its channel without an answer")));
  else if (process_is_examined (self->worker.process))
    exchange_await_end (self);
  else
    escalation_kill (&self->escalation);
}

/* What it printed may be noticed after what it answered; whether that was too much must not depend
 * on it. */
static void
finish_outputs (Exchange *self, guint ready)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    {
      output_finish (&self->outputs[i], self->call, (ready & (READY_OUTPUT << i)) != 0);
      if (!output_is_over_limit (&self->outputs[i]))
        continue;
      outcome_revoke_result (&self->outcome);
      outcome_fail_by (&self->outcome, PROCFUN_CAUSE_LIMIT, PROCFUN_ERROR_LIMIT,
                       g_strdup (_ ("printed more than its limit allows")));
    }
}

static void
handle_death (Exchange *self)
{
  OutcomeRemains remains
      = { .step = self->escalation.step, .cpu_time = self->cpu_time, .bytes_in = self->bytes_in };
  g_autoptr (GBytes) report = NULL;

  remains.lost = worker_is_lost (&self->worker);
  remains.has_status = process_get_status (self->worker.process, &remains.wait_status);
  exchange_receive (self); /* what it had still written, maybe even its hello */
  remains.greeted = self->worker.has_greeted;
  receive_report (self);
  finish_outputs (self, G_MAXUINT);
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    remains.outputs[i] = &self->outputs[i];
  process_signal (self->worker.process, SIGKILL); /* whom it left behind in its group */
  process_kill_noted (self->worker.process);
  if (self->worker.cgroup != NULL)
    {
      cgroup_kill (self->worker.cgroup);
      remains.oom_killed = cgroup_was_oom_killed (self->worker.cgroup);
      remains.fork_refused = cgroup_get_refused_processes (self->worker.cgroup) > 0;
    }
  remains.bytes_out = self->bytes_out;
  remains.report = report = self->report != NULL
                                ? g_bytes_new (self->report->data, self->report->len)
                                : g_bytes_new (NULL, 0);
  outcome_settle (&self->outcome, &remains);
  if (debug_has (DEBUG_WORKERS))
    call_debug_log (self->call, self->outcome.pid, "process %d has ended, wait status 0x%x",
                    self->outcome.pid, remains.has_status ? (guint)remains.wait_status : 0);
  self->done = TRUE;
}

/* The function has returned and all below it is dead; closing the lifeline sees to the process
 * itself, whose last moments nobody needs to wait for. */
gboolean
exchange_has_answered (Exchange *self)
{
  if (self->worker.is_kept)
    return self->answered;
  return self->outcome.result != NULL && self->escalation.step == PROCFUN_STEP_NONE
         && exchange_takes_result_for_end (&self->worker);
}

static void
handle_answer (Exchange *self)
{
  OutcomeRemains remains = { .greeted = TRUE,
                             .cpu_time = self->cpu_time,
                             .bytes_in = self->bytes_in,
                             .bytes_out = self->bytes_out };

  finish_outputs (self, self->ready);
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    remains.outputs[i] = &self->outputs[i];
  outcome_settle (&self->outcome, &remains);
  if (debug_has (DEBUG_WORKERS))
    call_debug_log (self->call, self->outcome.pid, "process %d has ended with a result",
                    self->outcome.pid);
  self->done = TRUE;
}

/* One that was there before needs to say no hello. */
static void
start (Exchange *self)
{
  if (self->started || !self->worker.has_greeted)
    return;
  self->started = TRUE;
  exchange_start_clocks (self);
}

/* Only what poll() has found, since each look at the others would be a system call. */
static void
receive (Exchange *self)
{
  receive_output (self); /* first: it was written before the result, and may be too much */
  if ((self->ready & READY_CHANNEL) != 0 && exchange_receive (self) > 1)
    exchange_look (self); /* for what was printed between two frames */
  if ((self->ready & READY_REPORT) == 0)
    return;
  receive_report (self);
  if (has_crashed (self))
    exchange_await_end (self);
}

/* A small call needs the processor itself. */
static void
check_spares (Exchange *self)
{
  if (self->worker.n_spares > 0 && is_over (self->fork_ahead_at, g_get_monotonic_time ()))
    worker_fork_ahead (&self->worker);
}

static void
check_bounds (Exchange *self)
{
  check_cancelled (self);
  if (!outcome_is_known (&self->outcome))
    check_clocks (self);
  if (!outcome_is_known (&self->outcome))
    check_cpu_time (self);
}

static gboolean
has_died (Exchange *self)
{
  return ((self->ready & READY_DEATH) != 0 || process_get_pidfd (self->worker.process) < 0)
         && process_has_died (self->worker.process);
}

/* What it said before that counts: that it listens, or an answer. */
static void
receive_before_end (Exchange *self)
{
  if (self->done || outcome_is_known (&self->outcome)
      || !canceller_is_cancelled (self->call->canceller))
    return;
  exchange_look (self);
  self->ready |= READY_CHANNEL;
  receive (self);
}

gboolean
exchange_advance (Exchange *self)
{
  if (self->done)
    return TRUE;
  start (self);
  channel_flush (self->worker.channel);
  receive (self);
  receive_before_end (self);
  if (self->done) /* by who was called meanwhile */
    return TRUE;
  if (!outcome_is_known (&self->outcome))
    check_bounds (self);
  if (exchange_has_answered (self))
    handle_answer (self);
  else if (has_died (self))
    handle_death (self);
  else
    {
      check_spares (self);
      check_stacks (self);
      check_end (self);
      escalation_advance (&self->escalation);
    }
  self->ready = 0;
  return self->done;
}

/* What to wait for */

void
exchange_get_fds (Exchange *self, GPollFD fds[EXCHANGE_N_FDS])
{
  gushort channel_events = G_IO_IN;

  if (channel_has_output (self->worker.channel))
    channel_events |= G_IO_OUT;
  fds[0] = (GPollFD){ self->channel_ended ? -1 : channel_get_fd (self->worker.channel),
                      channel_events, 0 };
  fds[1] = (GPollFD){ process_get_pidfd (self->worker.process), G_IO_IN, 0 };
  fds[2] = (GPollFD){ self->worker.report_fd, G_IO_IN, 0 };
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    fds[3 + i] = (GPollFD){ output_get_fd (&self->outputs[i]), G_IO_IN, 0 };
}

void
exchange_note_ready (Exchange *self, const GPollFD fds[EXCHANGE_N_FDS])
{
  for (guint i = 0; i < EXCHANGE_N_FDS; i++)
    if (fds[i].fd >= 0 && fds[i].revents != 0)
      self->ready |= 1U << i;
}

/* In the order of exchange_get_fds(): what is no stream tells by itself. */
#define FIRST_STREAM 2

void
exchange_look (Exchange *self)
{
  GPollFD fds[EXCHANGE_N_FDS];

  exchange_get_fds (self, fds);
  g_poll (fds + FIRST_STREAM, EXCHANGE_N_FDS - FIRST_STREAM, 0);
  exchange_note_ready (self, fds);
}

void
exchange_note_input (Exchange *self)
{
  self->ready |= READY_CHANNEL;
}

/* A process that was forked ahead sleeps until its call comes, and may be woken on this processor.
 * Others get that when this one sleeps, but not when it yields, for each session can have a share
 * of its own: sched(7), autogroup. */
static gboolean
is_waking_up (Exchange *self)
{
  return self->worker.parent != NULL && !self->worker.is_kept && self->bytes_out == 0;
}

/* What was printed before the answer is there, too. */
gboolean
exchange_yield (Exchange *self)
{
  if (self->channel_ended || is_waking_up (self) || !channel_yield (self->worker.channel))
    return FALSE;
  exchange_look (self);
  self->ready |= READY_CHANNEL;
  return TRUE;
}

gboolean
exchange_fall_asleep (Exchange *self)
{
  if (self->channel_ended || !channel_fall_asleep (self->worker.channel))
    return FALSE;
  self->ready |= READY_CHANNEL;
  return TRUE;
}

static void
take_earlier (gint64 *time, gint64 other)
{
  if (other > 0 && (*time < 0 || other < *time))
    *time = other;
}

gint64
exchange_get_wake_time (Exchange *self)
{
  gint64 time = -1;

  if (self->worker.has_greeted && !self->started)
    return g_get_monotonic_time ();
  if (!outcome_is_known (&self->outcome))
    {
      take_earlier (&time, self->timeout_at);
      take_earlier (&time, self->deadline_at);
      take_earlier (&time, self->cpu_check_at);
    }
  if (self->worker.n_spares > 0)
    take_earlier (&time, self->fork_ahead_at);
  take_earlier (&time, self->end_by);
  take_earlier (&time, self->stacks_until);
  take_earlier (&time, self->escalation.next_at);
  if (process_get_pidfd (self->worker.process) < 0)
    take_earlier (&time, g_get_monotonic_time ()
                             + (self->channel_ended ? BLIND_STEP_US : BLIND_STEP_OPEN_US));
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    if (output_is_held_up (&self->outputs[i]))
      take_earlier (&time, g_get_monotonic_time () + HELD_UP_STEP_US);
  return time;
}

Canceller *
exchange_get_canceller (Exchange *self)
{
  return self->call->canceller;
}

GCancellable *
exchange_get_cancellable (Exchange *self)
{
  return canceller_get_cancellable (self->call->canceller);
}

gboolean
exchange_is_ending (Exchange *self)
{
  return outcome_is_known (&self->outcome);
}

gboolean
exchange_has_ended (Exchange *self)
{
  return self->done;
}

gboolean
exchange_has_item (Exchange *self)
{
  return !items_is_empty (&self->items);
}

GVariant *
exchange_take_item (Exchange *self)
{
  GError *error = NULL;
  GUnixFDList *fds;
  GVariant *item;

  if (exchange_has_item (self) && canceller_set_error_if_cancelled (self->call->canceller, &error))
    {
      items_clear (&self->items);
      outcome_revoke (&self->outcome, error);
      if (!self->done)
        escalation_begin (&self->escalation);
      return NULL;
    }
  item = items_pop (&self->items, &fds);
  if (item != NULL)
    {
      procfun_call_take_result_fd_list (self->call, fds);
      items_give_credit (&self->items, self->worker.channel, self->call_id);
    }
  return item;
}

GVariant *
exchange_finish (Exchange *self, GError **error)
{
  return outcome_take (&self->outcome, error);
}
