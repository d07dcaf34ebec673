/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a worker begins. */

#include "procfun/schedule/scheduler-private.h"

#include "procfun/base/intl.h"
#include "procfun/core/executor.h"
#include "procfun/process/request.h"
#include "procfun/procfun-error.h"

/* After a worker that cannot be started the next one is tried so much later, and twice as much each
 * time. */
#define RETRY_US (10 * G_TIME_SPAN_MILLISECOND)
#define RETRY_MAX_US (10 * G_USEC_PER_SEC)

gboolean
scheduler_is_backing_off (Scheduler *self)
{
  return self->retry_at > 0 && g_get_monotonic_time () < self->retry_at;
}

void
scheduler_note_start (Scheduler *self, const GError *error)
{
  self->n_unsent = 0;
  g_clear_error (&self->start_error);
  self->start_error = error != NULL ? g_error_copy (error) : NULL;
  self->retry = error != NULL ? CLAMP (2 * self->retry, RETRY_US, RETRY_MAX_US) : 0;
  self->retry_at = error != NULL ? g_get_monotonic_time () + self->retry : 0;
}

static gboolean
check_back_off (Scheduler *self, GError **error)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = !scheduler_is_backing_off (self);
  if (!ok)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                 _ ("no worker can be started, and the next try is in %.3g s: %s"),
                 (double)(self->retry_at - g_get_monotonic_time ()) / G_USEC_PER_SEC,
                 self->start_error->message);
  g_mutex_unlock (&self->lock);
  return ok;
}

static gboolean
fork_worker (WorkerSlot *self, const SlotRequest *request, Worker *worker, GError **error)
{
  Scheduler *scheduler = self->scheduler;
  GError *own_error = NULL;
  SchedulerConfig config;

  scheduler_get_config (scheduler, &config);
  if (zygotes_fork (scheduler->zygotes, request->function, request->options,
                    self->is_permanent ? 0 : config.idle, worker, &own_error))
    return TRUE;
  g_mutex_lock (&scheduler->lock);
  scheduler_note_start (scheduler, own_error);
  g_mutex_unlock (&scheduler->lock);
  g_propagate_error (error, own_error);
  return FALSE;
}

gboolean
worker_slot_start (WorkerSlot *self, const SlotRequest *request, GError **error)
{
  Scheduler *scheduler = self->scheduler;
  g_auto (Worker) worker = WORKER_INIT;
  gboolean ok = check_back_off (scheduler, error) && fork_worker (self, request, &worker, error);

  g_mutex_lock (&scheduler->lock);
  if (ok)
    {
      self->worker = worker_steal (&worker);
      self->worker.is_kept = TRUE;
      self->process = self->worker.process;
      self->inherited_state = self->worker.inherited_state;
      self->pid = process_get_pid (self->process);
      self->started_at = g_get_monotonic_time ();
    }
  else
    {
      worker_slot_remove (self);
      scheduler_assign (scheduler);
    }
  g_mutex_unlock (&scheduler->lock);
  if (ok)
    procfun_executor_emit_worker_started (scheduler->executor, self->pid);
  else
    worker_slot_unref (self);
  return ok;
}

/* Before its first call. If this fails, that call fails with it. */
void
worker_slot_begin (WorkerSlot *self, const ExchangeOptions *options)
{
  g_autoptr (ProcfunCall) call = NULL;
  Scheduler *scheduler = self->scheduler;

  if (self->worker.channel != NULL)
    return;
  g_mutex_lock (&scheduler->lock);
  if (scheduler->initializer != NULL)
    call = procfun_call_new (scheduler->initializer, scheduler->initializer_args);
  g_mutex_unlock (&scheduler->lock);
  if (call != NULL)
    exchange_prepare_worker (&self->worker, call, options);
}
