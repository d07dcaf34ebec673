/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/context-waiter.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/schedule/presence.h"
#include "procfun/schedule/waiter.h"

/* After so many calls, and CONTEXT_TURN_US, others of the main loop have their turn. */
#define TURN_CALLS 64

GMainContext *
context_source_get_context (const Waiter *waiter)
{
  return waiter->source != NULL ? waiter->source->owner.context : NULL;
}

/* When something is to be told */

/* A main context that this thread runs asks by itself before it sleeps. */
void
context_source_make_ready (ContextSource *self)
{
  if (g_atomic_int_compare_and_exchange (&self->is_ready, FALSE, TRUE)
      && !g_main_context_is_owner (self->owner.context))
    g_main_context_wakeup (self->owner.context);
}

void
context_source_wake (Waiter *waiter)
{
  waiter->entry.link = (GList){ .data = waiter };
  g_queue_push_tail_link (&waiter->source->due, &waiter->entry.link);
  context_source_make_ready (waiter->source);
}

void
context_source_wake_sessions (ContextSource *self)
{
  if (self->sessions.length > 0)
    context_source_make_ready (self);
}

void
context_waiter_note_tripped (gpointer data)
{
  ContextWaiter *waiter = data;
  ContextSource *self = waiter->base.source;

  g_mutex_lock (&self->lock);
  if (waiter->tripped.data == NULL)
    {
      waiter->tripped.data = waiter;
      g_queue_push_tail_link (&self->tripped, &waiter->tripped);
    }
  g_mutex_unlock (&self->lock);
  context_source_make_ready (self);
}

void
context_source_drop (Waiter *waiter)
{
  context_waiter_note_tripped (waiter);
}

void
context_source_cancel_plain (Waiter *waiter)
{
  waiter->request.is_plain_cancelled = TRUE;
  context_waiter_note_tripped (waiter);
}

void
context_source_cancel_assigned (ContextSource *self)
{
  const GQueue *lists[] = { &self->due, &self->starting };

  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    for (GList *l = lists[i]->head; l != NULL; l = l->next)
      if (((const Waiter *)l->data)->request.plain != NULL)
        context_source_cancel_plain (l->data);
}

static gint64
get_earlier (gint64 time, gint64 other)
{
  if (time == 0 || other == 0)
    return MAX (time, other);
  return MIN (time, other);
}

void
context_source_update_next (ContextSource *self)
{
  const HeapNode *first = heap_peek (&self->deadlines);
  gint64 next = get_earlier (first != NULL ? first->key : 0, self->look_at);
  gboolean is_earlier = next > 0 && (self->next == 0 || next < self->next);

  if (next == self->next)
    return;
  g_mutex_lock (&self->lock);
  self->next = next;
  g_mutex_unlock (&self->lock);
  if (is_earlier && !g_main_context_is_owner (self->owner.context))
    g_main_context_wakeup (self->owner.context);
}

void
context_source_begin_to_look (ContextSource *self)
{
  if (self->look_at > 0 || self->n_waiters == 0
      || !presence_is_needed (self->scheduler, self->owner.context))
    return;
  self->look_at = g_get_monotonic_time () + PRESENCE_LOOK_US;
  context_source_update_next (self);
}

/* It looks again if that is needed. */
static void
look (ContextSource *self)
{
  self->look_at = 0;
  if (self->n_waiters == 0 || !presence_is_needed (self->scheduler, self->owner.context))
    return;
  if (presence_look (self->scheduler))
    scheduler_assign (self->scheduler);
  context_source_begin_to_look (self);
}

/* Those that wait no more */

void
context_waiter_give_up (ContextWaiter *waiter)
{
  ContextSource *self = waiter->base.source;
  Scheduler *scheduler = self->scheduler;

  if (queue_remove (&scheduler->queue, &waiter->base.entry))
    {
      context_source_wake (&waiter->base);
      scheduler_assign (scheduler); /* it may have been in the way of the next one */
    }
  else if (waiter->is_starting)
    {
      waiter->is_over = TRUE;
      waiter->is_starting = FALSE;
      g_queue_unlink (&self->starting, &waiter->base.entry.link);
      context_source_wake (&waiter->base);
    }
}

static ContextWaiter *
pop_tripped (ContextSource *self)
{
  GList *link;

  g_mutex_lock (&self->lock);
  link = g_queue_pop_head_link (&self->tripped);
  g_mutex_unlock (&self->lock);
  return link != NULL ? g_steal_pointer (&link->data) : NULL;
}

