/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that are sent to a worker before it has answered those before them. All of them are of one
 * main context, whose thread alone looks at what is in front. */

#include "procfun/schedule/crew-private.h"

gboolean
crew_can_send_ahead (CrewMember *member, const CrewRequest *request)
{
  GMainContext *context = member->owner.context;
  const Worker *worker;
  guint64 n_calls;

  if (!request->may_go_ahead || context == NULL || !g_main_context_is_owner (context)
      || member->front == NULL)
    return FALSE;
  worker = exchange_get_worker (member->front);
  n_calls = member->n_calls + 1 + member->behind.length;
  return worker->is_kept && worker->channel != NULL && worker->codec == request->options->codec
         && worker->max_payload == request->options->max_payload
         && member->behind.length + 1 < member->crew->config.calls_in_flight
         && crew_member_find_reason (member, worker, n_calls) == NULL
         && g_str_equal (member->module, nurseries_get_key (request->function));
}

CrewMember *
crew_find_busy (Crew *self, const CrewRequest *request)
{
  CrewMember *found = NULL;

  for (GList *l = self->busy.head; l != NULL && queue_peek (&self->queue) == NULL; l = l->next)
    {
      CrewMember *member = l->data;

      if ((found == NULL || member->behind.length < found->behind.length)
          && crew_can_send_ahead (member, request))
        found = member;
    }
  return found;
}

Exchange *
crew_member_get_front (CrewMember *self)
{
  return self->front;
}

void
crew_member_set_front (CrewMember *self, Exchange *exchange)
{
  if (self->owner.context == NULL)
    return;
  self->front = exchange;
  crew_feed (self);
}

void
crew_member_queue (CrewMember *self, Exchange *exchange)
{
  g_mutex_lock (&self->crew->lock);
  g_queue_push_tail_link (&self->behind, exchange_get_link (exchange));
  g_mutex_unlock (&self->crew->lock);
}

/* (nullable) */
static Exchange *
pop_first (GQueue *behind)
{
  GList *link = g_queue_pop_head_link (behind);

  return link != NULL ? link->data : NULL;
}

/* What was sent ahead runs in the order in which it was sent. FALSE: there is nothing. */
static gboolean
pass_on (CrewMember *self, Worker *worker)
{
  gboolean others_wait;
  Exchange *next;

  g_mutex_lock (&self->crew->lock);
  others_wait = queue_peek (&self->crew->queue) != NULL;
  next = pop_first (&self->behind);
  if (next != NULL)
    {
      if (self->n_calls == 0)
        crew_member_note_first_call (self, worker, TRUE);
      self->n_calls++;
      self->call = exchange_get_call (next);
    }
  g_mutex_unlock (&self->crew->lock);
  if (next == NULL)
    return FALSE;
  self->front = next;
  exchange_set_release (next, crew_member_release, self);
  exchange_move_up (next, worker);
  if (others_wait)
    crew_feed (self);
  return TRUE;
}

void
crew_member_release (Worker *worker, gboolean is_usable, gpointer data)
{
  CrewMember *self = data;
  Exchange *front = g_steal_pointer (&self->front);
  ExchangeTurn turn
      = front != NULL && !exchange_has_ended (front) ? EXCHANGE_TURN_DROPPED : EXCHANGE_TURN_LOST;
  GQueue behind;
  Exchange *next;

  if (is_usable && pass_on (self, worker))
    return;
  g_mutex_lock (&self->crew->lock);
  behind = self->behind;
  g_queue_init (&self->behind);
  g_mutex_unlock (&self->crew->lock);
  crew_member_put_back (self, worker, is_usable);
  while ((next = pop_first (&behind)) != NULL)
    exchange_lose_turn (next, turn);
}
