/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/backend/crew-private.h"

#include "procfun/backend/request.h"
#include "procfun/platform/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-executor-private.h"
#include <poll.h>

/* A worker that cannot be started is tried again so much later, and twice as much each time. */
#define RETRY_US (10 * G_TIME_SPAN_MILLISECOND)
#define RETRY_MAX_US (10 * G_USEC_PER_SEC)

Crew *
crew_new (ProcfunExecutor *executor)
{
  Crew *self = g_atomic_rc_box_new0 (Crew);

  self->executor = executor;
  self->nurseries = nurseries_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->room);
  queue_init (&self->queue);
  g_queue_init (&self->idle);
  g_queue_init (&self->busy);
  return self;
}

static void
clear (gpointer data)
{
  Crew *self = data;

  nurseries_free (self->nurseries);
  g_clear_object (&self->initializer);
  g_clear_pointer (&self->initializer_args, g_variant_unref);
  g_clear_error (&self->start_error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->room);
}

void
crew_unref (Crew *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

void
crew_configure (Crew *self, const CrewConfig *config)
{
  g_mutex_lock (&self->lock);
  self->config = *config;
  g_mutex_unlock (&self->lock);
}

void
crew_get_config (Crew *self, CrewConfig *config)
{
  g_mutex_lock (&self->lock);
  *config = self->config;
  g_mutex_unlock (&self->lock);
}

void
crew_set_initializer (Crew *self, ProcfunFunction *function, GVariant *args)
{
  g_mutex_lock (&self->lock);
  g_set_object (&self->initializer, function);
  g_clear_pointer (&self->initializer_args, g_variant_unref);
  self->initializer_args = args != NULL ? g_variant_ref_sink (args) : NULL;
  g_mutex_unlock (&self->lock);
}

/* Members */

static void
member_free (CrewMember *self)
{
  worker_clear (&self->worker);
  g_clear_pointer (&self->context, g_main_context_unref);
  crew_unref (self->crew);
  g_free (self);
}

/* With the lock held. */
static void
take_out (CrewMember *self)
{
  g_queue_unlink (self->is_idle ? &self->crew->idle : &self->crew->busy, &self->link);
}

static void
set_busy (CrewMember *self, gboolean is_async)
{
  self->is_idle = FALSE;
  self->thread = g_thread_self ();
  self->is_async = is_async;
  g_queue_push_tail_link (&self->crew->busy, &self->link);
}

static void
end_member (CrewMember *self, const char *reason)
{
  ProcfunExecutor *executor = self->crew->executor;
  int status = -1;

  if (reason != NULL)
    procfun_executor_emit_worker_recycled (executor, self->pid, reason);
  else if (self->worker.process != NULL && process_has_died (self->worker.process))
    process_get_status (self->worker.process, &status);
  procfun_executor_emit_worker_exited (executor, self->pid, status);
  member_free (self);
}

/* Idle workers end by themselves. With the lock held; @ended: (element-type CrewMember) those
 * found. */
static void
prune (Crew *self, GQueue *ended)
{
  for (GList *l = self->idle.tail; l != NULL;)
    {
      CrewMember *member = l->data;
      struct pollfd poll_fd = { .fd = channel_get_fd (member->worker.channel), .events = POLLIN };

      l = l->prev;
      if (poll (&poll_fd, 1, 0) <= 0)
        continue;
      take_out (member);
      self->n_workers--;
      g_queue_push_tail_link (ended, &member->link);
    }
}

static void
end_pruned (GQueue *ended)
{
  GList *link;

  while ((link = g_queue_pop_head_link (ended)) != NULL)
    end_member (link->data, NULL);
}

/* Who waits */

/* (nullable) (transfer none) */
static GList *
find_idle (Crew *self, const char *module)
{
  GList *l = self->idle.head;

  while (l != NULL && !g_str_equal (((CrewMember *)l->data)->module, module))
    l = l->next;
  return l;
}

/* What somebody who waits may have, with the lock held. */
static gboolean
grant (Crew *self, CrewWaiter *waiter)
{
  GList *l = find_idle (self, waiter->module);

  if (l == NULL && self->n_workers >= self->config.max_workers && self->idle.length > 0)
    {
      waiter->retired = self->idle.tail->data; /* of another module */
      take_out (waiter->retired);
      waiter->may_start = TRUE;
    }
  else if (l == NULL && self->n_workers < self->config.max_workers)
    {
      self->n_workers++;
      waiter->may_start = TRUE;
    }
  else if (l != NULL)
    {
      waiter->member = l->data;
      take_out (waiter->member);
    }
  return l != NULL || waiter->may_start;
}

/* A worker has become free, or there is room for one. */
static void
serve_queue (Crew *self)
{
  QueueEntry *entry;

  while ((entry = queue_peek (&self->queue)) != NULL && grant (self, (CrewWaiter *)entry))
    {
      CrewWaiter *waiter = (CrewWaiter *)entry;

      queue_remove (&self->queue, entry);
      waiter->is_granted = TRUE;
      if (waiter->source != NULL)
        g_source_set_ready_time (waiter->source, 0);
      else
        g_cond_signal (&waiter->granted);
    }
  if (self->n_wait_for_room > 0)
    g_cond_broadcast (&self->room);
}

static void
leave_room (Crew *self)
{
  g_mutex_lock (&self->lock);
  self->n_workers--;
  serve_queue (self);
  g_mutex_unlock (&self->lock);
}

/* Starting */

static guint
choose_idle_time (Crew *self)
{
  guint idle;

  g_mutex_lock (&self->lock);
  idle = self->n_workers > self->config.min_workers ? self->config.idle : 0;
  g_mutex_unlock (&self->lock);
  return idle;
}

static gboolean
check_back_off (Crew *self, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = now >= self->retry_at;
  if (!ok)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                 _ ("no worker can be started, and the next try is in %.3g s: %s"),
                 (double)(self->retry_at - now) / G_USEC_PER_SEC, self->start_error->message);
  g_mutex_unlock (&self->lock);
  return ok;
}

