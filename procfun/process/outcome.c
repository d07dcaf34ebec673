/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/outcome.h"

#include "procfun/base/intl.h"
#include "procfun/base/usage.h"
#include "procfun/core/call.h"
#include "procfun/core/failure.h"
#include "procfun/process/crash-report.h"
#include "procfun/process/verdict.h"
#include "procfun/procfun-error.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void
outcome_init (Outcome *self, ProcfunCall *call, int pid)
{
  *self = (Outcome){ .call = call, .pid = pid };
}

void
outcome_clear (Outcome *self)
{
  g_clear_pointer (&self->result, g_variant_unref);
  g_clear_error (&self->error);
  g_clear_pointer (&self->failure, procfun_failure_unref);
}

gboolean
outcome_is_known (const Outcome *self)
{
  return self->result != NULL || self->error != NULL;
}

void
outcome_succeed (Outcome *self, GVariant *result)
{
  if (outcome_is_known (self))
    g_variant_unref (result);
  else
    self->result = result;
}

void
outcome_revoke_result (Outcome *self)
{
  if (self->result != NULL)
    procfun_call_take_result_fd_list (self->call, NULL);
  g_clear_pointer (&self->result, g_variant_unref);
}

static const char *
get_name (const Outcome *self)
{
  return procfun_function_get_name (procfun_call_peek_function (self->call));
}

static ProcfunFailure *
make_failure (Outcome *self, ProcfunCause cause)
{
  ProcfunFailure *failure = procfun_failure_new (cause, get_name (self));

  failure->pid = self->pid;
  failure->limits = self->limits != NULL ? procfun_limits_copy (self->limits) : NULL;
  return failure;
}

void
outcome_fail (Outcome *self, ProcfunCause cause, GError *error)
{
  if (outcome_is_known (self))
    {
      g_error_free (error);
      return;
    }
  self->error = error;
  if (self->failure == NULL)
    self->failure = make_failure (self, cause);
  self->failure->cause = cause;
}

void
outcome_fail_by (Outcome *self, ProcfunCause cause, ProcfunError code, char *sentence)
{
  if (outcome_is_known (self))
    {
      g_free (sentence);
      return;
    }
  outcome_fail (self, cause, g_error_new_literal (PROCFUN_ERROR, (int)code, sentence));
  self->failure->verdict = sentence;
}

void
outcome_exit (Outcome *self, int code)
{
  if (outcome_is_known (self))
    return;
  outcome_fail_by (self, PROCFUN_CAUSE_EXITED, PROCFUN_ERROR_EXITED,
                   g_strdup_printf (_ ("ended its process by exit (%d)"), code));
  self->failure->exit_code = code;
}

void
outcome_set_usage (Outcome *self, const ProcfunUsage *usage)
{
  self->has_usage = TRUE;
  self->usage = *usage;
}

/* Smaller values are not checked: reading the clock costs more than the check is worth. */
#define TIME_UNDOUBTED_US ((guint64)G_USEC_PER_SEC / 10)
#define NUMBER_UNDOUBTED ((guint64)1 << 20)

/* The kernel counts CPU time in ticks. */
#define TICK_US 20000

static gboolean
is_small (const ProcfunUsage *usage)
{
  return (guint64)usage->wall_time < TIME_UNDOUBTED_US
         && (guint64)usage->user_time < TIME_UNDOUBTED_US
         && (guint64)usage->system_time < TIME_UNDOUBTED_US
         && usage->peak_memory < NUMBER_UNDOUBTED << 12 && usage->minor_faults < NUMBER_UNDOUBTED
         && usage->major_faults < NUMBER_UNDOUBTED && usage->voluntary_switches < NUMBER_UNDOUBTED
         && usage->involuntary_switches < NUMBER_UNDOUBTED;
}

/* No event of a processor takes less than a tenth of a microsecond. */
static void
cut_usage (ProcfunUsage *usage, gint64 wall_time)
{
  const gint64 cpu_time = (wall_time + TICK_US) * (gint64)g_get_num_processors ();
  const guint64 n_events = 10 * (guint64)cpu_time;
  const guint64 memory = (guint64)sysconf (_SC_PHYS_PAGES) * (guint64)sysconf (_SC_PAGESIZE);

  usage->wall_time = CLAMP (usage->wall_time, 0, wall_time);
  usage->user_time = CLAMP (usage->user_time, 0, cpu_time);
  usage->system_time = CLAMP (usage->system_time, 0, cpu_time);
  usage->peak_memory = MIN (usage->peak_memory, memory);
  usage->minor_faults = MIN (usage->minor_faults, n_events);
  usage->major_faults = MIN (usage->major_faults, n_events);
  usage->voluntary_switches = MIN (usage->voluntary_switches, n_events);
  usage->involuntary_switches = MIN (usage->involuntary_switches, n_events);
}

void
outcome_set_told_usage (Outcome *self, gconstpointer data)
{
  ProcfunUsage usage;

  memcpy (&usage, data, sizeof usage);
  if (!is_small (&usage))
    cut_usage (&usage, g_get_monotonic_time () - procfun_call_get_submitted_at (self->call));
  outcome_set_usage (self, &usage);
}

