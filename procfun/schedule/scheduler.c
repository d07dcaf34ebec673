/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/scheduler.h"

#include "procfun/base/intl.h"
#include "procfun/base/marks.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/core/failure.h"
#include "procfun/procfun-error.h"
#include "procfun/schedule/context-source.h"
#include "procfun/schedule/hand-over.h"
#include "procfun/schedule/presence.h"
#include "procfun/schedule/reservation.h"
#include "procfun/schedule/worker-start.h"
#include <signal.h>
#include <string.h>

/* How long a killed process is waited for: most are dead by then, the others are reaped later. */
#define DEATH_WAIT_MS 5

Scheduler *
scheduler_new (ProcfunExecutor *executor, gboolean keeps, SchedulerLaunchFunc launch)
{
  Scheduler *self = g_atomic_rc_box_new0 (Scheduler);

  self->executor = executor;
  self->keeps = keeps;
  self->launch = launch;
  self->zygotes = zygotes_new ();
  self->starts = starts_new ();
  g_mutex_init (&self->lock);
  queue_init (&self->queue);
  slots_init (&self->slots);
  g_queue_init (&self->submitters);
  g_queue_init (&self->probes);
  return self;
}

Scheduler *
scheduler_new_like (Scheduler *other)
{
  Scheduler *self = scheduler_new (other->executor, other->keeps, other->launch);

  self->config = other->config;
  zygotes_copy_preloads (self->zygotes, other->zygotes);
  g_set_object (&self->initializer, other->initializer);
  if (other->initializer_args != NULL)
    self->initializer_args = g_variant_ref (other->initializer_args);
  if (other->worker_limits != NULL)
    self->worker_limits = g_atomic_rc_box_acquire (other->worker_limits);
  return self;
}

Scheduler *
scheduler_ref (Scheduler *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear (gpointer data)
{
  Scheduler *self = data;

  zygotes_free (self->zygotes);
  g_clear_object (&self->initializer);
  g_clear_pointer (&self->initializer_args, g_variant_unref);
  g_clear_pointer (&self->worker_limits, g_atomic_rc_box_release);
  g_hash_table_unref (self->starts);
  queue_clear (&self->queue);
  g_mutex_clear (&self->lock);
}

void
scheduler_unref (Scheduler *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

/* Ending workers */

void
scheduler_reap (WorkerSlot *slot, int ms)
{
  Scheduler *self = slot->scheduler;
  int status = -1;

  if (!worker_slot_is_dead (slot, ms))
    {
      g_mutex_lock (&self->lock);
      g_queue_push_tail_link (&self->slots.ended, &slot->link);
      g_mutex_unlock (&self->lock);
      return;
    }
  if (!process_get_status (slot->process, &status))
    status = -1;
  if (debug_has (DEBUG_MARKS) && self->keeps)
    marks_add ("worker", slot->started_at, g_get_monotonic_time (),
               "process %d, calls: %" G_GUINT64_FORMAT, slot->pid, slot->n_calls);
  procfun_executor_emit_worker_exited (self->executor, slot->pid, status);
  worker_slot_unref (slot);
}

void
scheduler_reap_all (GQueue *exited)
{
  GList *link;

  while ((link = g_queue_pop_head_link (exited)) != NULL)
    scheduler_reap (link->data, DEATH_WAIT_MS);
}

void
scheduler_end_worker (WorkerSlot *slot, const char *reason)
{
  if (reason != NULL)
    procfun_executor_emit_worker_recycled (slot->scheduler->executor, slot->pid, reason);
  process_signal_alone (slot->process, SIGKILL);
  scheduler_reap (slot, DEATH_WAIT_MS);
}

/* Idle workers end by themselves, and nobody is told: they are looked for once a second. */
void
scheduler_remove_gone (Scheduler *self, gint64 now, guint64 state, GoneWorkers *gone)
{
  if (state != self->state)
    slots_remove_outdated (&self->slots, state, &gone->outdated);
  self->state = state;
  if (now >= self->look_at || self->slots.ended.length > 0)
    {
      self->look_at = now + G_USEC_PER_SEC;
      slots_poll_exited (&self->slots, &gone->exited);
    }
}

void
scheduler_end_all (GQueue *slots, const char *reason)
{
  GList *link;

  while ((link = g_queue_pop_head_link (slots)) != NULL)
    scheduler_end_worker (link->data, reason);
}

void
scheduler_end_gone (GoneWorkers *gone)
{
  if (gone->exited.length > 0)
    scheduler_reap_all (&gone->exited);
  if (gone->outdated.length > 0)
    scheduler_end_all (&gone->outdated, "inherited");
}

void
scheduler_renew (Scheduler *self)
{
  const gint64 now = g_get_monotonic_time ();
  GoneWorkers gone = { 0 };

  zygotes_renew (self->zygotes);
  g_mutex_lock (&self->lock);
  scheduler_remove_gone (self, now, zygotes_get_state (self->zygotes, now), &gone);
  g_mutex_unlock (&self->lock);
  scheduler_end_gone (&gone);
}

/* Settings */

void
scheduler_get_config (Scheduler *self, SchedulerConfig *config)
{
  g_mutex_lock (&self->lock);
  *config = self->config;
  g_mutex_unlock (&self->lock);
}

gboolean
scheduler_set_config (Scheduler *self, gsize offset, gsize size, gconstpointer value)
{
  GQueue surplus = G_QUEUE_INIT;
  gboolean changed;

  g_mutex_lock (&self->lock);
  changed = memcmp ((char *)&self->config + offset, value, size) != 0;
  memcpy ((char *)&self->config + offset, value, size);
  slots_trim (&self->slots, self->config.min_workers, self->config.max_workers, &surplus);
  scheduler_assign (self);
  g_mutex_unlock (&self->lock);
  scheduler_end_all (&surplus, "shrunk");
  return changed;
}

/* Starting workers */

static gboolean
was_ended_by_caller (WorkerSlot *slot)
{
  ProcfunFailure *failure = slot->call != NULL ? procfun_call_peek_failure (slot->call) : NULL;
  FailureEnded ended = failure_get_ended (failure != NULL ? procfun_failure_get_cause (failure)
                                                          : PROCFUN_CAUSE_ERROR);

  return ended == FAILURE_ENDED_BY_CALLER || ended == FAILURE_ENDED_BY_TIME;
}

/* (transfer full): why the worker was not ready for its first call. */
static GError *
make_start_error (WorkerSlot *slot, const Worker *worker)
{
  ProcfunFunction *initializer = slot->scheduler->initializer;

  if (worker->trouble != NULL)
    return g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN, worker->trouble);
  if (initializer == NULL)
    return g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                                _ ("the last one ended before its first call"));
  return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                      _ ("the last one could not be prepared by %s()"),
                      procfun_function_get_name (initializer));
}

