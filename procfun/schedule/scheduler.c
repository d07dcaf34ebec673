/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a worker is given back, and how it ends. */

#include "procfun/schedule/crew-private.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/procfun-error.h"
#include "procfun/core/executor.h"
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
is_dead (CrewMember *self, int ms)
{
  struct pollfd poll_fd = { .fd = process_get_pidfd (self->process), .events = POLLIN };

  if (poll_fd.fd >= 0 && ms > 0)
    poll (&poll_fd, 1, ms);
  return process_has_died (self->process);
}

/* It was killed, or has ended by itself. */
static void
see_off (CrewMember *self, int ms)
{
  Crew *crew = self->crew;
  int status = -1;

  if (!is_dead (self, ms))
    {
      g_mutex_lock (&crew->lock);
      g_queue_push_tail_link (&crew->ended, &self->link);
      g_mutex_unlock (&crew->lock);
      return;
    }
  if (!process_get_status (self->process, &status))
    status = -1;
  procfun_executor_emit_worker_exited (crew->executor, self->pid, status);
  crew_member_unref (self);
}

/* Without the lock. */
void
crew_member_end (CrewMember *self, const char *reason)
{
  if (reason != NULL)
    procfun_executor_emit_worker_recycled (self->crew->executor, self->pid, reason);
  process_signal_alone (self->process, SIGKILL);
  see_off (self, DEATH_WAIT_MS);
}

static gboolean
has_hung_up (CrewMember *self)
{
  struct pollfd poll_fd = { .fd = self->worker.channel_fd, .events = POLLIN };

  return self->worker.channel != NULL ? channel_has_spoken (self->worker.channel)
                                      : poll (&poll_fd, 1, 0) > 0;
}

void
crew_look (Crew *self, GQueue *ended)
{
  for (GList *l = self->idle.tail; l != NULL;)
    {
      CrewMember *member = l->data;

      l = l->prev;
      if (!has_hung_up (member))
        continue;
      crew_member_strike (member);
      g_queue_push_tail_link (ended, &member->link);
    }
  for (GList *l = self->ended.head; l != NULL;)
    {
      CrewMember *member = l->data;

      l = l->next;
      if (!is_dead (member, 0))
        continue;
      g_queue_unlink (&self->ended, &member->link);
      g_queue_push_tail_link (ended, &member->link);
    }
}

void
crew_look_sometimes (Crew *self, gint64 now, GQueue *ended)
{
  if (now < self->look_at && self->ended.length == 0)
    return;
  self->look_at = now + LOOK_US;
  crew_look (self, ended);
}

void
crew_end_all (GQueue *ended)
{
  GList *link;

  while ((link = g_queue_pop_head_link (ended)) != NULL)
    see_off (link->data, DEATH_WAIT_MS);
}

/* Giving back */

Worker *
crew_member_get_worker (CrewMember *self)
{
  return &self->worker;
}

static gboolean
is_unprepared (const Worker *worker)
{
  return (worker->state.leftovers & FRAME_LEFT_UNPREPARED) != 0;
}

const char *
crew_member_find_reason (CrewMember *self, const Worker *worker, guint64 n_calls)
{
  const CrewConfig *config = &self->crew->config;
  const FrameState *state = &worker->state;

  if (is_unprepared (worker))
    return "initializer";
  if (config->calls_per_worker > 0 && n_calls >= config->calls_per_worker)
    return "calls";
  if (config->memory_per_worker > 0 && state->resident > config->memory_per_worker)
    return "memory";
  if (state->leftovers != 0)
    return "leftovers";
  if (self->crew->idle.length + self->crew->busy.length > config->max_workers)
    return "shrunk";
  return NULL;
}

static gboolean
was_ended_by_caller (CrewMember *self)
{
  ProcfunFailure *failure = self->call != NULL ? self->call->failure : NULL;
  ProcfunCause cause = failure != NULL ? procfun_failure_get_cause (failure) : PROCFUN_CAUSE_ERROR;

  return cause == PROCFUN_CAUSE_CANCELLED || cause == PROCFUN_CAUSE_TIMED_OUT;
}

