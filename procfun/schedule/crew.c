/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who works, who is idle, and who gets whom. */

#include "procfun/schedule/crew-private.h"

#include "procfun/core/call.h"
#include <string.h>

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
  g_queue_init (&self->ended);
  g_queue_init (&self->newcomers);
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

/* Owners */

void
crew_owner_init (CrewOwner *self, GMainContext *context)
{
  self->thread = g_thread_self ();
  self->is_stuck = FALSE;
  self->context = context != NULL ? g_main_context_ref (context) : NULL;
}

void
crew_owner_clear (CrewOwner *self)
{
  g_clear_pointer (&self->context, g_main_context_unref);
  self->thread = NULL;
}

/* A main context that nobody runs is taken for that of the thread that used it. */
gboolean
crew_owner_is_here (const CrewOwner *self)
{
  if (self->context == NULL)
    return self->thread == g_thread_self ();
  if (g_main_context_is_owner (self->context))
    return TRUE;
  if (self->thread != g_thread_self () || !g_main_context_acquire (self->context))
    return FALSE;
  g_main_context_release (self->context);
  return TRUE;
}

/* Members */

CrewMember *
crew_member_new (Crew *self, const char *module)
{
  const Worker nothing = WORKER_INIT;
  CrewMember *member = g_new0 (CrewMember, 1);

  g_atomic_ref_count_init (&member->ref_count);
  member->link.data = member;
  member->crew = g_atomic_rc_box_acquire (self);
  member->worker = nothing;
  member->module = g_intern_string (module);
  member->is_permanent = self->n_permanent < self->config.min_workers;
  if (member->is_permanent)
    self->n_permanent++;
  return member;
}

void
crew_member_unref (CrewMember *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  worker_clear (&self->worker);
  crew_owner_clear (&self->owner);
  crew_unref (self->crew);
  g_free (self);
}

static void
take_out (CrewMember *self)
{
  g_queue_unlink (self->is_idle ? &self->crew->idle : &self->crew->busy, &self->link);
}

void
crew_member_set_busy (CrewMember *self)
{
  self->is_idle = FALSE;
  g_queue_push_tail_link (&self->crew->busy, &self->link);
}

void
crew_member_strike (CrewMember *self)
{
  take_out (self);
  if (self->is_permanent)
    self->crew->n_permanent--;
  self->is_permanent = FALSE;
}

/* Settings */

void
crew_get_config (Crew *self, CrewConfig *config)
{
  g_mutex_lock (&self->lock);
  *config = self->config;
  g_mutex_unlock (&self->lock);
}

/* There are more than there may be. */
static void
trim (Crew *self, GQueue *surplus)
{
  for (GList *l = self->idle.tail; l != NULL;)
    {
      CrewMember *member = l->data;

      l = l->prev;
      if (self->idle.length + self->busy.length <= self->config.max_workers
          && (!member->is_permanent || self->n_permanent <= self->config.min_workers))
        continue;
      crew_member_strike (member);
      g_queue_push_tail_link (surplus, &member->link);
    }
}