/* Finds the cause from what the process left, since nothing else tells it. */
static void
judge (Outcome *self, const OutcomeRemains *remains, const CrashFacts *crash,
       const char *last_words)
{
  VerdictFacts facts = { .limits = self->limits,
                         .has_status = remains->has_status,
                         .wait_status = remains->wait_status,
                         .signum = crash->died ? self->failure->signum : 0,
                         .signal_code = self->failure->signal_code,
                         .crash_errno = crash->error_number,
                         .memory_exhausted = crash->memory_exhausted,
                         .files_exhausted = crash->files_exhausted,
                         .last_words = last_words,
                         .cpu_time = remains->cpu_time,
                         .oom_killed = remains->oom_killed,
                         .fork_refused = remains->fork_refused };
  Verdict verdict = verdict_find (&facts);

  outcome_fail_by (self, verdict.cause, verdict.code, verdict_to_string (&verdict, &facts));
}

/* The function is not to blame for a process that ended before HELLO. */
static void
fail_to_start (Outcome *self, const OutcomeRemains *remains)
{
  g_autofree char *how = verdict_describe_start (remains->has_status, remains->wait_status);
  GError *error;

  if (remains->initializer != NULL)
    error = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                         _ ("the process for calls could not be prepared by %s(): %s"),
                         remains->initializer, how);
  else
    error = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                         _ ("the process for %s() did not start: %s"), get_name (self), how);
  outcome_fail (self, PROCFUN_CAUSE_START, error);
}

static gboolean
is_killed (const OutcomeRemains *remains)
{
  return remains->has_status && WIFSIGNALED (remains->wait_status)
         && WTERMSIG (remains->wait_status) == SIGKILL;
}

static void
fill_failure (ProcfunFailure *failure, const OutcomeRemains *remains)
{
  gboolean has_status = remains->has_status;

  failure->step = remains->step;
  if (has_status && WIFEXITED (remains->wait_status) && failure->exit_code < 0
      && failure->cause == PROCFUN_CAUSE_EXITED)
    failure->exit_code = WEXITSTATUS (remains->wait_status);
  if (has_status && WIFSIGNALED (remains->wait_status))
    {
      int died_of = WTERMSIG (remains->wait_status);

      if (failure->signum == 0)
        failure->signum = died_of;
      else if (failure->signum != died_of)
        failure->wait_signum = died_of;
    }
  failure->stdout_tail = output_get_tail (remains->outputs[PROCFUN_STREAM_STDOUT]);
  failure->stderr_tail = output_get_tail (remains->outputs[PROCFUN_STREAM_STDERR]);
}

static void
give_failure (Outcome *self, const OutcomeRemains *remains)
{
  ProcfunFailure *failure = g_steal_pointer (&self->failure);

  fill_failure (failure, remains);
  if (self->has_usage)
    failure->usage = procfun_usage_copy (&self->usage);
  if (failure->verdict != NULL)
    {
      g_free (self->error->message);
      self->error->message = failure_summarise (failure);
    }
  procfun_call_take_failure (self->call, failure);
}

/* (transfer full) (nullable) */
static char *
make_last_words (const OutcomeRemains *remains)
{
  g_autoptr (GBytes) tail = output_get_tail (remains->outputs[PROCFUN_STREAM_STDERR]);
  gsize size;
  const char *text = g_bytes_get_data (tail, &size);

  return size > 0 ? g_utf8_make_valid (text, (gssize)size) : NULL;
}

/* There is no result: reads what the process left. */
static void
look_into (Outcome *self, const OutcomeRemains *remains)
{
  CrashFacts crash = { 0 };

  if (self->failure == NULL)
    self->failure = make_failure (self, PROCFUN_CAUSE_CRASHED);
  crash_report_parse (remains->report, remains->request, remains->names, self->failure, &crash);
  if (crash.has_usage && !self->has_usage)
    outcome_set_told_usage (self, &crash.usage);
  if (outcome_is_known (self))
    return;
  if (remains->lost && (!remains->has_status || is_killed (remains)))
    outcome_fail_by (self, PROCFUN_CAUSE_WORKER_LOST, PROCFUN_ERROR_WORKER_LOST,
                     g_strdup (_ ("lost its process, with the one that forked it")));
  else if (!remains->greeted && !is_killed (remains))
    fail_to_start (self, remains);
  else
    {
      g_autofree char *last_words = make_last_words (remains);

      crash_report_read_words (last_words, self->failure);
      judge (self, remains, &crash, last_words);
    }
}

void
outcome_settle (Outcome *self, const OutcomeRemains *remains)
{
  if (self->result == NULL)
    look_into (self, remains);
  self->usage.bytes_in = remains->bytes_in;
  self->usage.bytes_out = remains->bytes_out;
  if (self->error != NULL)
    give_failure (self, remains);
  if (self->has_usage)
    procfun_call_set_usage (self->call, &self->usage);
}

void
outcome_revoke (Outcome *self, GError *error)
{
  g_clear_pointer (&self->result, g_variant_unref);
  outcome_fail (self, PROCFUN_CAUSE_CANCELLED, error);
}

GVariant *
outcome_take (Outcome *self, GError **error)
{
  if (self->error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->error));
  return g_steal_pointer (&self->result);
}