void
crew_note_start (Crew *self, const GError *error)
{
  g_mutex_lock (&self->lock);
  g_clear_error (&self->start_error);
  self->start_error = error != NULL ? g_error_copy (error) : NULL;
  self->retry = error != NULL ? CLAMP (2 * self->retry, RETRY_US, RETRY_MAX_US) : 0;
  self->retry_at = error != NULL ? g_get_monotonic_time () + self->retry : 0;
  g_mutex_unlock (&self->lock);
}

/* There is room for it. */
static CrewMember *
start (Crew *self, const CrewRequest *request, gboolean is_async, GError **error)
{
  const Worker nothing = WORKER_INIT;
  CrewMember *member;
  g_auto (Worker) worker = WORKER_INIT;
  GError *own_error = NULL;

  if (!check_back_off (self, error))
    {
      leave_room (self);
      return NULL;
    }
  if (!nurseries_fork (self->nurseries, request->function, request->options,
                       choose_idle_time (self), &worker, &own_error))
    {
      crew_note_start (self, own_error);
      g_propagate_error (error, own_error);
      leave_room (self);
      return NULL;
    }
  member = g_new0 (CrewMember, 1);
  member->crew = g_atomic_rc_box_acquire (self);
  member->link.data = member;
  member->worker = nothing;
  member->worker = worker_steal (&worker);
  member->worker.is_kept = TRUE;
  member->module = g_intern_string (nurseries_get_key (request->function));
  member->started_at = g_get_monotonic_time ();
  member->pid = process_get_pid (member->worker.process);
  g_mutex_lock (&self->lock);
  set_busy (member, is_async);
  g_mutex_unlock (&self->lock);
  procfun_executor_emit_worker_started (self->executor, member->pid);
  return member;
}

