/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a worker is given back, and how it ends. */

#include "procfun/schedule/scheduler-private.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/procfun-error.h"
#include <poll.h>
#include <signal.h>

/* Idle workers end by themselves; nobody is told. How often that is looked for. */
#define LOOK_US G_USEC_PER_SEC

/* How long a killed process is waited for: mostly it is dead by then. The rest is noticed later. */
#define DEATH_WAIT_MS 5

/* The same when nothing is to be left. */
#define DEATH_MAX_MS 5000

/* So many in a row may end before their first call, which then goes to the next one. */
#define UNSENT_MAX 5

/* Ending */

static gboolean
is_dead (WorkerSlot *self, int ms)
{
  struct pollfd poll_fd = { .fd = process_get_pidfd (self->process), .events = POLLIN };

  if (poll_fd.fd >= 0 && ms > 0)
    poll (&poll_fd, 1, ms);
  return process_has_died (self->process);
}

/* It was killed, or has ended by itself. */
static void
reap (WorkerSlot *self, int ms)
{
  Scheduler *scheduler = self->scheduler;
  int status = -1;

  if (!is_dead (self, ms))
    {
      g_mutex_lock (&scheduler->lock);
      g_queue_push_tail_link (&scheduler->ended, &self->link);
      g_mutex_unlock (&scheduler->lock);
      return;
    }
  if (!process_get_status (self->process, &status))
    status = -1;
  procfun_executor_emit_worker_exited (scheduler->executor, self->pid, status);
  worker_slot_unref (self);
}

/* Without the lock. */
void
worker_slot_end (WorkerSlot *self, const char *reason)
{
  if (reason != NULL)
    procfun_executor_emit_worker_recycled (self->scheduler->executor, self->pid, reason);
  process_signal_alone (self->process, SIGKILL);
  reap (self, DEATH_WAIT_MS);
}

static gboolean
has_hung_up (WorkerSlot *self)
{
  struct pollfd poll_fd = { .fd = self->worker.channel_fd, .events = POLLIN };

  return self->worker.channel != NULL ? channel_has_spoken (self->worker.channel)
                                      : poll (&poll_fd, 1, 0) > 0;
}

void
scheduler_poll_exited (Scheduler *self, GQueue *ended)
{
  for (GList *l = self->idle.tail; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->prev;
      if (!has_hung_up (slot))
        continue;
      worker_slot_remove (slot);
      g_queue_push_tail_link (ended, &slot->link);
    }
  for (GList *l = self->ended.head; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->next;
      if (!is_dead (slot, 0))
        continue;
      g_queue_unlink (&self->ended, &slot->link);
      g_queue_push_tail_link (ended, &slot->link);
    }
}

void
scheduler_poll_exited_sometimes (Scheduler *self, gint64 now, GQueue *ended)
{
  if (now < self->look_at && self->ended.length == 0)
    return;
  self->look_at = now + LOOK_US;
  scheduler_poll_exited (self, ended);
}

void
scheduler_end_all (GQueue *ended)
{
  GList *link;

  while ((link = g_queue_pop_head_link (ended)) != NULL)
    reap (link->data, DEATH_WAIT_MS);
}

/* Giving back */

Worker *
worker_slot_get_worker (WorkerSlot *self)
{
  return &self->worker;
}

static gboolean
is_unprepared (const Worker *worker)
{
  return (worker->state.leftovers & FRAME_LEFT_UNPREPARED) != 0;
}

const char *
worker_slot_find_reason (WorkerSlot *self, const Worker *worker, guint64 n_calls)
{
  const SchedulerConfig *config = &self->scheduler->config;
  const FrameState *state = &worker->state;

  if (is_unprepared (worker))
    return "initializer";
  if (self->inherited_state != self->scheduler->state && self->scheduler->state != 0)
    return "inherited";
  if (config->calls_per_worker > 0 && n_calls >= config->calls_per_worker)
    return "calls";
  if (config->memory_per_worker > 0 && state->resident > config->memory_per_worker)
    return "memory";
  if (state->leftovers != 0)
    return "leftovers";
  if (self->scheduler->idle.length + self->scheduler->busy.length > config->max_workers)
    return "shrunk";
  return NULL;
}

static gboolean
was_ended_by_caller (WorkerSlot *self)
{
  ProcfunFailure *failure = self->call != NULL ? self->call->failure : NULL;
  ProcfunCause cause = failure != NULL ? procfun_failure_get_cause (failure) : PROCFUN_CAUSE_ERROR;

  return cause == PROCFUN_CAUSE_CANCELLED || cause == PROCFUN_CAUSE_TIMED_OUT;
}