gboolean
crew_set_config (Crew *self, gsize offset, gsize size, gconstpointer value)
{
  GQueue surplus = G_QUEUE_INIT;
  GList *link;
  gboolean changed;

  g_mutex_lock (&self->lock);
  changed = memcmp ((char *)&self->config + offset, value, size) != 0;
  memcpy ((char *)&self->config + offset, value, size);
  trim (self, &surplus);
  crew_serve (self);
  g_mutex_unlock (&self->lock);
  while ((link = g_queue_pop_head_link (&surplus)) != NULL)
    crew_member_end (link->data, "shrunk");
  return changed;
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

/* Who gets whom */

/* (nullable) (transfer none) */
static GList *
find_idle (Crew *self, const char *module)
{
  GList *l = self->idle.head;

  while (l != NULL && !g_str_equal (((CrewMember *)l->data)->module, module))
    l = l->next;
  return l;
}

static gboolean
has_busy (Crew *self, const char *module)
{
  for (GList *l = self->busy.head; l != NULL; l = l->next)
    {
      const CrewMember *member = l->data;

      if (!member->is_held && member->process != NULL && g_str_equal (member->module, module))
        return TRUE;
    }
  return FALSE;
}

/* While none can be started, those that work are better than an error. An idle one of another
 * module makes room. */
static gboolean
may_start (Crew *self, const char *module)
{
  if (self->idle.length == 0 && self->busy.length >= self->config.max_workers)
    return FALSE;
  return !crew_is_backing_off (self) || !has_busy (self, module);
}

static gboolean
grant (Crew *self, CrewWaiter *waiter)
{
  GList *l = find_idle (self, waiter->module);

  if (l != NULL)
    {
      waiter->member = l->data;
      take_out (waiter->member);
    }
  else if (!may_start (self, waiter->module))
    return FALSE;
  else
    {
      if (self->idle.length + self->busy.length >= self->config.max_workers)
        {
          waiter->retired = self->idle.tail->data;
          crew_member_strike (waiter->retired);
        }
      waiter->member = crew_member_new (self, waiter->module);
    }
  crew_member_set_busy (waiter->member);
  waiter->member->call = waiter->call;
  crew_owner_init (&waiter->member->owner, waiter->owner.context);
  waiter->member->owner.thread = waiter->owner.thread;
  waiter->member->owner.is_stuck = waiter->owner.is_stuck;
  return TRUE;
}

/* Who waits in a thread may have to see now that it does so in vain. */
void
crew_wake_threads (Crew *self)
{
  for (GList *l = self->queue.entries.head; l != NULL; l = l->next)
    {
      CrewWaiter *waiter = l->data;

      if (waiter->source == NULL)
        g_cond_signal (&waiter->granted);
    }
  g_cond_broadcast (&self->room);
}

void
crew_serve (Crew *self)
{
  gboolean to_context = FALSE;
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
      to_context = to_context || waiter->source != NULL;
    }
  if (to_context)
    crew_wake_threads (self);
  crew_announce_room (self);
}

gboolean
crew_ask (Crew *self, const CrewRequest *request, CrewWaiter *waiter, gboolean waits,
          CrewMember **busy)
{
  GQueue ended = G_QUEUE_INIT;
  gint64 asked_at = request->call != NULL ? request->call->submitted_at : 0;
  gboolean granted;

  g_mutex_lock (&self->lock);
  crew_look_sometimes (self, asked_at > 0 ? asked_at : g_get_monotonic_time (), &ended);
  granted = queue_peek (&self->queue) == NULL && grant (self, waiter);
  waiter->is_granted = granted;
  if (!granted && waits)
    queue_push (&self->queue, &waiter->entry, request->priority, request->n_bytes);
  else if (!granted && busy != NULL)
    *busy = crew_find_busy (self, request);
  g_mutex_unlock (&self->lock);
  crew_end_all (&ended);
  return granted; /* as it was then */
}

CrewMember *
crew_redeem (Crew *self, const CrewRequest *request, CrewWaiter *waiter, GError **error)
{
  CrewMember *member = g_steal_pointer (&waiter->member);

  if (waiter->retired != NULL)
    crew_member_end (g_steal_pointer (&waiter->retired), "module");
  return member->process != NULL || crew_member_start (member, request, error) ? member : NULL;
}

void
crew_decline (Crew *self, CrewWaiter *waiter)
{
  CrewMember *member = g_steal_pointer (&waiter->member);

  if (waiter->retired != NULL)
    crew_member_end (g_steal_pointer (&waiter->retired), "module");
  if (member->process != NULL)
    {
      crew_member_give_back (member);
      return;
    }
  g_mutex_lock (&self->lock);
  crew_member_strike (member);
  crew_serve (self);
  g_mutex_unlock (&self->lock);
  crew_member_unref (member);
}

/* For people */

static void
describe_members (GQueue *members, ProcfunStatistics *statistics)
{
  gint64 now = g_get_monotonic_time ();

  for (GList *l = members->head; l != NULL; l = l->next)
    {
      const CrewMember *member = l->data;

      if (member->process != NULL)
        procfun_statistics_add_worker (statistics, member->pid,
                                       member->call != NULL ? PROCFUN_WORKER_BUSY
                                                            : PROCFUN_WORKER_IDLE,
                                       member->n_calls, now - member->started_at);
    }
}

void
crew_describe (Crew *self, ProcfunStatistics *statistics)
{
  GQueue ended = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  crew_look (self, &ended);
  procfun_statistics_set_queue (statistics, self->queue.entries.length, self->queue.n_bytes);
  describe_members (&self->busy, statistics);
  describe_members (&self->idle, statistics);
  g_mutex_unlock (&self->lock);
  crew_end_all (&ended);
}