/* What was granted, without the lock. */
CrewMember *
crew_redeem (Crew *self, const CrewRequest *request, CrewWaiter *waiter, GError **error)
{
  if (waiter->retired != NULL)
    end_member (g_steal_pointer (&waiter->retired), "module");
  if (waiter->member == NULL)
    return start (self, request, waiter->source != NULL || waiter->is_async, error);
  g_mutex_lock (&self->lock);
  set_busy (waiter->member, waiter->is_async);
  g_mutex_unlock (&self->lock);
  return g_steal_pointer (&waiter->member);
}

static gboolean
ask (Crew *self, const CrewRequest *request, CrewWaiter *waiter, gboolean waits)
{
  GQueue ended = G_QUEUE_INIT;

  waiter->module = nurseries_get_key (request->function);
  g_mutex_lock (&self->lock);
  if (self->n_workers >= self->config.max_workers && find_idle (self, waiter->module) == NULL)
    prune (self, &ended);
  waiter->is_granted = queue_peek (&self->queue) == NULL && grant (self, waiter);
  if (!waiter->is_granted && waits)
    queue_push (&self->queue, &waiter->entry, request->priority, request->n_bytes);
  g_mutex_unlock (&self->lock);
  end_pruned (&ended);
  return waiter->is_granted;
}

gboolean
crew_try (Crew *self, const CrewRequest *request, CrewWaiter *waiter)
{
  return ask (self, request, waiter, FALSE);
}

gboolean
crew_ask (Crew *self, const CrewRequest *request, CrewWaiter *waiter)
{
  return ask (self, request, waiter, TRUE);
}

/* One main context takes what a worker answers; only it may send something ahead. */
gboolean
crew_can_send_ahead (const CrewMember *member, const CrewRequest *request)
{
  const Worker *worker = member->front != NULL ? exchange_get_worker (member->front) : NULL;

  return request->may_go_ahead && member->is_async && member->context != NULL
         && g_main_context_is_owner (member->context) && worker != NULL && worker->is_kept
         && worker->channel != NULL && worker->codec == request->options->codec
         && worker->max_payload == request->options->max_payload
         && member->behind.length + 1 < member->crew->config.calls_in_flight
         && g_str_equal (member->module, nurseries_get_key (request->function));
}

CrewMember *
crew_find_busy (Crew *self, const CrewRequest *request)
{
  CrewMember *found = NULL;

  g_mutex_lock (&self->lock);
  for (GList *l = self->busy.head; l != NULL && queue_peek (&self->queue) == NULL; l = l->next)
    {
      CrewMember *member = l->data;

      if (crew_can_send_ahead (member, request)
          && (found == NULL || member->behind.length < found->behind.length))
        found = member;
    }
  g_mutex_unlock (&self->lock);
  return found;
}

/* Giving back */

Worker *
crew_member_get_worker (CrewMember *self)
{
  return &self->worker;
}

static const char *
find_reason (CrewMember *self)
{
  const CrewConfig *config = &self->crew->config;
  const FrameState *state = &self->worker.state;

  if (config->calls_per_worker > 0 && self->n_calls >= config->calls_per_worker)
    return "calls";
  if (config->memory_per_worker > 0 && state->resident > config->memory_per_worker)
    return "memory";
  if ((state->leftovers & FRAME_LEFT_UNPREPARED) != 0)
    return "initializer";
  if (state->leftovers != 0)
    return "leftovers";
  if (self->crew->n_workers > config->max_workers)
    return "shrunk";
  return NULL;
}

Exchange *
crew_member_get_front (CrewMember *self)
{
  return self->front;
}

void
crew_member_set_front (CrewMember *self, Exchange *exchange)
{
  if (!self->is_async)
    return;
  self->front = exchange;
  crew_feed (self);
}

void
crew_member_queue (CrewMember *self, Exchange *exchange)
{
  g_queue_push_tail (&self->behind, exchange);
}

/* What was sent ahead runs in the order in which it was sent. */
static void
pass_on (CrewMember *self, Worker *worker)
{
  Exchange *next = g_queue_pop_head (&self->behind);

  g_mutex_lock (&self->crew->lock);
  self->n_calls++;
  g_mutex_unlock (&self->crew->lock);
  self->front = next;
  exchange_set_release (next, crew_member_release, self);
  exchange_move_up (next, worker);
}

