/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/context-source.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/platform/waker.h"
#include "procfun/procfun-error.h"
#include "procfun/schedule/presence.h"
#include "procfun/schedule/waiter.h"
#include "procfun/schedule/worker-start.h"

/* After so many calls, and so much time, others of the main loop have their turn. */
#define TURN_CALLS 64
#define TURN_US 1000

/* When it has taken longer to start a worker while a call was made, others of the main loop are to
 * come before the next one. */
#define PAUSE_US (20 * G_TIME_SPAN_MILLISECOND)

struct _ContextSource
{
  GSource source;
  Scheduler *scheduler;
  gint is_ready; /* atomic: somebody is to be told something */

  /* With the scheduler's lock held */
  guint process; /* of the program's, that made it */

  GList link; /* among those of the scheduler */
  Owner owner;
  GQueue due;      /* (element-type ContextWaiter): they have left the queue */
  GQueue starting; /* (element-type ContextWaiter): their workers are being started */
  Heap deadlines;  /* of those that wait */
  GQueue sessions; /* (element-type ContextWaiter): without a call */
  gint64 look_at;  /* when to look who is absent: see presence.h; 0: never */
  guint n_waiters; /* that were not called back */

  GMutex lock;    /* the innermost: cancelled from any thread */
  GQueue tripped; /* (element-type ContextWaiter) */
  gint64 next;    /* the first deadline; 0: none */
};

typedef struct
{
  Waiter base; /* its place in the queue is its place in `due` when it has left the queue */
  HeapNode deadline;
  Canceller *canceller; /* (nullable): of its call */
  Waker *waker;         /* (nullable): of a session */
  GList session;
  GList tripped; /* data: NULL: it is not in that list */
  SlotFunc callback;
  gpointer user_data;
  ZygotesFork *fork;    /* (nullable): its worker is being started */
  gpointer fork_tag;    /* (nullable): of the descriptor that it waits for meanwhile */
  gboolean is_starting; /* it is in that list */
  gboolean is_over;     /* though it was assigned a worker */
} ContextWaiter;

GMainContext *
context_source_get_context (const Waiter *waiter)
{
  return waiter->source != NULL ? waiter->source->owner.context : NULL;
}

/* When something is to be told */

/* A main context that this thread runs asks by itself before it sleeps. */
static void
make_ready (ContextSource *self)
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
  make_ready (waiter->source);
}

void
context_source_wake_sessions (ContextSource *self)
{
  if (self->sessions.length > 0)
    make_ready (self);
}

static void
on_tripped (gpointer data)
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
  make_ready (self);
}

static gint64
get_earlier (gint64 time, gint64 other)
{
  if (time == 0 || other == 0)
    return MAX (time, other);
  return MIN (time, other);
}

static void
update_next (ContextSource *self)
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
  update_next (self);
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

/* With the lock held: it waits in vain. */
static void
give_up (ContextWaiter *waiter)
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
    give_up (waiter);
  for (GList *l = self->sessions.head; l != NULL;)
    {
      waiter = l->data;
      l = l->next;
      if (!waiter_goes_on (&waiter->base, self->scheduler))
        give_up (waiter);
    }
  if (self->next == 0 || self->next > g_get_monotonic_time ())
    return;
  if (self->look_at > 0 && self->look_at <= g_get_monotonic_time ())
    look (self);
  while ((first = heap_peek (&self->deadlines)) != NULL && first->key <= g_get_monotonic_time ())
    {
      waiter = (ContextWaiter *)((char *)first - G_STRUCT_OFFSET (ContextWaiter, deadline));
      heap_remove (&self->deadlines, &waiter->deadline);
      if (waiter->fork == NULL || !waiter_goes_on (&waiter->base, self->scheduler))
        give_up (waiter);
      else
        make_ready (self); /* its zygote does not answer, which is seen by the next turn */
    }
  update_next (self);
}

/* Its thread deals with it now, and nobody else. With the lock held. */
static ContextWaiter *
take_out (ContextSource *self, GQueue *list, GList *link)
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
    waiter = take_out (self, &self->due, self->due.head);
  if (self->due.length > 0 || self->n_waiters == 0)
    g_atomic_int_set (&self->is_ready, TRUE);
  g_mutex_unlock (&self->scheduler->lock);
  return waiter;
}

