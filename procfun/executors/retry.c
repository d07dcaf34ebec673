/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/executors/retry.h"

#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-pool.h"

gboolean
retry_may_be_needed (const RetryPolicy *self, ProcfunFunction *function)
{
  return g_atomic_int_get (&self->max) > 0 && !function->takes_streams
         && (procfun_function_get_flags (function) & PROCFUN_FUNCTION_IDEMPOTENT) != 0;
}

static gboolean
is_to_be_retried (const RetryPolicy *self, ProcfunCall *call, guint n_tries, const GError *error)
{
  static const struct
  {
    ProcfunError code;
    ProcfunRetryFlags flag;
  } reasons[] = { { PROCFUN_ERROR_KILLED, PROCFUN_RETRY_LOST },
                  { PROCFUN_ERROR_WORKER_LOST, PROCFUN_RETRY_LOST },
                  { PROCFUN_ERROR_CRASHED, PROCFUN_RETRY_CRASHED },
                  { PROCFUN_ERROR_EXITED, PROCFUN_RETRY_EXITED } };

  if (n_tries > (guint)g_atomic_int_get (&self->max)
      || canceller_is_cancelled (procfun_call_get_canceller (call)))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (g_error_matches (error, PROCFUN_ERROR, (int)reasons[i].code))
      return (g_atomic_int_get (&self->reasons) & (int)reasons[i].flag) != 0;
  return FALSE;
}

GVariant *
retry_run (const RetryPolicy *self, ProcfunExecutorClass *klass, ProcfunExecutor *executor,
           ProcfunCall *call, GCancellable *cancellable, GError **error)
{
  GError *own_error = NULL;
  GVariant *result;

  if (!retry_may_be_needed (self, procfun_call_peek_function (call)))
    return klass->run (executor, call, cancellable, error);
  for (guint n_tries = 1;; n_tries++)
    {
      result = klass->run (executor, call, cancellable, &own_error);
      if (own_error == NULL || !is_to_be_retried (self, call, n_tries, own_error))
        break;
      g_clear_error (&own_error);
      procfun_call_take_failure (call, NULL);
    }
  if (own_error != NULL)
    g_propagate_error (error, own_error);
  return result;
}

typedef struct
{
  const RetryPolicy *policy; /* borrowed, as all that follows */
  ProcfunExecutorClass *klass;
  ProcfunExecutor *executor;
  ProcfunCall *call;
  GMainContext *context;
  ProcfunExecutorFunc func;
  gpointer user_data;
  guint n_tries;
} Tries;

static void
on_tried (GVariant *result, GError *error, gpointer user_data)
{
  Tries *self = user_data;

  if (error != NULL && is_to_be_retried (self->policy, self->call, self->n_tries, error))
    {
      g_error_free (error);
      self->n_tries++;
      procfun_call_take_failure (self->call, NULL);
      self->klass->run_then (self->executor, self->call, self->context, on_tried, self);
      return;
    }
  self->func (result, error, self->user_data);
  g_free (self);
}

void
retry_run_then (const RetryPolicy *self, ProcfunExecutorClass *klass, ProcfunExecutor *executor,
                ProcfunCall *call, GMainContext *context, ProcfunExecutorFunc func,
                gpointer user_data)
{
  Tries *tries;

  if (!retry_may_be_needed (self, procfun_call_peek_function (call)))
    {
      klass->run_then (executor, call, context, func, user_data);
      return;
    }
  tries = g_new (Tries, 1);
  *tries = (Tries){ self, klass, executor, call, context, func, user_data, 1 };
  klass->run_then (executor, call, context, on_tried, tries);
}