static void release (CrewMember *self, Worker *worker, gboolean is_usable);

void
crew_member_release (Worker *worker, gboolean is_usable, gpointer data)
{
  CrewMember *self = data;
  Exchange *front = g_steal_pointer (&self->front);
  ExchangeTurn turn
      = front != NULL && !exchange_has_ended (front) ? EXCHANGE_TURN_DROPPED : EXCHANGE_TURN_LOST;
  GQueue behind = self->behind;
  Exchange *next;

  if (is_usable && behind.length > 0)
    {
      pass_on (self, worker);
      crew_feed (self);
      return;
    }
  g_queue_init (&self->behind);
  release (self, worker, is_usable);
  while ((next = g_queue_pop_head (&behind)) != NULL)
    exchange_lose_turn (next, turn);
}

static void
release (CrewMember *self, Worker *worker, gboolean is_usable)
{
  Crew *crew = self->crew;
  const char *reason = NULL;

  self->worker = worker_steal (worker);
  g_mutex_lock (&crew->lock);
  self->n_calls++;
  take_out (self);
  if (is_usable)
    reason = find_reason (self);
  if (is_usable && reason == NULL)
    {
      self->is_idle = TRUE;
      g_queue_push_head_link (&crew->idle, &self->link);
    }
  else
    crew->n_workers--;
  serve_queue (crew);
  g_mutex_unlock (&crew->lock);
  if (!is_usable || reason != NULL)
    end_member (self, reason);
}

void
crew_member_give_back (CrewMember *self)
{
  g_auto (Worker) worker = worker_steal (&self->worker);

  self->n_calls--;
  crew_member_release (&worker, TRUE, self);
}

void
crew_member_discard (CrewMember *self)
{
  g_auto (Worker) worker = worker_steal (&self->worker);

  crew_member_release (&worker, FALSE, self);
}

/* Before its first call. If this fails, that call fails with it. */
void
crew_member_begin (CrewMember *self, const ExchangeOptions *options)
{
  g_autoptr (ProcfunCall) call = NULL;
  Crew *crew = self->crew;

  g_mutex_lock (&crew->lock);
  if (crew->initializer != NULL && self->n_calls == 0 && self->worker.channel == NULL)
    call = procfun_call_new (crew->initializer, crew->initializer_args);
  g_mutex_unlock (&crew->lock);
  if (call != NULL)
    exchange_prepare_worker (&self->worker, call, options);
}

/* As a whole */

guint
crew_get_queue (Crew *self, guint64 *n_bytes)
{
  guint n;

  g_mutex_lock (&self->lock);
  n = self->queue.entries.length;
  *n_bytes = self->queue.n_bytes;
  g_mutex_unlock (&self->lock);
  return n;
}

static void
describe_members (GQueue *members, ProcfunWorkerState state, ProcfunStatistics *statistics)
{
  gint64 now = g_get_monotonic_time ();

  for (GList *l = members->head; l != NULL; l = l->next)
    {
      const CrewMember *member = l->data;

      procfun_statistics_add_worker (statistics, member->pid, state, member->n_calls,
                                     now - member->started_at);
    }
}

void
crew_describe (Crew *self, ProcfunStatistics *statistics)
{
  GQueue ended = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  prune (self, &ended);
  procfun_statistics_set_queue (statistics, self->queue.entries.length, self->queue.n_bytes);
  describe_members (&self->busy, PROCFUN_WORKER_BUSY, statistics);
  describe_members (&self->idle, PROCFUN_WORKER_IDLE, statistics);
  g_mutex_unlock (&self->lock);
  end_pruned (&ended);
}

void
crew_clear (Crew *self)
{
  GQueue ended = G_QUEUE_INIT;
  GList *link;

  g_mutex_lock (&self->lock);
  while ((link = g_queue_pop_head_link (&self->idle)) != NULL)
    {
      self->n_workers--;
      g_queue_push_tail_link (&ended, link);
    }
  g_mutex_unlock (&self->lock);
  end_pruned (&ended);
  nurseries_clear (self->nurseries);
}
