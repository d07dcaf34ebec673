/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Preparation of each worker before its first call: an initializer, and limits. */

#include "procfun/process/launch.h"
#include "procfun/process/request.h"
#include "procfun/schedule/scheduler.h"

void
scheduler_set_initializer (Scheduler *self, ProcfunFunction *function, GVariant *args)
{
  g_mutex_lock (&self->lock);
  g_set_object (&self->initializer, function);
  g_clear_pointer (&self->initializer_args, g_variant_unref);
  self->initializer_args = args != NULL ? g_variant_ref_sink (args) : NULL;
  g_mutex_unlock (&self->lock);
}

void
scheduler_add_preload (Scheduler *self, ProcfunFunction *function, GVariant *args)
{
  zygotes_add_preload (self->zygotes, procfun_call_new (function, args));
  scheduler_renew (self);
}

static gboolean
limits_are_equal (const ProcfunLimits *limits, const ProcfunLimits *other)
{
  return limits == other
         || (limits != NULL && other != NULL && procfun_limits_equal (limits, other));
}

gboolean
scheduler_set_worker_limits (Scheduler *self, const ProcfunLimits *limits)
{
  GQueue outdated = G_QUEUE_INIT;
  gboolean changed;

  g_mutex_lock (&self->lock);
  changed = !limits_are_equal (self->worker_limits, limits);
  if (changed)
    {
      g_clear_pointer (&self->worker_limits, g_atomic_rc_box_release);
      if (limits != NULL)
        {
          self->worker_limits = g_atomic_rc_box_new (ProcfunLimits);
          *self->worker_limits = *limits;
        }
      slots_remove_with_other_limits (&self->slots, self->worker_limits, &outdated);
      scheduler_assign (self);
    }
  g_mutex_unlock (&self->lock);
  scheduler_end_all (&outdated, SCHEDULER_REASON_LIMITS);
  return changed;
}

ProcfunLimits *
scheduler_get_worker_limits (Scheduler *self)
{
  ProcfunLimits *limits;

  g_mutex_lock (&self->lock);
  limits = self->worker_limits != NULL ? procfun_limits_copy (self->worker_limits) : NULL;
  g_mutex_unlock (&self->lock);
  return limits;
}

/* It is not in a group of its own yet, and its work before the first call does not count. */
static gboolean
confine (Worker *worker, const WorkerSlot *slot, GError **error)
{
  if (slot->limits != NULL && worker->limits == NULL)
    worker->limits = g_atomic_rc_box_acquire (slot->limits);
  if (worker->limits == NULL || !worker->is_kept)
    return TRUE;
  if (!launch_confine (worker, worker->limits, error))
    return FALSE;
  if (worker->cgroup != NULL)
    cgroup_suspend_memory (worker->cgroup);
  return TRUE;
}

/* If the initializer fails, the first call fails with its error. */
gboolean
worker_slot_begin (WorkerSlot *slot, const ExchangeOptions *options, GError **error)
{
  g_autoptr (ProcfunCall) call = NULL;
  Scheduler *self = slot->scheduler;

  if (slot->worker.channel != NULL)
    return TRUE;
  if (!confine (&slot->worker, slot, error))
    return FALSE;
  g_mutex_lock (&self->lock);
  if (self->initializer != NULL)
    call = procfun_call_new (self->initializer, self->initializer_args);
  g_mutex_unlock (&self->lock);
  if (call != NULL)
    exchange_prepare_worker (&slot->worker, call, options);
  else if (slot->worker.has_greeted)
    worker_count_memory_anew (&slot->worker);
  return TRUE;
}