/* With the lock held. Cancelled and late ones go where those with a worker are. */
static void
collect (ContextSource *self)
{
  ContextWaiter *waiter;
  const HeapNode *first;

  while (self->due.length < TURN_CALLS && (waiter = pop_tripped (self)) != NULL)
    context_waiter_give_up (waiter);
  for (GList *l = self->sessions.head; l != NULL;)
    {
      waiter = l->data;
      l = l->next;
      if (!waiter_goes_on (&waiter->base, self->scheduler))
        context_waiter_give_up (waiter);
    }
  if (self->next == 0 || self->next > g_get_monotonic_time ())
    return;
  if (self->look_at > 0 && self->look_at <= g_get_monotonic_time ())
    look (self);
  while ((first = heap_peek (&self->deadlines)) != NULL && first->key <= g_get_monotonic_time ())
    {
      waiter = (gpointer)((char *)first - G_STRUCT_OFFSET (ContextWaiter, deadline));
      heap_remove (&self->deadlines, &waiter->deadline);
      if (waiter->fork == NULL || !waiter_goes_on (&waiter->base, self->scheduler))
        context_waiter_give_up (waiter);
      else
        context_source_make_ready (
            self); /* its zygote does not answer, which is seen by the next turn */
    }
  context_source_update_next (self);
}

ContextWaiter *
context_source_take_out (ContextSource *self, GQueue *list, GList *link)
{
  g_queue_unlink (list, link);
  return g_steal_pointer (&link->data);
}

/* (nullable) */
static ContextWaiter *
pop_due (ContextSource *self)
{
  ContextWaiter *waiter = NULL;

  g_mutex_lock (&self->scheduler->lock);
  g_atomic_int_set (&self->is_ready, FALSE);
  collect (self);
  if (self->due.length > 0)
    waiter = context_source_take_out (self, &self->due, self->due.head);
  if (self->due.length > 0 || self->n_waiters == 0)
    g_atomic_int_set (&self->is_ready, TRUE);
  g_mutex_unlock (&self->scheduler->lock);
  return waiter;
}

gboolean
context_source_mark (ContextSource *self, gboolean is_stuck)
{
  return owner_mark (&self->owner, is_stuck);
}

gboolean
context_source_has_own_calls (ContextSource *self)
{
  return self->n_waiters > self->sessions.length && owner_is_here (&self->owner);
}

typedef struct
{
  ContextSource *source;
  GQueue found; /* (element-type ContextWaiter) */
} Search;

static void
find_own (QueueEntry *entry, gpointer user_data)
{
  Search *self = user_data;

  if (((Waiter *)entry)->source == self->source)
    g_queue_push_tail (&self->found, entry);
}

/* Calls in the queue wait in vain. */
static void
give_up_all (ContextSource *self)
{
  Search search = { self, G_QUEUE_INIT };
  ContextWaiter *waiter;

  g_mutex_lock (&self->scheduler->lock);
  if (self->n_waiters > 0)
    queue_foreach (&self->scheduler->queue, find_own, &search);
  while ((waiter = g_queue_pop_head (&search.found)) != NULL)
    context_waiter_give_up (waiter);
  g_mutex_unlock (&self->scheduler->lock);
}

/* The source */

/* The program has forked itself: nobody else will tell it anything. */
static gboolean
is_of_parent (const ContextSource *self)
{
  return self->process != inherited_state_get_process ();
}

static gboolean
context_source_check (GSource *source)
{
  ContextSource *self = (ContextSource *)source;
  gboolean is_late;

  if (g_atomic_int_get (&self->is_ready) || is_of_parent (self))
    return TRUE;
  g_mutex_lock (&self->lock);
  is_late = self->next > 0 && self->next <= g_source_get_time (source);
  g_mutex_unlock (&self->lock);
  return is_late;
}

static gboolean
context_source_prepare (GSource *source, int *timeout)
{
  ContextSource *self = (ContextSource *)source;
  gint64 next;

  *timeout = -1;
  if (g_atomic_int_get (&self->is_ready) || is_of_parent (self))
    return TRUE;
  g_mutex_lock (&self->lock);
  next = self->next;
  g_mutex_unlock (&self->lock);
  if (next > 0)
    *timeout = (int)CLAMP ((next - g_source_get_time (source) + 999) / 1000, 0, G_MAXINT);
  return *timeout == 0;
}

/* FALSE: somebody waits, or it was done before. */
static gboolean
leave (ContextSource *self)
{
  gboolean leaves;

  g_mutex_lock (&self->scheduler->lock);
  leaves = self->n_waiters == 0 && self->link.data != NULL;
  if (leaves)
    {
      g_queue_unlink (&self->scheduler->sources, &self->link);
      self->link.data = NULL;
    }
  g_mutex_unlock (&self->scheduler->lock);
  return leaves;
}