void
worker_slot_note_first_call (WorkerSlot *slot, const Worker *worker, gboolean is_usable)
{
  Scheduler *self = slot->scheduler;
  if (is_usable && !worker_is_unprepared (worker))
    starts_succeed (self->starts, slot->module);
  else if (worker_is_unprepared (worker) || (!worker->has_greeted && !was_ended_by_caller (slot)))
    starts_fail (self->starts, slot->module, make_start_error (slot, worker));
  else if (slot->is_unsent)
    starts_note_unsent (self->starts, slot->module);
}

/* Assigning workers */

static guint
count_present (Scheduler *self)
{
  const guint n = slots_count (&self->slots);

  return self->n_absent > 0 ? n - presence_count_absent (self) : n;
}

/* While none can be started, busy ones are better than an error. An idle one of another module
 * makes room. */
static gboolean
may_start (Scheduler *self, const char *module)
{
  if (self->is_refused
      || (self->slots.idle.length == 0 && count_present (self) >= self->config.max_workers))
    return FALSE;
  return starts_get_rest (self->starts, module) == 0 || !slots_has_busy (&self->slots, module);
}

static void
add_slot (Scheduler *self, Waiter *waiter)
{
  waiter->slot = worker_slot_new (self, waiter->module, waiter->request.options->context);
  slots_add (&self->slots, waiter->slot, self->config.min_workers);
}

/* A process for one call must not keep the main context that ends it when it goes; the thread that
 * asked stands for it. */
static void
assign_slot (Waiter *waiter)
{
  WorkerSlot *slot = waiter->slot;

  slot->call = waiter->request.call;
  slot->n_plain = waiter->request.plain != NULL ? 1 : 0;
  owner_copy (&slot->owner, waiter->owner);
  if (!slot->scheduler->keeps && slot->owner.context != NULL
      && slot->owner.context != g_main_context_default ())
    g_clear_pointer (&slot->owner.context, g_main_context_unref);
  waiter->is_assigned = TRUE;
}

