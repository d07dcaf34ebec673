/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/executors/preparation.h"

#include "procfun/base/limits.h"
#include "procfun/core/call.h"
#include "procfun/process/launch.h"

void
preparation_clear (Preparation *self)
{
  g_clear_object (&self->codec);
  g_clear_object (&self->context);
  g_clear_pointer (&self->limits, procfun_limits_free);
  g_clear_pointer (&self->sandbox, sandbox_plan_unref);
  g_clear_pointer (&self->arguments, g_bytes_unref);
  exchange_clear_parts (&self->options);
  *self = (Preparation)PREPARATION_INIT;
}

void
preparation_set_limits (Preparation *self, const ProcfunLimits *limits, gboolean is_kept)
{
  g_clear_pointer (&self->limits, procfun_limits_free); /* of a try before */
  if (limits != NULL && is_kept && limits->result_size > 0)
    {
      self->limits = procfun_limits_new ();
      self->limits->result_size = limits->result_size;
    }
  else if (limits != NULL && !is_kept)
    self->limits = procfun_limits_copy (limits);
  self->options.limits = self->limits;
}

/* Limits that a control group keeps are not the child's to keep. */
Exchange *
preparation_begin (Preparation *self, ProcfunCall *call, Worker *worker, GError **error)
{
  const ProcfunLimits *own = procfun_call_get_settings (call)->limits;
  g_autoptr (ProcfunLimits) limits = worker->is_kept ? NULL : limits_merge (own, worker->limits);

  if (!launch_confine (worker, limits, error))
    return NULL;
  preparation_set_limits (self, worker->is_kept ? own : limits, worker->is_kept);
  if (!worker->is_kept && worker->cgroup != NULL && cgroup_limits_processes (worker->cgroup))
    procfun_limits_set_processes (self->limits, 0);
  return exchange_new (call, worker, &self->options, self->arguments);
}

Preparation *
preparation_new_shared (const ExchangeOptions *options)
{
  Preparation *self = g_atomic_rc_box_new0 (Preparation);

  self->options = *options;
  self->codec = g_object_ref (options->codec);
  if (options->sandbox != NULL)
    self->sandbox = sandbox_plan_ref (options->sandbox);
  return self;
}

void
preparation_release (Preparation *self)
{
  g_atomic_rc_box_release_full (self, (GDestroyNotify)preparation_clear);
}

gboolean
preparation_init_from (Preparation *self, const Preparation *shared, ProcfunCall *call,
                       GError **error)
{
  *self = (Preparation){ .options = shared->options };
  self->codec = g_object_ref (shared->codec);
  if (shared->sandbox != NULL)
    self->sandbox = sandbox_plan_ref (shared->sandbox);
  self->arguments = exchange_encode_arguments (call, &self->options, error);
  return self->arguments != NULL;
}
