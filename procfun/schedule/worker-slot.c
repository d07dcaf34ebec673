/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a worker begins. */

#include "procfun/schedule/crew-private.h"

#include "procfun/process/request.h"
#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/core/executor.h"

/* After a worker that cannot be started the next one is tried so much later, and twice as much each
 * time. */
#define RETRY_US (10 * G_TIME_SPAN_MILLISECOND)
#define RETRY_MAX_US (10 * G_USEC_PER_SEC)

gboolean
crew_is_backing_off (Crew *self)
{
  return self->retry_at > 0 && g_get_monotonic_time () < self->retry_at;
}

void
crew_note_start (Crew *self, const GError *error)
{
  self->n_unsent = 0;
  g_clear_error (&self->start_error);
  self->start_error = error != NULL ? g_error_copy (error) : NULL;
  self->retry = error != NULL ? CLAMP (2 * self->retry, RETRY_US, RETRY_MAX_US) : 0;
  self->retry_at = error != NULL ? g_get_monotonic_time () + self->retry : 0;
}

static gboolean
check_back_off (Crew *self, GError **error)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = !crew_is_backing_off (self);
  if (!ok)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                 _ ("no worker can be started, and the next try is in %.3g s: %s"),
                 (double)(self->retry_at - g_get_monotonic_time ()) / G_USEC_PER_SEC,
                 self->start_error->message);
  g_mutex_unlock (&self->lock);
  return ok;
}

static gboolean
fork_worker (CrewMember *self, const CrewRequest *request, Worker *worker, GError **error)
{
  Crew *crew = self->crew;
  GError *own_error = NULL;
  CrewConfig config;

  crew_get_config (crew, &config);
  if (nurseries_fork (crew->nurseries, request->function, request->options,
                      self->is_permanent ? 0 : config.idle, worker, &own_error))
    return TRUE;
  g_mutex_lock (&crew->lock);
  crew_note_start (crew, own_error);
  g_mutex_unlock (&crew->lock);
  g_propagate_error (error, own_error);
  return FALSE;
}

gboolean
crew_member_start (CrewMember *self, const CrewRequest *request, GError **error)
{
  Crew *crew = self->crew;
  g_auto (Worker) worker = WORKER_INIT;
  gboolean ok = check_back_off (crew, error) && fork_worker (self, request, &worker, error);

  g_mutex_lock (&crew->lock);
  if (ok)
    {
      self->worker = worker_steal (&worker);
      self->worker.is_kept = TRUE;
      self->process = self->worker.process;
      self->pid = process_get_pid (self->process);
      self->started_at = g_get_monotonic_time ();
    }
  else
    {
      crew_member_strike (self);
      crew_serve (crew);
    }
  g_mutex_unlock (&crew->lock);
  if (ok)
    procfun_executor_emit_worker_started (crew->executor, self->pid);
  else
    crew_member_unref (self);
  return ok;
}

/* Before its first call. If this fails, that call fails with it. */
void
crew_member_begin (CrewMember *self, const ExchangeOptions *options)
{
  g_autoptr (ProcfunCall) call = NULL;
  Crew *crew = self->crew;

  if (self->worker.channel != NULL)
    return;
  g_mutex_lock (&crew->lock);
  if (crew->initializer != NULL)
    call = procfun_call_new (crew->initializer, crew->initializer_args);
  g_mutex_unlock (&crew->lock);
  if (call != NULL)
    exchange_prepare_worker (&self->worker, call, options);
}
