/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/exchange-clocks.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/platform/limits-apply.h"

/* How long a process that has answered, closed its channel or reported its death may take to end by
 * itself. */
#define END_WAIT_US (2 * G_USEC_PER_SEC)

/* How long a process may take to write the stacks of its threads before it is ended for lack of
 * time. */
#define STACKS_WAIT_US 50000

/* How long a result may be on its way without a byte that comes. */
#define STALL_US (10 * G_USEC_PER_SEC)

/* A small call needs the processor itself; a longer one leaves it to others. */
#define FORK_AHEAD_US 1000

void
clocks_init (Clocks *self, ProcfunCall *call)
{
  *self = (Clocks){ .call = call,
                    .cpu_time = -1,
                    .deadline_at = procfun_call_get_deadline_time (call) };
}

static gint64
get_cpu_budget (const Clocks *self)
{
  return self->limits != NULL ? procfun_limits_get_cpu_time (self->limits) : 0;
}

static void
set_timeout (Clocks *self)
{
  gint64 timeout = procfun_call_get_effective_timeout (self->call);

  if (timeout > 0)
    self->timeout_at = (self->began_at > 0 ? self->began_at : g_get_monotonic_time ()) + timeout;
}

void
clocks_limit_preparation (Clocks *self)
{
  set_timeout (self);
}

void
clocks_start (Clocks *self, Process *process)
{
  self->is_started = TRUE;
  if (get_cpu_budget (self) > 0)
    self->cpu_at_start = limits_read_cpu_time (process_get_pid (process));
  set_timeout (self);
}

void
clocks_note_return (Clocks *self, guint64 n_bytes)
{
  if (self->timeout_at == 0 || (self->has_returned && n_bytes <= self->n_came))
    return;
  self->has_returned = TRUE;
  self->n_came = n_bytes;
  self->timeout_at = g_get_monotonic_time () + STALL_US;
}

static gboolean
is_over (gint64 time, gint64 now)
{
  return time > 0 && now >= time;
}

void
clocks_take_earlier (gint64 *time, gint64 other)
{
  if (other > 0 && (*time < 0 || other < *time))
    *time = other;
}

static double
to_seconds (gint64 us)
{
  return (double)us / G_USEC_PER_SEC;
}

/* Reading the time is not free, and most calls have no limit on it. */
static char *
check_time (Clocks *self)
{
  gint64 now;

  if (self->timeout_at == 0 && self->deadline_at == 0)
    return NULL;
  now = g_get_monotonic_time ();
  if (is_over (self->timeout_at, now) && self->has_returned)
    return g_strdup (_ ("returned, but its result did not come"));
  if (is_over (self->timeout_at, now))
    return g_strdup_printf (_ ("timed out after %.6g s"),
                            to_seconds (procfun_call_get_effective_timeout (self->call)));
  if (is_over (self->deadline_at, now))
    return g_strdup_printf (_ ("missed its deadline of %.6g s"),
                            to_seconds (procfun_call_get_settings (self->call)->deadline));
  return NULL;
}

gboolean
clocks_is_time_up (const Clocks *self)
{
  const gint64 now = g_get_monotonic_time ();

  return is_over (self->timeout_at, now) || is_over (self->deadline_at, now);
}

gint64
clocks_get_time_up (const Clocks *self)
{
  gint64 time = -1;

  clocks_take_earlier (&time, self->timeout_at);
  clocks_take_earlier (&time, self->deadline_at);
  return time;
}

/* Read when the budget could be used up at the earliest, and not more often. */
static char *
check_cpu_time (Clocks *self, Process *process)
{
  gint64 budget = get_cpu_budget (self);
  pid_t pid = process_get_pid (process);
  gint64 now, used;

  if (budget == 0 || !self->is_started)
    return NULL;
  now = g_get_monotonic_time ();
  if (now < self->cpu_check_at)
    return NULL;
  used = limits_read_cpu_time (pid) - self->cpu_at_start;
  if (process_has_died (process))
    return NULL; /* the number may belong to another process */
  self->cpu_time = used;
  self->cpu_check_at = now + limits_get_cpu_wait (budget - used, limits_count_cpus (pid));
  if (used < budget)
    return NULL;
  return g_strdup_printf (_ ("used more CPU time than its limit of %.6g s allows"),
                          to_seconds (budget));
}

gboolean
clocks_check (Clocks *self, Process *process, ClocksDue *due)
{
  *due = (ClocksDue){ PROCFUN_CAUSE_TIMED_OUT, PROCFUN_ERROR_TIMED_OUT, check_time (self) };
  if (due->sentence == NULL)
    *due = (ClocksDue){ PROCFUN_CAUSE_CPU_LIMIT, PROCFUN_ERROR_CPU_LIMIT,
                        check_cpu_time (self, process) };
  return due->sentence != NULL;
}

void
clocks_await_end (Clocks *self)
{
  if (self->end_by == 0)
    self->end_by = g_get_monotonic_time () + END_WAIT_US;
}

/* TRUE, once: @time is over. */
static gboolean
take (gint64 *time)
{
  if (*time == 0 || g_get_monotonic_time () < *time)
    return FALSE;
  *time = 0;
  return TRUE;
}

gboolean
clocks_take_end (Clocks *self)
{
  return take (&self->end_by);
}

void
clocks_await_stacks (Clocks *self)
{
  self->asked_for_stacks = TRUE;
  self->stacks_until = g_get_monotonic_time () + STACKS_WAIT_US;
}

gboolean
clocks_take_stacks (Clocks *self, gboolean have_stacks)
{
  if (self->stacks_until > 0 && have_stacks)
    self->stacks_until = 1;
  return take (&self->stacks_until);
}

void
clocks_delay_spares (Clocks *self)
{
  self->fork_ahead_at = g_get_monotonic_time () + FORK_AHEAD_US;
}

gboolean
clocks_take_spares (Clocks *self)
{
  return take (&self->fork_ahead_at);
}

gint64
clocks_get_wake_time (const Clocks *self, gboolean is_decided)
{
  gint64 time = -1;

  if (!is_decided)
    {
      clocks_take_earlier (&time, self->timeout_at);
      clocks_take_earlier (&time, self->deadline_at);
      clocks_take_earlier (&time, self->cpu_check_at);
    }
  clocks_take_earlier (&time, self->end_by);
  clocks_take_earlier (&time, self->stacks_until);
  clocks_take_earlier (&time, self->fork_ahead_at);
  return time;
}