gboolean
scheduler_assign_to (Scheduler *self, Waiter *waiter)
{
  const SlotRequest *request = &waiter->request;

  if (self->drops_queued)
    return FALSE;
  waiter->slot = request->is_first ? NULL
                                   : slots_find_idle (&self->slots, waiter->module,
                                                      request->options->context, request->is_last);
  if (waiter->slot != NULL)
    slots_set_busy (&self->slots, waiter->slot);
  else if (!may_start (self, waiter->module))
    return FALSE;
  else
    {
      if (count_present (self) >= self->config.max_workers)
        {
          waiter->retired = self->slots.idle.tail->data;
          slots_remove (&self->slots, waiter->retired);
        }
      add_slot (self, waiter);
    }
  assign_slot (waiter);
  return TRUE;
}

void
scheduler_let_through (Scheduler *self, Waiter *waiter)
{
  add_slot (self, waiter);
  assign_slot (waiter);
}

static gboolean
is_present (QueueEntry *entry, gpointer scheduler)
{
  const Waiter *waiter = (const Waiter *)entry;

  return waiter->source == NULL
         || !presence_is_absent (scheduler, context_source_get_context (waiter));
}

Waiter *
scheduler_get_next (Scheduler *self)
{
  return (Waiter *)(self->n_absent == 0 ? queue_peek (&self->queue)
                                        : queue_find (&self->queue, is_present, self));
}

/* A main context has a worker for which others wait: they look now and then whether it is run. */
static void
tell_of_worker_of_context (Scheduler *self)
{
  if (self->lookers.length > 0)
    g_cond_signal (self->lookers.head->data);
  for (GList *l = self->sources.head; l != NULL; l = l->next)
    context_source_begin_to_look (l->data);
}

/* Nobody may wait: for a worker, for one who is stuck, or for room in the queue. */
static void
assign (Scheduler *self, HandOver *later)
{
  gboolean to_context = FALSE;
  Waiter *waiter;

  if (self->queue.length == 0 && self->blocked.length == 0 && self->in_admission.length == 0
      && self->submitters.length == 0)
    return;
  while ((waiter = scheduler_get_next (self)) != NULL && scheduler_assign_to (self, waiter))
    {
      queue_remove (&self->queue, &waiter->entry);
      to_context = to_context || waiter->source != NULL;
      hand_over_prepare (later, waiter);
    }
  scheduler_check_deadlock (self);
  if (to_context)
    tell_of_worker_of_context (self);
  scheduler_announce_room (self);
}

void
scheduler_assign (Scheduler *self)
{
  assign (self, NULL);
}

void
scheduler_retire (Waiter *waiter)
{
  if (waiter->retired != NULL)
    scheduler_end_worker (g_steal_pointer (&waiter->retired), "module");
}

WorkerSlot *
scheduler_claim (Scheduler *self, Waiter *waiter, GError **error)
{
  WorkerSlot *slot = g_steal_pointer (&waiter->slot);

  scheduler_retire (waiter);
  return worker_slot_has_started (slot) || worker_slot_start (slot, waiter, error) ? slot : NULL;
}

void
scheduler_cancel (Scheduler *self, Waiter *waiter)
{
  WorkerSlot *slot = g_steal_pointer (&waiter->slot);

  scheduler_retire (waiter);
  if (worker_slot_has_started (slot))
    worker_slot_give_back (slot);
  else
    worker_slot_drop (slot);
}

/* Giving back */

static const struct
{
  FrameLeftovers leftover;
  const char *reason;
} leftovers[] = { { FRAME_LEFT_UNPREPARED, "initializer" },
                  { FRAME_LEFT_THREADS, "leftovers: threads" },
                  { FRAME_LEFT_FIRST_THREADS, "leftovers: threads" },
                  { FRAME_LEFT_DESCRIPTORS, "leftovers: descriptors" },
                  { FRAME_LEFT_IDENTITY, "leftovers: identity" },
                  { FRAME_LEFT_DIRECTORY, "leftovers: directory" },
                  { FRAME_LEFT_LIMITS, "leftovers: limits" },
                  { FRAME_LEFT_ENVIRONMENT, "leftovers: environment" },
                  { FRAME_LEFT_LOCALE, "leftovers: locale" },
                  { FRAME_LEFT_SCHEDULING, "leftovers: scheduling" },
                  { FRAME_LEFT_TIMERS, "leftovers: timers" } };

