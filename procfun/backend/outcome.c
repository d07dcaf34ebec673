/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/backend/outcome.h"

#include "procfun/backend/verdict.h"
#include "procfun/platform/intl.h"
#include "procfun/procfun-call-private.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-failure-private.h"
#include "procfun/procfun-usage-private.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

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
  g_clear_pointer (&self->usage, procfun_usage_free);
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

static const char *
get_name (const Outcome *self)
{
  return procfun_function_get_name (procfun_call_get_function (self->call));
}

void
outcome_fail (Outcome *self, ProcfunCause cause, GError *error)
{
  const ProcfunLimits *limits = procfun_call_get_limits (self->call);

  if (outcome_is_known (self))
    {
      g_error_free (error);
      return;
    }
  self->error = error;
  self->failure = procfun_failure_new (cause, get_name (self));
  self->failure->pid = self->pid;
  self->failure->limits = limits != NULL ? procfun_limits_copy (limits) : NULL;
}

void
outcome_exit (Outcome *self, int code)
{
  if (outcome_is_known (self))
    return;
  outcome_fail (self, PROCFUN_CAUSE_EXITED,
                g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_EXITED, _ ("%s() ended its process by exit (%d)"),
                             get_name (self), code));
  self->failure->exit_code = code;
}

void
outcome_set_usage (Outcome *self, gconstpointer data)
{
  if (self->usage == NULL)
    self->usage = g_new0 (ProcfunUsage, 1);
  memcpy (self->usage, data, sizeof *self->usage);
}

/* What the caller did to it, in the verdict's words. */
static VerdictEnded
get_ended (const Outcome *self)
{
  static const struct
  {
    ProcfunCause cause;
    VerdictEnded ended;
  } map[] = { { PROCFUN_CAUSE_TIMED_OUT, VERDICT_ENDED_TIMEOUT },
              { PROCFUN_CAUSE_CANCELLED, VERDICT_ENDED_CANCELLED },
              { PROCFUN_CAUSE_CPU_LIMIT, VERDICT_ENDED_CPU },
              { PROCFUN_CAUSE_LIMIT, VERDICT_ENDED_OUTPUT },
              { PROCFUN_CAUSE_PROTOCOL, VERDICT_ENDED_PROTOCOL } };

  for (guint i = 0; self->failure != NULL && i < G_N_ELEMENTS (map); i++)
    if (self->failure->cause == map[i].cause)
      return map[i].ended;
  return VERDICT_NOT_ENDED;
}

/* Nobody has said why it ended: what it left tells. */
static void
judge (Outcome *self, const OutcomeRemains *remains, const char *last_words)
{
  VerdictFacts facts = { .limits = procfun_call_get_limits (self->call),
                         .ended = get_ended (self),
                         .has_status = remains->has_status,
                         .wait_status = remains->wait_status,
                         .last_words = last_words,
                         .cpu_time = remains->cpu_time,
                         .oom_killed = remains->oom_killed,
                         .fork_refused = remains->fork_refused };
  g_autofree char *sentence = NULL;
  Verdict verdict;

  verdict = verdict_find (&facts);
  sentence = verdict_to_string (&verdict, &facts);
  outcome_fail (self, verdict.cause,
                g_error_new (verdict.domain, verdict.code, "%s() %s", get_name (self), sentence));
}

/* It was killed before it could have run anything of the function: no word of the function's. */
static void
fail_to_start (Outcome *self, const OutcomeRemains *remains)
{
  outcome_fail (self, PROCFUN_CAUSE_START,
                g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_EXITED,
                             _ ("the process for %s() did not start: it ended with exit code %d"), get_name (self),
                             WEXITSTATUS (remains->wait_status)));
}

static void
fill_failure (ProcfunFailure *failure, const OutcomeRemains *remains)
{
  failure->step = remains->step;
  if (remains->has_status && WIFEXITED (remains->wait_status) && failure->exit_code < 0
      && failure->cause == PROCFUN_CAUSE_EXITED)
    failure->exit_code = WEXITSTATUS (remains->wait_status);
  if (remains->has_status && WIFSIGNALED (remains->wait_status) && failure->signum == 0)
    failure->signum = WTERMSIG (remains->wait_status);
  failure->stdout_tail = output_get_tail (remains->outputs[PROCFUN_STREAM_STDOUT]);
  failure->stderr_tail = output_get_tail (remains->outputs[PROCFUN_STREAM_STDERR]);
}

void
outcome_settle (Outcome *self, const OutcomeRemains *remains)
{
  g_autoptr (GBytes) tail = output_get_tail (remains->outputs[PROCFUN_STREAM_STDERR]);
  g_autofree char *last_words
      = g_utf8_make_valid (g_bytes_get_data (tail, NULL), (gssize)g_bytes_get_size (tail));

  if (!outcome_is_known (self))
    {
      if (!remains->greeted && remains->has_status && WIFEXITED (remains->wait_status))
        fail_to_start (self, remains);
      else
        judge (self, remains, last_words);
    }
  if (self->failure != NULL)
    {
      fill_failure (self->failure, remains);
      self->failure->usage = self->usage != NULL ? procfun_usage_copy (self->usage) : NULL;
      procfun_call_take_failure (self->call, g_steal_pointer (&self->failure));
    }
  if (self->usage != NULL)
    procfun_call_take_usage (self->call, g_steal_pointer (&self->usage));
}

GVariant *
outcome_take (Outcome *self, GError **error)
{
  if (self->error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->error));
  return g_steal_pointer (&self->result);
}