void
crew_member_note_first_call (CrewMember *self, const Worker *worker, gboolean is_usable)
{
  Crew *crew = self->crew;
  g_autoptr (GError) error = NULL;
  const char *initializer
      = crew->initializer != NULL ? procfun_function_get_name (crew->initializer) : "";

  if (is_usable && !is_unprepared (worker))
    crew_note_start (crew, NULL);
  else if (is_usable || (!worker->has_greeted && !was_ended_by_caller (self)))
    error = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                         _ ("the last one could not be prepared by %s()"), initializer);
  else if (self->is_unsent && ++crew->n_unsent >= UNSENT_MAX)
    error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                                 _ ("the last one ended before its first call"));
  if (error != NULL)
    crew_note_start (crew, error);
}

/* With the lock held. Where it goes from here; TRUE: out, and to be ended, for @reason if that is
 * not NULL. */
static gboolean
put_back (CrewMember *self, gboolean is_usable, const char **reason)
{
  Crew *crew = self->crew;
  gboolean stays;

  self->call = NULL;
  *reason = is_usable ? crew_member_find_reason (self, &self->worker, self->n_calls) : NULL;
  if (self->is_held && is_usable && !is_unprepared (&self->worker))
    return FALSE;
  crew_owner_clear (&self->owner);
  self->is_lost = self->is_held;
  stays = is_usable && *reason == NULL;
  self->is_idle = stays;
  if (stays)
    {
      g_queue_unlink (&crew->busy, &self->link);
      g_queue_push_head_link (&crew->idle, &self->link);
    }
  else
    crew_member_strike (self);
  crew_serve (crew); /* who may take it at once */
  return !stays;
}

static void
give_back (CrewMember *self, gboolean is_usable, gboolean was_used)
{
  Crew *crew = self->crew;
  const char *reason;
  gboolean ends;

  g_mutex_lock (&crew->lock);
  if (was_used && self->n_calls == 0)
    crew_member_note_first_call (self, &self->worker, is_usable);
  self->n_calls += was_used ? 1 : 0;
  ends = put_back (self, is_usable, &reason);
  g_mutex_unlock (&crew->lock);
  if (ends)
    crew_member_end (self, reason);
}

void
crew_member_put_back (CrewMember *self, Worker *worker, gboolean is_usable)
{
  self->worker = worker_steal (worker);
  give_back (self, is_usable, !self->is_unused);
}

void
crew_member_discard (CrewMember *self)
{
  give_back (self, FALSE, FALSE);
}

void
crew_member_set_unused (CrewMember *self)
{
  self->is_unused = TRUE;
}

void
crew_member_set_unsent (CrewMember *self)
{
  self->is_unsent = TRUE;
}

/* Who held it for several calls has a reference of its own. */
void
crew_member_give_back (CrewMember *self)
{
  Crew *crew = self->crew;
  const char *reason = NULL;
  gboolean was_held, ends = FALSE;

  g_mutex_lock (&crew->lock);
  was_held = self->is_held;
  self->is_held = FALSE;
  if (!self->is_lost)
    ends = put_back (self, TRUE, &reason);
  g_mutex_unlock (&crew->lock);
  if (ends)
    crew_member_end (self, reason);
  if (was_held)
    crew_member_unref (self);
}

/* For several calls */

gboolean
crew_member_hold (CrewMember *self)
{
  gboolean ok;

  g_mutex_lock (&self->crew->lock);
  ok = !self->crew->is_closing;
  if (ok)
    {
      self->is_held = TRUE;
      g_atomic_ref_count_inc (&self->ref_count);
    }
  g_mutex_unlock (&self->crew->lock);
  return ok;
}

static gboolean
check_take (CrewMember *self, ProcfunFunction *function, GError **error)
{
  const char *name = procfun_function_get_name (function);

  if (self->is_lost && self->crew->is_closing)
    crew_set_closed (function, error);
  else if (self->is_lost)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                 _ ("%s() cannot be called: the process of the session has ended"), name);
  else if (self->call != NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY,
                 _ ("%s() cannot be called now: another call of the session runs"), name);
  else if (!g_str_equal (self->module, nurseries_get_key (function)))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() cannot be called: the session is for functions of another module"), name);
  else
    return TRUE;
  return FALSE;
}