void
worker_slot_note_first_call (WorkerSlot *self, const Worker *worker, gboolean is_usable)
{
  Scheduler *scheduler = self->scheduler;
  g_autoptr (GError) error = NULL;
  const char *initializer
      = scheduler->initializer != NULL ? procfun_function_get_name (scheduler->initializer) : "";

  if (is_usable && !is_unprepared (worker))
    scheduler_note_start (scheduler, NULL);
  else if (is_usable || (!worker->has_greeted && !was_ended_by_caller (self)))
    error = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                         _ ("the last one could not be prepared by %s()"), initializer);
  else if (self->is_unsent && ++scheduler->n_unsent >= UNSENT_MAX)
    error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                                 _ ("the last one ended before its first call"));
  if (error != NULL)
    scheduler_note_start (scheduler, error);
}

/* With the lock held. Where it goes from here; TRUE: out, and to be ended, for @reason if that is
 * not NULL. */
static gboolean
put_back (WorkerSlot *self, gboolean is_usable, const char **reason)
{
  Scheduler *scheduler = self->scheduler;
  gboolean stays;

  self->call = NULL;
  *reason = is_usable ? worker_slot_find_reason (self, &self->worker, self->n_calls) : NULL;
  if (self->is_held && is_usable && !is_unprepared (&self->worker))
    return FALSE;
  owner_clear (&self->owner);
  self->is_lost = self->is_held;
  stays = is_usable && *reason == NULL;
  self->is_idle = stays;
  if (stays)
    {
      g_queue_unlink (&scheduler->busy, &self->link);
      g_queue_push_head_link (&scheduler->idle, &self->link);
    }
  else
    worker_slot_remove (self);
  scheduler_assign (scheduler); /* who may take it at once */
  return !stays;
}

static void
give_back (WorkerSlot *self, gboolean is_usable, gboolean was_used)
{
  Scheduler *scheduler = self->scheduler;
  const char *reason;
  gboolean ends;

  g_mutex_lock (&scheduler->lock);
  if (was_used && self->n_calls == 0)
    worker_slot_note_first_call (self, &self->worker, is_usable);
  self->n_calls += was_used ? 1 : 0;
  ends = put_back (self, is_usable, &reason);
  g_mutex_unlock (&scheduler->lock);
  if (ends)
    worker_slot_end (self, reason);
}

void
worker_slot_put_back (WorkerSlot *self, Worker *worker, gboolean is_usable)
{
  self->worker = worker_steal (worker);
  give_back (self, is_usable, !self->is_unused);
}

void
worker_slot_discard (WorkerSlot *self)
{
  give_back (self, FALSE, FALSE);
}

void
worker_slot_set_unused (WorkerSlot *self)
{
  self->is_unused = TRUE;
}

void
worker_slot_set_unsent (WorkerSlot *self)
{
  self->is_unsent = TRUE;
}

/* Who held it for several calls has a reference of its own. */
void
worker_slot_give_back (WorkerSlot *self)
{
  Scheduler *scheduler = self->scheduler;
  const char *reason = NULL;
  gboolean was_held, ends = FALSE;

  if (self->process != NULL && !process_is_own (self->process)) /* the parent has it */
    return;
  g_mutex_lock (&scheduler->lock);
  was_held = self->is_held;
  self->is_held = FALSE;
  if (!self->is_lost)
    ends = put_back (self, TRUE, &reason);
  g_mutex_unlock (&scheduler->lock);
  if (ends)
    worker_slot_end (self, reason);
  if (was_held)
    worker_slot_unref (self);
}

/* For several calls */

gboolean
worker_slot_hold (WorkerSlot *self)
{
  gboolean ok;

  g_mutex_lock (&self->scheduler->lock);
  ok = !self->scheduler->is_closing;
  if (ok)
    {
      self->is_held = TRUE;
      g_atomic_ref_count_inc (&self->ref_count);
    }
  g_mutex_unlock (&self->scheduler->lock);
  return ok;
}

static gboolean
check_take (WorkerSlot *self, ProcfunFunction *function, GError **error)
{
  const char *name = procfun_function_get_name (function);

  if (self->is_lost && self->scheduler->is_closing)
    scheduler_set_closed (function, error);
  else if (!process_is_own (self->process))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                 _ ("%s() cannot be called: the session belongs to the process that forked this "
                    "one"),
                 name);
  else if (self->inherited_state
           != zygotes_get_state (self->scheduler->zygotes, g_get_monotonic_time ()))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                 _ ("%s() cannot be called: the process of the session was started before the "
                    "program changed its user, directory or the like"),
                 name);
  else if (self->is_lost)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                 _ ("%s() cannot be called: the process of the session has ended"), name);
  else if (self->call != NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY,
                 _ ("%s() cannot be called now: another call of the session runs"), name);
  else if (!g_str_equal (self->module, zygotes_get_key (function)))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() cannot be called: the session is for functions of another module"), name);
  else
    return TRUE;
  return FALSE;
}