static const char *
name_leftovers (guint64 found)
{
  for (gsize i = 0; i < G_N_ELEMENTS (leftovers); i++)
    if ((found & leftovers[i].leftover) != 0)
      return leftovers[i].reason;
  return "leftovers";
}

const char *
worker_slot_find_reason (WorkerSlot *slot, const Worker *worker, guint64 n_calls)
{
  Scheduler *self = slot->scheduler;
  const SchedulerConfig *config = &self->config;
  const guint64 left = worker->state.leftovers & ~config->tolerated;

  if (slot->inherited_state != self->state && self->state != 0)
    return "inherited";
  if (slot->limits != self->worker_limits)
    return SCHEDULER_REASON_LIMITS;
  if (config->calls_per_worker > 0 && n_calls >= config->calls_per_worker)
    return "calls";
  if (config->memory_per_worker > 0 && worker->state.resident > config->memory_per_worker)
    return "memory";
  if (left != 0)
    return name_leftovers (left);
  if (count_present (self) > config->max_workers)
    return "shrunk";
  return NULL;
}

/* The rest of putting a slot back, which is done without the lock. */
typedef struct
{
  GMainContext *context; /* (nullable): it may go with this reference, and then takes the lock */
  HandOver hand_over;
  gboolean ends;      /* the worker, as it was removed */
  const char *reason; /* (nullable): why */
} Rest;

/* With the lock held. */
static void
put_back (WorkerSlot *slot, gboolean is_usable, Rest *rest)
{
  Scheduler *self = slot->scheduler;

  slot->call = NULL;
  slot->n_plain = 0;
  slot->waits = NULL;
  self->is_refused = FALSE; /* nothing else may end that others wait for */
  rest->reason = is_usable ? worker_slot_find_reason (slot, &slot->worker, slot->n_calls) : NULL;
  if (slot->is_held && is_usable && !worker_is_unprepared (&slot->worker))
    {
      assign (self, &rest->hand_over);
      return;
    }
  rest->context = g_steal_pointer (&slot->owner.context);
  slot->is_lost = slot->is_held;
  rest->ends = !is_usable || rest->reason != NULL;
  if (rest->ends)
    slots_remove (&self->slots, slot);
  else if (slot->reservations.length > 0)
    worker_slot_assign_reserved (slot);
  else
    slots_set_idle (&self->slots, slot);
  assign (self, &rest->hand_over);
}

static void
do_rest (Rest *rest, Scheduler *self, WorkerSlot *slot)
{
  hand_over_run (&rest->hand_over, self);
  if (rest->ends)
    scheduler_end_worker (slot, rest->reason);
  g_clear_pointer (&rest->context, g_main_context_unref);
}

void
worker_slot_drop (WorkerSlot *slot)
{
  Scheduler *self = slot->scheduler;

  g_mutex_lock (&self->lock);
  slot->call = NULL;
  slots_remove (&self->slots, slot);
  self->is_refused = FALSE;
  scheduler_assign (self);
  g_mutex_unlock (&self->lock);
  worker_slot_unref (slot);
}

void
worker_slot_put_back (WorkerSlot *slot, Worker *worker, gboolean is_usable)
{
  Scheduler *self = slot->scheduler;
  Rest rest = { 0 };

  if (worker != &slot->worker)
    slot->worker = worker_steal (worker);
  g_mutex_lock (&self->lock);
  if (!slot->is_unused && slot->n_calls == 0)
    worker_slot_note_first_call (slot, &slot->worker, is_usable);
  slot->n_calls += slot->is_unused ? 0 : 1;
  put_back (slot, is_usable, &rest);
  g_mutex_unlock (&self->lock);
  do_rest (&rest, self, slot);
}

void
worker_slot_discard (WorkerSlot *slot)
{
  slot->is_unused = TRUE;
  worker_slot_put_back (slot, &slot->worker, FALSE);
}

void
worker_slot_give_back (WorkerSlot *slot)
{
  Scheduler *self = slot->scheduler;
  Rest rest = { 0 };
  gboolean was_held;

  if (slot->process != NULL && !process_is_own (slot->process)) /* the parent has it */
    return;
  g_mutex_lock (&self->lock);
  was_held = slot->is_held;
  slot->is_held = FALSE;
  if (!slot->is_lost)
    put_back (slot, TRUE, &rest);
  g_mutex_unlock (&self->lock);
  do_rest (&rest, self, slot);
  if (was_held)
    worker_slot_unref (slot);
}