/* From now on it is the thread's that uses it. */
gboolean
crew_member_take (CrewMember *self, ProcfunCall *call, gboolean is_async, GError **error)
{
  g_autoptr (GMainContext) context = is_async ? g_main_context_ref_thread_default () : NULL;
  gboolean ok;

  g_mutex_lock (&self->crew->lock);
  ok = check_take (self, call->function, error);
  if (ok)
    {
      self->call = call;
      crew_owner_clear (&self->owner);
      crew_owner_init (&self->owner, context);
    }
  g_mutex_unlock (&self->crew->lock);
  return ok;
}

int
crew_member_get_pid (CrewMember *self)
{
  return self->pid;
}

/* All of it */

void
crew_begin_to_close (Crew *self)
{
  g_mutex_lock (&self->lock);
  self->is_closing = TRUE;
  for (GList *l = self->queue.entries.head; l != NULL; l = l->next)
    {
      CrewWaiter *waiter = l->data;

      if (waiter->call == NULL && waiter->source != NULL)
        g_source_set_ready_time (waiter->source, 0);
      else if (waiter->call == NULL)
        g_cond_signal (&waiter->granted);
    }
  for (GList *l = self->newcomers.head; l != NULL; l = l->next)
    g_source_set_ready_time (l->data, 0);
  g_cond_broadcast (&self->room);
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
crew_abort (Crew *self)
{
  g_autoptr (GPtrArray) cancellers
      = g_ptr_array_new_with_free_func ((GDestroyNotify)canceller_unref);

  g_mutex_lock (&self->lock);
  for (GList *l = self->queue.entries.head; l != NULL; l = l->next)
    add_call (cancellers, ((CrewWaiter *)l->data)->call);
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    {
      const CrewMember *member = l->data;

      for (GList *m = member->behind.head; m != NULL; m = m->next)
        add_call (cancellers, exchange_get_call (m->data));
      add_call (cancellers, member->call);
    }
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < cancellers->len; i++)
    canceller_cancel (cancellers->pdata[i]);
}

void
crew_kill (Crew *self)
{
  g_mutex_lock (&self->lock);
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    {
      const CrewMember *member = l->data;

      if (member->process != NULL && member->call != NULL)
        process_kill_all (member->process);
    }
  g_mutex_unlock (&self->lock);
}

gboolean
crew_has_own_calls (Crew *self)
{
  gboolean found = FALSE;

  g_mutex_lock (&self->lock);
  for (GList *l = self->busy.head; l != NULL && !found; l = l->next)
    {
      const CrewMember *member = l->data;

      found = member->call != NULL && crew_owner_is_here (&member->owner);
    }
  for (GList *l = self->queue.entries.head; l != NULL && !found; l = l->next)
    {
      const CrewWaiter *waiter = l->data;

      found = waiter->call != NULL && crew_owner_is_here (&waiter->owner);
    }
  g_mutex_unlock (&self->lock);
  return found;
}

/* With the lock held: those that are idle, or held by who does not use them. */
static void
strike_unused (Crew *self, GQueue *struck)
{
  for (GList *l = self->busy.head; l != NULL;)
    {
      CrewMember *member = l->data;

      l = l->next;
      if (!member->is_held || member->call != NULL)
        continue;
      member->is_lost = TRUE;
      crew_owner_clear (&member->owner);
      crew_member_strike (member);
      g_queue_push_tail_link (struck, &member->link);
    }
  while (self->idle.head != NULL)
    {
      CrewMember *member = self->idle.head->data;

      crew_member_strike (member);
      g_queue_push_tail_link (struck, &member->link);
    }
}

void
crew_clear (Crew *self)
{
  GQueue struck = G_QUEUE_INIT;
  GList *link;

  g_mutex_lock (&self->lock);
  strike_unused (self, &struck);
  for (GList *l = struck.head; l != NULL; l = l->next)
    process_signal_alone (((CrewMember *)l->data)->process, SIGKILL);
  while ((link = g_queue_pop_head_link (&self->ended)) != NULL)
    g_queue_push_tail_link (&struck, link);
  g_mutex_unlock (&self->lock);
  while ((link = g_queue_pop_head_link (&struck)) != NULL)
    see_off (link->data, DEATH_MAX_MS);
  nurseries_clear (self->nurseries);
}