static gboolean
context_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  ContextSource *self = (ContextSource *)source;
  gint64 end_of_turn = g_get_monotonic_time () + CONTEXT_TURN_US;
  gboolean is_told = g_source_get_ready_time (source) != -1; /* by a cancellable, or a zygote */
  ContextWaiter *waiter;

  if (is_told)
    g_source_set_ready_time (source, -1);
  if (is_of_parent (self))
    {
      give_up_all (self);
      is_told = TRUE;
    }
  context_source_go_on_starting (self, is_told);
  for (guint n = 0; n < TURN_CALLS && (waiter = pop_due (self)) != NULL; n++)
    {
      context_waiter_tell (waiter);
      if (g_get_monotonic_time () >= end_of_turn)
        break;
    }
  if (leave (self))
    return G_SOURCE_REMOVE;
  return G_SOURCE_CONTINUE;
}

/* The main context goes away, or nobody waits in it. */
static void
on_destroyed (gpointer user_data)
{
  ContextSource *self = user_data;
  Scheduler *scheduler = scheduler_ref (self->scheduler);
  GList *link;

  give_up_all (self);
  while ((link = g_queue_pop_head_link (&self->due)) != NULL
         || (link = g_queue_pop_head_link (&self->starting)) != NULL)
    context_waiter_abandon (link->data,
                            g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                                 _ ("the main context of the call is gone")));
  leave (self);
  scheduler_unref (scheduler);
}

static void
context_source_finalize (GSource *source)
{
  ContextSource *self = (ContextSource *)source;

  heap_clear (&self->deadlines);
  g_mutex_clear (&self->lock);
  scheduler_unref (self->scheduler);
}

static GSourceFuncs context_source_funcs = { .prepare = context_source_prepare,
                                             .check = context_source_check,
                                             .dispatch = context_source_dispatch,
                                             .finalize = context_source_finalize };

static ContextSource *
context_source_new (Scheduler *scheduler, GMainContext *context)
{
  g_autoptr (GSource) source = g_source_new (&context_source_funcs, sizeof (ContextSource));
  ContextSource *self = (ContextSource *)source;

  self->scheduler = scheduler_ref (scheduler);
  self->process = inherited_state_get_process ();
  self->owner = (Owner){ .thread = g_thread_self (), .context = context };
  heap_init (&self->deadlines);
  g_mutex_init (&self->lock);
  self->link.data = self;
  g_queue_push_tail_link (&scheduler->sources, &self->link);
  g_source_set_callback (source, NULL, self, on_destroyed);
  g_source_set_static_name (source, "procfun queue");
  g_source_set_can_recurse (source, TRUE);
  g_source_attach (source, context);
  return self;
}

/* For each thread that uses it, since a main context that nobody runs counts as this one's. */
static ContextSource *
get_source (Scheduler *scheduler, GMainContext *context)
{
  for (GList *l = scheduler->sources.head; l != NULL; l = l->next)
    {
      ContextSource *self = l->data;

      if (self->owner.context == context && self->owner.thread == g_thread_self ())
        return self;
    }
  return context_source_new (scheduler, context);
}

/* It may have been cancelled before. */
static void
watch (ContextWaiter *self)
{
  const SlotRequest *request = &self->base.request;

  if (request->plain != NULL)
    return; /* nobody but the scheduler can cancel it */
  if (request->call != NULL)
    {
      self->canceller = canceller_ref (procfun_call_get_canceller (request->call));
      canceller_set_func (self->canceller, context_waiter_note_tripped, self);
      if (canceller_is_cancelled (self->canceller) || self->base.source->scheduler->drops_queued)
        context_waiter_note_tripped (self);
      return;
    }
  self->session.data = self;
  g_queue_push_tail_link (&self->base.source->sessions, &self->session);
  self->base.source->scheduler->n_sessions++;
  if (request->cancellable != NULL)
    self->waker = waker_new (request->cancellable, &self->base.source->source);
  context_source_make_ready (self->base.source);
}

Waiter *
context_source_add (Scheduler *scheduler, const Waiter *waiter, GMainContext *context,
                    SlotFunc callback, gpointer user_data)
{
  ContextSource *source = get_source (scheduler, context);
  ContextWaiter *self = g_new0 (ContextWaiter, 1);
  const SlotRequest *request = &waiter->request;

  self->base = *waiter;
  self->base.owner = &source->owner;
  self->base.source = source;
  if (request->cancellable != NULL)
    g_object_ref (request->cancellable);
  self->callback = callback;
  self->user_data = user_data;
  source->n_waiters++;
  if (request->deadline > 0)
    {
      heap_add (&source->deadlines, &self->deadline, request->deadline);
      context_source_update_next (source);
    }
  if (waiter->is_assigned)
    context_source_wake (&self->base);
  else
    waiter_push (&self->base, scheduler);
  context_source_begin_to_look (source);
  watch (self);
  return &self->base;
}