/* Sessions */

gboolean
worker_slot_hold (WorkerSlot *slot)
{
  gboolean ok;

  g_mutex_lock (&slot->scheduler->lock);
  ok = !slot->scheduler->is_closing;
  if (ok)
    {
      slot->is_held = TRUE;
      worker_slot_ref (slot);
    }
  g_mutex_unlock (&slot->scheduler->lock);
  return ok;
}

/* @state: what a worker that is started now would inherit. With the lock held. */
static gboolean
check_take (WorkerSlot *slot, ProcfunFunction *function, guint64 state, GError **error)
{
  const char *name = procfun_function_get_name (function);

  if (slot->is_lost && slot->scheduler->is_closing)
    scheduler_set_closed (function, error);
  else if (!process_is_own (slot->process))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                 _ ("%s() cannot be called: the session belongs to the process that forked this "
                    "one"),
                 name);
  else if (slot->inherited_state != state)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                 _ ("%s() cannot be called: the process of the session was started before the "
                    "program changed its user, directory or the like"),
                 name);
  else if (slot->is_lost)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                 _ ("%s() cannot be called: the process of the session has ended"), name);
  else if (slot->call != NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY,
                 _ ("%s() cannot be called now: another call of the session runs"), name);
  else if (!g_str_equal (slot->module, zygotes_get_key (function)))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() cannot be called: the session is for functions of another module"), name);
  else
    return TRUE;
  return FALSE;
}

gboolean
worker_slot_take (WorkerSlot *slot, ProcfunCall *call, gboolean is_async, GError **error)
{
  g_autoptr (GMainContext) context = is_async ? g_main_context_ref_thread_default () : NULL;
  g_autoptr (GMainContext) before = NULL;
  guint64 state = zygotes_get_state (slot->scheduler->zygotes, g_get_monotonic_time ());
  gboolean ok;

  g_mutex_lock (&slot->scheduler->lock);
  ok = check_take (slot, procfun_call_peek_function (call), state, error);
  if (ok)
    {
      slot->call = call;
      before = g_steal_pointer (&slot->owner.context);
      owner_init (&slot->owner, context);
    }
  g_mutex_unlock (&slot->scheduler->lock);
  return ok;
}

/* Waiting */

void
scheduler_set_nested (ProcfunFunction *function, GError **error)
{
  g_set_error (
      error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
      _ ("%s() cannot be called: all workers have calls that only this thread can bring to "
         "an end"),
      procfun_function_get_name (function));
}

void
scheduler_set_busy (ProcfunFunction *function, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY,
               _ ("%s() cannot be called now: no process is free"),
               procfun_function_get_name (function));
}

void
scheduler_set_closed (ProcfunFunction *function, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED,
               _ ("%s() cannot be called: the executor is closed"),
               procfun_function_get_name (function));
}

/* Calls that are admitted but not queued yet count as calls; their bytes are not known. */
gboolean
scheduler_has_room (Scheduler *self)
{
  const SchedulerConfig *config = &self->config;

  if (config->refuses)
    return count_present (self) - self->slots.idle.length + self->n_entering < config->max_workers;
  return (config->max_queue_calls == 0
          || self->queue.length + self->n_entering < config->max_queue_calls)
         && (config->max_queue_bytes == 0
             || (self->queue.n_bytes < config->max_queue_bytes && self->n_entering == 0));
}

/* Statistics */

static void
describe_workers (GQueue *slots, ProcfunStatistics *statistics)
{
  gint64 now = g_get_monotonic_time ();

  for (GList *l = slots->head; l != NULL; l = l->next)
    {
      const WorkerSlot *slot = l->data;

      if (slot->process != NULL)
        procfun_statistics_add_worker (statistics, slot->pid,
                                       worker_slot_has_call (slot) ? PROCFUN_WORKER_BUSY
                                                                   : PROCFUN_WORKER_IDLE,
                                       slot->n_calls, now - slot->started_at);
    }
}

void
scheduler_describe (Scheduler *self, ProcfunStatistics *statistics)
{
  GQueue exited = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  slots_poll_exited (&self->slots, &exited);
  procfun_statistics_set_queue (statistics, self->queue.length, self->queue.n_bytes);
  if (self->keeps)
    {
      describe_workers (&self->slots.busy, statistics);
      describe_workers (&self->slots.idle, statistics);
    }
  g_mutex_unlock (&self->lock);
  scheduler_reap_all (&exited);
}
