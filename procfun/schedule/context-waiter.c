/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One that waits in a main context, from the queue to its end. */

#include "procfun/schedule/context-waiter.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/procfun-error.h"
#include "procfun/schedule/waiter.h"
#include "procfun/schedule/worker-start.h"

/* When it has taken longer to start a worker while a call was made, others of the main loop are to
 * come before the next one. */
#define PAUSE_US (20 * G_TIME_SPAN_MILLISECOND)

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
  context_source_update_next (source);
  if (self->session.data != NULL)
    g_queue_unlink (&source->sessions, &self->session);
  source->n_waiters--;
  if (slot_request_is_session (&self->base.request))
    source->scheduler->n_sessions--;
  g_mutex_lock (&source->lock);
  if (self->tripped.data != NULL)
    g_queue_unlink (&source->tripped, &self->tripped);
  g_mutex_unlock (&source->lock);
  if (source->n_waiters == 0)
    context_source_make_ready (source); /* to leave the main context */
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

void
context_source_hand_over (Waiter *waiter, WorkerSlot *slot)
{
  end ((ContextWaiter *)waiter, slot, NULL);
}

/* With the lock held. */
static gboolean
is_cancelled (const ContextWaiter *self)
{
  return self->base.request.is_plain_cancelled
         || (self->canceller != NULL && canceller_is_cancelled (self->canceller));
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
  context_source_update_next (source);
  if (scheduler->drops_queued || is_cancelled (self))
    context_waiter_note_tripped (self);
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
  gint64 end = deadline > 0 ? MIN (deadline, self->fork->wait.end) : self->fork->wait.end;

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
  context_source_update_next (source);
  if (is_cancelled (self))
    context_waiter_note_tripped (self);
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

void
context_waiter_abandon (ContextWaiter *self, GError *error)
{
  stop_starting (self);
  if (self->base.is_assigned)
    scheduler_cancel (self->base.source->scheduler, &self->base);
  end (self, NULL, error);
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

  if (is_of_parent (self))
    g_set_error (&error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                 _ ("%s() belongs to the process that forked this one"),
                 procfun_function_get_name (self->base.request.function));
  else
    waiter_set_error (&self->base, &error);
  context_waiter_abandon (self, error);
}

void
context_waiter_tell (ContextWaiter *self)
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
  context_source_take_out (self, &self->due, &waiter->entry.link);
  g_mutex_unlock (&scheduler->lock);
  context_waiter_tell ((ContextWaiter *)waiter);
  now = g_get_monotonic_time ();
  if (now - begin >= CONTEXT_TURN_US)
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
         || g_get_monotonic_time () >= self->fork->wait.end;
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
      waiter = context_source_take_out (self, &self->starting, link);
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

void
context_source_go_on_starting (ContextSource *self, gboolean is_told)
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

/* Requests that are given up */

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
    context_waiter_give_up ((ContextWaiter *)entry);
  else
    entry = find_in (&self->due, &wanted);
  return entry != NULL ? context_source_take_out (self, &self->due, &entry->link) : NULL;
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
