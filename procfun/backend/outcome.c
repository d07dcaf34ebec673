/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/backend/outcome.h"

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