/* From now on it is the thread's that uses it. */
gboolean
worker_slot_take (WorkerSlot *self, ProcfunCall *call, gboolean is_async, GError **error)
{
  g_autoptr (GMainContext) context = is_async ? g_main_context_ref_thread_default () : NULL;
  gboolean ok;

  g_mutex_lock (&self->scheduler->lock);
  ok = check_take (self, call->function, error);
  if (ok)
    {
      self->call = call;
      owner_clear (&self->owner);
      owner_init (&self->owner, context);
    }
  g_mutex_unlock (&self->scheduler->lock);
  return ok;
}

int
worker_slot_get_pid (WorkerSlot *self)
{
  return self->pid;
}

/* All of it */

void
scheduler_begin_to_close (Scheduler *self)
{
  g_mutex_lock (&self->lock);
  self->is_closing = TRUE;
  for (GList *l = self->queue.entries.head; l != NULL; l = l->next)
    {
      Waiter *waiter = l->data;

      if (waiter->call == NULL && waiter->source != NULL)
        g_source_set_ready_time (waiter->source, 0);
      else if (waiter->call == NULL)
        g_cond_signal (&waiter->assigned);
    }
  for (GList *l = self->submitters.head; l != NULL; l = l->next)
    g_source_set_ready_time (l->data, 0);
  g_cond_broadcast (&self->admission);
  g_mutex_unlock (&self->lock);
}

static void
add_call (GPtrArray *cancellers, ProcfunCall *call)
{
  if (call == NULL)
    return;
  g_atomic_int_set (&call->is_urgent, TRUE);
  g_ptr_array_add (cancellers, canceller_ref (call->canceller));
}

/* Whoever runs a call does not let go of it as long as it is listed here. Those that wait come
 * first, or the end of one that runs would let them begin. */
void
scheduler_abort (Scheduler *self)
{
  g_autoptr (GPtrArray) cancellers
      = g_ptr_array_new_with_free_func ((GDestroyNotify)canceller_unref);

  g_mutex_lock (&self->lock);
  for (GList *l = self->queue.entries.head; l != NULL; l = l->next)
    add_call (cancellers, ((Waiter *)l->data)->call);
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    {
      const WorkerSlot *slot = l->data;

      for (GList *m = slot->pipelined.head; m != NULL; m = m->next)
        add_call (cancellers, exchange_get_call (m->data));
      add_call (cancellers, slot->call);
    }
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < cancellers->len; i++)
    canceller_cancel (cancellers->pdata[i]);
}

void
scheduler_kill (Scheduler *self)
{
  g_mutex_lock (&self->lock);
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    {
      const WorkerSlot *slot = l->data;

      if (slot->process != NULL && slot->call != NULL)
        process_kill_all (slot->process);
    }
  g_mutex_unlock (&self->lock);
}

gboolean
scheduler_has_own_calls (Scheduler *self)
{
  gboolean found = FALSE;

  g_mutex_lock (&self->lock);
  for (GList *l = self->busy.head; l != NULL && !found; l = l->next)
    {
      const WorkerSlot *slot = l->data;

      found = slot->call != NULL && owner_is_here (&slot->owner);
    }
  for (GList *l = self->queue.entries.head; l != NULL && !found; l = l->next)
    {
      const Waiter *waiter = l->data;

      found = waiter->call != NULL && owner_is_here (&waiter->owner);
    }
  g_mutex_unlock (&self->lock);
  return found;
}

/* With the lock held: those that are idle, or held by who does not use them. */
static void
remove_unused (Scheduler *self, GQueue *removed)
{
  for (GList *l = self->busy.head; l != NULL;)
    {
      WorkerSlot *slot = l->data;

      l = l->next;
      if (!slot->is_held || slot->call != NULL)
        continue;
      slot->is_lost = TRUE;
      owner_clear (&slot->owner);
      worker_slot_remove (slot);
      g_queue_push_tail_link (removed, &slot->link);
    }
  while (self->idle.head != NULL)
    {
      WorkerSlot *slot = self->idle.head->data;

      worker_slot_remove (slot);
      g_queue_push_tail_link (removed, &slot->link);
    }
}

void
scheduler_clear (Scheduler *self)
{
  GQueue removed = G_QUEUE_INIT;
  GList *link;

  g_mutex_lock (&self->lock);
  remove_unused (self, &removed);
  for (GList *l = removed.head; l != NULL; l = l->next)
    process_signal_alone (((WorkerSlot *)l->data)->process, SIGKILL);
  while ((link = g_queue_pop_head_link (&self->ended)) != NULL)
    g_queue_push_tail_link (&removed, link);
  g_mutex_unlock (&self->lock);
  while ((link = g_queue_pop_head_link (&removed)) != NULL)
    reap (link->data, DEATH_MAX_MS);
  zygotes_clear (self->zygotes);
}
