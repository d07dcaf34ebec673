/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a slot gets its worker: executed or forked, waiting or not. */

#include "procfun/schedule/worker-start.h"

#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/procfun-error.h"

/* FALSE: this is not the time to start one, and unless others are busy, an error. */
static gboolean
check_back_off (WorkerSlot *slot, GError **error)
{
  Scheduler *self = slot->scheduler;
  gboolean ok;

  if (!self->keeps)
    return TRUE;
  g_mutex_lock (&self->lock);
  ok = starts_get_rest (self->starts, slot->module) == 0
       || (!slots_has_busy (&self->slots, slot->module)
           && starts_check (self->starts, slot->module, error));
  g_mutex_unlock (&self->lock);
  return ok;
}

static guint
get_idle (WorkerSlot *slot)
{
  SchedulerConfig config;

  scheduler_get_config (slot->scheduler, &config);
  return slot->is_permanent ? 0 : config.idle;
}

/* The machine has refused another process. TRUE: something was ended that nobody uses. */
static gboolean
make_room (Scheduler *self)
{
  WorkerSlot *idle;

  if (zygotes_drop_spares (self->zygotes))
    return TRUE;
  g_mutex_lock (&self->lock);
  idle = g_queue_peek_tail (&self->slots.idle);
  if (idle != NULL)
    slots_remove (&self->slots, idle);
  g_mutex_unlock (&self->lock);
  if (idle != NULL)
    scheduler_end_worker (idle, "room");
  return idle != NULL;
}

static void
take_worker (WorkerSlot *slot, Worker *worker)
{
  const Scheduler *self = slot->scheduler;

  slot->worker = worker_steal (worker);
  slot->worker.is_kept = self->keeps;
  slot->inherited_state = slot->worker.inherited_state;
  slot->started_at = g_get_monotonic_time ();
  slot->pid = process_get_pid (slot->worker.process);
  if (self->keeps)
    {
      slot->process = slot->worker.process;
      slot->worker.arena_idle = self->config.arena_idle;
    }
  else
    {
      slot->worker.n_spares = self->config.spares;
      slot->worker.spare_idle = self->config.idle;
    }
}

/* Where others run, one of them will end, and there is room again. FALSE: it is an error. */
static gboolean
wait_for_room (Scheduler *self, gboolean was_refused)
{
  self->is_refused = was_refused && slots_has_running (&self->slots);
  return self->is_refused;
}

/* Takes @own_error (nullable). FALSE: the slot is gone. */
static gboolean
finish (WorkerSlot *slot, Worker *worker, gboolean was_tried, GError *own_error, GError **error)
{
  Scheduler *self = slot->scheduler;
  gboolean ok = worker->process != NULL;
  gboolean waits = FALSE;

  g_mutex_lock (&self->lock);
  if (ok)
    take_worker (slot, worker);
  else
    {
      slots_remove (&self->slots, slot);
      waits = own_error != NULL && wait_for_room (self, worker->was_refused);
      if (self->keeps && was_tried && own_error != NULL && !waits
          && !g_error_matches (own_error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
          && !g_error_matches (own_error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT))
        starts_fail (self->starts, slot->module, g_error_copy (own_error));
      if (!waits)
        scheduler_assign (self);
    }
  g_mutex_unlock (&self->lock);
  if (ok && self->keeps)
    procfun_executor_emit_worker_started (self->executor, slot->pid);
  if (waits)
    g_clear_error (&own_error);
  if (own_error != NULL)
    g_propagate_error (error, own_error);
  if (!ok)
    worker_slot_unref (slot);
  return ok;
}

static gboolean
make (WorkerSlot *slot, const Waiter *waiter, Worker *worker, GError **error)
{
  Scheduler *self = slot->scheduler;
  const SlotRequest *request = &waiter->request;
  const Patience patience = { request->call, request->cancellable };

  worker->was_refused = FALSE;
  if (self->launch != NULL)
    return self->launch (self->executor, request, worker, error);
  return zygotes_fork (self->zygotes, request->function, request->options, get_idle (slot),
                       &patience, worker, error);
}

gboolean
worker_slot_start (WorkerSlot *slot, const Waiter *waiter, GError **error)
{
  g_auto (Worker) worker = WORKER_INIT;
  GError *own_error = NULL;
  gboolean tries = check_back_off (slot, &own_error);

  if (tries)
    while (!make (slot, waiter, &worker, &own_error) && worker.was_refused
           && make_room (slot->scheduler))
      g_clear_error (&own_error);
  return finish (slot, &worker, tries, own_error, error);
}

ZygotesFork *
worker_slot_begin_start (WorkerSlot *slot, const Waiter *waiter, GSource *source)
{
  ZygotesFork *fork = g_new0 (ZygotesFork, 1);

  fork->zygotes = slot->scheduler->zygotes;
  fork->function = waiter->request.function;
  fork->options = waiter->request.options;
  fork->wait = (ZygoteWait){ .call = waiter->request.call, .idle = get_idle (slot) };
  fork->source = source;
  return fork;
}

static ZygoteStatus
try_to_make (WorkerSlot *slot, const Waiter *waiter, ZygotesFork *fork, Worker *worker,
             GError **error)
{
  Scheduler *self = slot->scheduler;

  worker->was_refused = FALSE;
  if (self->launch == NULL)
    return zygotes_try_fork (fork, worker, error);
  return self->launch (self->executor, &waiter->request, worker, error) ? ZYGOTE_FORKED
                                                                        : ZYGOTE_FAILED;
}

ZygoteStatus
worker_slot_try_start (WorkerSlot *slot, const Waiter *waiter, ZygotesFork *fork, GError **error)
{
  g_auto (Worker) worker = WORKER_INIT;
  ZygoteStatus status = ZYGOTE_FAILED;
  GError *own_error = NULL;
  gboolean tries = check_back_off (slot, &own_error);

  if (tries)
    while ((status = try_to_make (slot, waiter, fork, &worker, &own_error)) == ZYGOTE_FAILED
           && worker.was_refused && make_room (slot->scheduler))
      g_clear_error (&own_error);
  if (status == ZYGOTE_WAITS)
    return status;
  return finish (slot, &worker, tries, own_error, error) ? ZYGOTE_FORKED : ZYGOTE_FAILED;
}