/* It will not be told again. With no lock held. */
static void
forget (ContextWaiter *self)
{
  ContextSource *source = self->base.source;

  if (self->canceller != NULL)
    canceller_clear_func (self->canceller, self);
  g_clear_pointer (&self->canceller, canceller_unref);
  g_clear_pointer (&self->waker, waker_free);
  g_mutex_lock (&source->scheduler->lock);
  heap_remove (&source->deadlines, &self->deadline);
  update_next (source);
  if (self->session.data != NULL)
    g_queue_unlink (&source->sessions, &self->session);
  source->n_waiters--;
  if (self->base.request.call == NULL)
    source->scheduler->n_sessions--;
  g_mutex_lock (&source->lock);
  if (self->tripped.data != NULL)
    g_queue_unlink (&source->tripped, &self->tripped);
  g_mutex_unlock (&source->lock);
  if (source->n_waiters == 0)
    make_ready (source); /* to leave the main context */
  g_mutex_unlock (&source->scheduler->lock);
}

static void
end (ContextWaiter *self, WorkerSlot *slot, GError *error)
{
  SlotFunc callback = self->callback;
  gpointer user_data = self->user_data;

  forget (self);
  g_clear_object (&self->base.request.cancellable);
  g_free (self);
  callback (slot, error, user_data);
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

void
context_source_hand_over (Waiter *waiter, WorkerSlot *slot)
{
  end ((ContextWaiter *)waiter, slot, NULL);
}

/* None could be started, and it is better to wait for one that is busy. */
static void
wait_again (ContextWaiter *self)
{
  const SlotRequest *request = &self->base.request;
  ContextSource *source = self->base.source;
  Scheduler *scheduler = source->scheduler;

  g_mutex_lock (&scheduler->lock);
  self->base.is_assigned = FALSE;
  waiter_push (&self->base, scheduler);
  heap_remove (&source->deadlines, &self->deadline); /* it may be the end of waiting for a zygote */
  if (request->deadline > 0)
    heap_add (&source->deadlines, &self->deadline, request->deadline);
  update_next (source);
  if (self->canceller != NULL && canceller_is_cancelled (self->canceller))
    on_tripped (self);
  scheduler_assign (scheduler);
  g_mutex_unlock (&scheduler->lock);
}

/* Starting workers */

static void
stop_watching (ContextWaiter *self)
{
  if (self->fork_tag != NULL)
    g_source_remove_unix_fd (&self->base.source->source, g_steal_pointer (&self->fork_tag));
}

static void
stop_starting (ContextWaiter *self)
{
  stop_watching (self);
  if (self->fork != NULL)
    zygotes_fork_clear (self->fork);
  g_clear_pointer (&self->fork, g_free);
}

/* A zygote that does not answer is given up, whether the call has a deadline or not. */
static void
wait_for_start (ContextWaiter *self)
{
  ContextSource *source = self->base.source;
  gint64 deadline = self->base.request.deadline;
  gint64 end = deadline > 0 ? MIN (deadline, self->fork->end) : self->fork->end;

  if (self->fork_tag == NULL)
    self->fork_tag = g_source_add_unix_fd (&source->source, zygote_get_fd (self->fork->zygote),
                                           G_IO_IN | G_IO_HUP | G_IO_ERR);
  g_mutex_lock (&source->scheduler->lock);
  self->base.entry.link = (GList){ .data = self };
  g_queue_push_tail_link (&source->starting, &self->base.entry.link);
  if (self->deadline.place == 0)
    heap_add (&source->deadlines, &self->deadline, end);
  else
    heap_change (&source->deadlines, &self->deadline, end);
  self->is_starting = TRUE;
  update_next (source);
  if (self->canceller != NULL && canceller_is_cancelled (self->canceller))
    on_tripped (self);
  g_mutex_unlock (&source->scheduler->lock);
}

/* The zygote that it waits for may be another one now. */
static void
start_worker (ContextWaiter *self)
{
  WorkerSlot *slot = self->base.slot;
  GError *error = NULL;
  ZygoteStatus status;

  stop_watching (self);
  if (self->fork == NULL)
    {
      scheduler_retire (&self->base);
      self->fork = worker_slot_begin_start (slot, &self->base, &self->base.source->source);
    }
  status = worker_slot_try_start (slot, &self->base, self->fork, &error);
  if (status == ZYGOTE_WAITS)
    {
      wait_for_start (self);
      return;
    }
  stop_starting (self);
  self->base.slot = NULL;
  if (status == ZYGOTE_FAILED && error == NULL)
    wait_again (self);
  else
    end (self, status == ZYGOTE_FORKED ? slot : NULL, error);
}

/* TRUE: it was assigned a worker, and is still wanted. */
static gboolean
goes_on (ContextWaiter *self)
{
  Scheduler *scheduler = self->base.source->scheduler;
  gboolean goes_on;

  g_mutex_lock (&scheduler->lock);
  goes_on = self->base.is_assigned && !self->is_over && waiter_goes_on (&self->base, scheduler);
  g_mutex_unlock (&scheduler->lock);
  return goes_on;
}

/* The program has forked itself: what the parent waits for is not waited for here. */
static gboolean
is_of_parent (const ContextWaiter *self)
{
  return self->base.source->process != inherited_state_get_process ();
}

static void
end_in_vain (ContextWaiter *self)
{
  GError *error = NULL;

  stop_starting (self);
  if (self->base.is_assigned)
    scheduler_cancel (self->base.source->scheduler, &self->base);
  if (is_of_parent (self))
    g_set_error (&error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                 _ ("%s() belongs to the process that forked this one"),
                 procfun_function_get_name (self->base.request.function));
  else
    waiter_set_error (&self->base, &error);
  end (self, NULL, error);
}

static void
tell (ContextWaiter *self)
{
  if (is_of_parent (self) || !goes_on (self))
    end_in_vain (self);
  else if (worker_slot_has_started (self->base.slot))
    {
      scheduler_retire (&self->base);
      end (self, g_steal_pointer (&self->base.slot), NULL);
    }
  else
    start_worker (self);
}

void
context_source_start (Waiter *waiter)
{
  ContextSource *self = waiter->source;
  Scheduler *scheduler = scheduler_ref (self->scheduler);
  gint64 begin = g_get_monotonic_time ();
  gint64 now;

  g_mutex_lock (&scheduler->lock);
  take_out (self, &self->due, &waiter->entry.link);
  g_mutex_unlock (&scheduler->lock);
  tell ((ContextWaiter *)waiter);
  now = g_get_monotonic_time ();
  if (now - begin >= TURN_US)
    {
      g_mutex_lock (&scheduler->lock);
      scheduler->no_starts_until = now + PAUSE_US;
      g_mutex_unlock (&scheduler->lock);
    }
  scheduler_unref (scheduler);
}

/* Whether its zygote may have said something. */
static gboolean
has_news (const ContextWaiter *self, gboolean is_told)
{
  GSource *source = &self->base.source->source;

  return is_told || g_source_query_unix_fd (source, self->fork_tag) != 0
         || g_get_monotonic_time () >= self->fork->end;
}

static ContextWaiter *
pop_starting (ContextSource *self, gboolean is_told)
{
  GList *link;
  ContextWaiter *waiter = NULL;

  g_mutex_lock (&self->scheduler->lock);
  link = self->starting.head;
  if (link != NULL && has_news (link->data, is_told))
    {
      waiter = take_out (self, &self->starting, link);
      waiter->is_starting = FALSE;
    }
  else if (link != NULL)
    {
      g_queue_unlink (&self->starting, link);
      g_queue_push_tail_link (&self->starting, link);
    }
  g_mutex_unlock (&self->scheduler->lock);
  return waiter;
}

/* @is_told: by a zygote, but not by which. */
static void
go_on_starting (ContextSource *self, gboolean is_told)
{
  for (guint n = self->starting.length; n > 0; n--)
    {
      ContextWaiter *waiter = pop_starting (self, is_told);

      if (waiter != NULL && is_of_parent (waiter))
        end_in_vain (waiter);
      else if (waiter != NULL)
        start_worker (waiter);
    }
}

/* The source */

static gboolean
context_source_check (GSource *source)
{
  ContextSource *self = (ContextSource *)source;
  gboolean is_late;

  if (g_atomic_int_get (&self->is_ready))
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
  if (g_atomic_int_get (&self->is_ready))
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
  gint64 end_of_turn = g_get_monotonic_time () + TURN_US;
  gboolean is_told = g_source_get_ready_time (source) != -1; /* by a cancellable, or a zygote */
  ContextWaiter *waiter;

  if (is_told)
    g_source_set_ready_time (source, -1);
  go_on_starting (self, is_told);
  for (guint n = 0; n < TURN_CALLS && (waiter = pop_due (self)) != NULL; n++)
    {
      tell (waiter);
      if (g_get_monotonic_time () >= end_of_turn)
        break;
    }
  if (leave (self))
    return G_SOURCE_REMOVE;
  return G_SOURCE_CONTINUE;
}

/* Nobody wants it any more */

typedef struct
{
  const ContextSource *source;
  const ProcfunCall *call;
} Wanted;

static gboolean
is_wanted (QueueEntry *entry, gpointer user_data)
{
  const Waiter *waiter = (const Waiter *)entry;
  const Wanted *wanted = user_data;

  return waiter->source == wanted->source && waiter->request.call == wanted->call;
}

/* (nullable) */
static QueueEntry *
find_in (const GQueue *list, Wanted *wanted)
{
  GList *l = list->head;

  while (l != NULL && !is_wanted (l->data, wanted))
    l = l->next;
  return l != NULL ? l->data : NULL;
}

/* Takes it out of where it waits. (nullable) With the lock held. */
static ContextWaiter *
take_waiter (ContextSource *self, const ProcfunCall *call)
{
  Wanted wanted = { self, call };
  QueueEntry *entry = queue_find (&self->scheduler->queue, is_wanted, &wanted);

  if (entry == NULL)
    entry = find_in (&self->starting, &wanted);
  if (entry != NULL)
    give_up ((ContextWaiter *)entry);
  else
    entry = find_in (&self->due, &wanted);
  return entry != NULL ? take_out (self, &self->due, &entry->link) : NULL;
}

void
context_source_withdraw (Scheduler *scheduler, GMainContext *context, const ProcfunCall *call)
{
  ContextWaiter *waiter = NULL;

  if (!g_main_context_acquire (context))
    return;
  g_mutex_lock (&scheduler->lock);
  for (GList *l = scheduler->sources.head; l != NULL && waiter == NULL; l = l->next)
    if (((ContextSource *)l->data)->owner.context == context)
      waiter = take_waiter (l->data, call);
  g_mutex_unlock (&scheduler->lock);
  if (waiter != NULL)
    end_in_vain (waiter);
  g_main_context_release (context);
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

/* The main context goes away, or nobody waits in it. */
static void
on_destroyed (gpointer user_data)
{
  ContextSource *self = user_data;
  Scheduler *scheduler = scheduler_ref (self->scheduler);
  Search search = { self, G_QUEUE_INIT };
  ContextWaiter *waiter;
  GList *link;

  g_mutex_lock (&scheduler->lock);
  if (self->n_waiters > 0)
    queue_foreach (&scheduler->queue, find_own, &search);
  while ((waiter = g_queue_pop_head (&search.found)) != NULL)
    give_up (waiter);
  g_mutex_unlock (&scheduler->lock);
  while ((link = g_queue_pop_head_link (&self->due)) != NULL
         || (link = g_queue_pop_head_link (&self->starting)) != NULL)
    {
      waiter = link->data;
      stop_starting (waiter);
      if (waiter->base.is_assigned)
        scheduler_cancel (scheduler, &waiter->base);
      end (waiter, NULL,
           g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                _ ("the main context of the call is gone")));
    }
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

  if (request->call != NULL)
    {
      self->canceller = canceller_ref (procfun_call_get_canceller (request->call));
      canceller_set_func (self->canceller, on_tripped, self);
      if (canceller_is_cancelled (self->canceller))
        on_tripped (self);
      return;
    }
  self->session.data = self;
  g_queue_push_tail_link (&self->base.source->sessions, &self->session);
  self->base.source->scheduler->n_sessions++;
  if (request->cancellable != NULL)
    self->waker = waker_new (request->cancellable, &self->base.source->source);
  make_ready (self->base.source);
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
      update_next (source);
    }
  if (waiter->is_assigned)
    context_source_wake (&self->base);
  else
    waiter_push (&self->base, scheduler);
  context_source_begin_to_look (source);
  watch (self);
  return &self->base;
}
