/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How one waits for a worker: in a thread, and in a main context. */

#include "procfun/schedule/acquire.h"

#include "procfun/core/call.h"
#include "procfun/platform/waker.h"
#include "procfun/schedule/context-source.h"
#include "procfun/schedule/pipeline.h"
#include "procfun/schedule/plain-calls.h"
#include "procfun/schedule/presence.h"
#include "procfun/schedule/waiter.h"

/* Removes workers that cannot be used any more, and takes the lock. */
static void
begin (Scheduler *self, const SlotRequest *request, GoneWorkers *gone)
{
  gint64 asked_at, now;
  guint64 state;

  if (!self->keeps)
    {
      g_mutex_lock (&self->lock);
      return;
    }
  asked_at = request->call != NULL ? procfun_call_get_submitted_at (request->call) : 0;
  now = asked_at > 0 ? asked_at : g_get_monotonic_time ();
  state = zygotes_get_state (self->zygotes, now);
  g_mutex_lock (&self->lock);
  scheduler_remove_gone (self, now, state, gone);
}

static void
end (Scheduler *self, GoneWorkers *gone)
{
  g_mutex_unlock (&self->lock);
  scheduler_end_gone (gone);
}

/* With the lock held. Waiting callers get a worker first. */
static gboolean
try_assign (Scheduler *self, Waiter *waiter)
{
  return scheduler_get_next (self) == NULL && scheduler_assign_to (self, waiter);
}

/* With the lock held. One that has waited before, or that others drop, is not refused. */
static gboolean
is_refused (Scheduler *self, const Waiter *waiter)
{
  return self->config.refuses && waiter->request.may_be_refused && waiter->entry.rank == 0
         && !self->drops_queued;
}

/* In a thread */

/* One of the threads that wait looks now and then whether workers belong to a main context that
 * nobody runs. With the lock held. */
static void
wait_once (Scheduler *self, const Waiter *waiter)
{
  gint64 until = waiter->request.deadline;

  if (self->lookers.head->data == waiter->assigned && presence_is_needed (self, NULL))
    {
      gint64 time = g_get_monotonic_time () + PRESENCE_LOOK_US;

      until = until > 0 ? MIN (until, time) : time;
    }
  if (until > 0)
    g_cond_wait_until (waiter->assigned, &self->lock, until);
  else
    g_cond_wait (waiter->assigned, &self->lock);
}

/* The next one looks, if that is needed. */
static void
leave_lookers (Scheduler *self, GList *link)
{
  gboolean was_first = self->lookers.head == link;

  g_queue_unlink (&self->lookers, link);
  if (was_first && self->lookers.length > 0 && presence_is_needed (self, NULL))
    g_cond_signal (self->lookers.head->data);
}

typedef enum
{
  WAIT_ASSIGNED,
  WAIT_IN_VAIN,
  WAIT_NESTED
} WaitResult;

/* All slots belong to threads that wait, one of them this one. */
static WaitResult
let_through (Scheduler *self, Waiter *waiter)
{
  if (self->keeps)
    return WAIT_NESTED;
  queue_remove (&self->queue, &waiter->entry);
  scheduler_let_through (self, waiter);
  return WAIT_ASSIGNED;
}

/* With the lock held. But for the first result it is in the queue no more. */
static WaitResult
wait_in_queue (Scheduler *self, Waiter *waiter)
{
  WaitResult result = WAIT_ASSIGNED;
  GList link = { .data = waiter->assigned };
  Blocked blocked;

  g_queue_push_tail_link (&self->lookers, &link);
  scheduler_begin_wait (self, &blocked, waiter->assigned);
  while (!waiter->is_assigned && result == WAIT_ASSIGNED)
    if (waiter->plain != NULL && waiter->plain->is_promised)
      g_cond_wait (waiter->assigned, &self->lock);
    else if (!waiter_goes_on (waiter, self))
      result = WAIT_IN_VAIN;
    else if (blocked.cond != NULL && scheduler_is_deadlocked (self))
      result = let_through (self, waiter);
    else if (self->lookers.head == &link && presence_look (self))
      scheduler_assign (self);
    else
      wait_once (self, waiter);
  scheduler_end_wait (self, &blocked);
  leave_lookers (self, &link);
  if (waiter->is_assigned)
    return (waiter->plain != NULL && waiter->plain->was_handed_over)
                   || waiter_goes_on (waiter, self)
               ? WAIT_ASSIGNED
               : WAIT_IN_VAIN;
  queue_remove (&self->queue, &waiter->entry);
  scheduler_assign (self); /* it may have been in the way of the next one */
  return result;
}

typedef struct
{
  GMutex *lock;
  GCond *cond;
} Sleeper;

static void
wake_up (gpointer data)
{
  const Sleeper *self = data;

  g_mutex_lock (self->lock);
  g_cond_signal (self->cond);
  g_mutex_unlock (self->lock);
}

static WaitResult
wait_for_call (Scheduler *self, Waiter *waiter)
{
  Canceller *canceller = procfun_call_get_canceller (waiter->request.call);
  Sleeper sleeper = { &self->lock, waiter->assigned };
  WaitResult result;

  canceller_set_func (canceller, wake_up, &sleeper);
  g_mutex_lock (&self->lock);
  result = wait_in_queue (self, waiter);
  g_mutex_unlock (&self->lock);
  canceller_clear_func (canceller, &sleeper);
  return result;
}

static WaitResult
wait_for_session (Scheduler *self, Waiter *waiter)
{
  WaitResult result;
  CondWaker waker;

  cond_waker_init (&waker, &self->lock, waiter->assigned, waiter->request.cancellable);
  g_mutex_lock (&self->lock);
  self->n_sessions++;
  result = wait_in_queue (self, waiter);
  self->n_sessions--;
  g_mutex_unlock (&self->lock);
  cond_waker_clear (&waker);
  return result;
}

/* Only the scheduler can cancel it. */
static WaitResult
wait_for_plain (Scheduler *self, Waiter *waiter)
{
  WaitResult result;

  g_mutex_lock (&self->lock);
  result = wait_in_queue (self, waiter);
  g_mutex_unlock (&self->lock);
  return result;
}

static WaitResult
wait_as_asked (Scheduler *self, Waiter *waiter)
{
  if (waiter->request.plain != NULL)
    return wait_for_plain (self, waiter);
  return waiter->request.call != NULL ? wait_for_call (self, waiter)
                                      : wait_for_session (self, waiter);
}

/* FALSE: it was not assigned anything, or too late. */
static gboolean
wait_in_thread (Scheduler *self, Waiter *waiter, GError **error)
{
  WaitResult result = wait_as_asked (self, waiter);

  if (result == WAIT_IN_VAIN && waiter->is_assigned)
    scheduler_cancel (self, waiter);
  if (result == WAIT_NESTED)
    scheduler_set_nested (waiter->request.function, error);
  else if (result == WAIT_IN_VAIN)
    waiter_set_error (waiter, error);
  return result == WAIT_ASSIGNED;
}

/* It can be assigned something as soon as it is in the queue. */
static gboolean
assign_or_wait (Scheduler *self, Waiter *waiter, GError **error)
{
  GoneWorkers gone = { 0 };
  gboolean assigned, refused;

  begin (self, &waiter->request, &gone);
  waiter->is_assigned = FALSE;
  assigned = try_assign (self, waiter);
  refused = !assigned && is_refused (self, waiter);
  if (!assigned && !refused)
    waiter_push (waiter, self);
  end (self, &gone);
  if (refused)
    {
      scheduler_set_busy (waiter->request.function, error);
      return FALSE;
    }
  return assigned || wait_in_thread (self, waiter, error);
}

/* @owner: to be set to the calling thread. */
static void
init_in_thread (Waiter *self, const SlotRequest *request, Owner *owner)
{
  owner_init (owner, NULL);
  waiter_init (self, request, owner);
  self->assigned = g_atomic_rc_box_new0 (GCond);
  g_cond_init (self->assigned);
}

static void
clear_in_thread (Waiter *self)
{
  g_atomic_rc_box_release_full (self->assigned, (GDestroyNotify)g_cond_clear);
}

WorkerSlot *
scheduler_acquire (Scheduler *self, const SlotRequest *request, GError **error)
{
  WorkerSlot *slot = NULL;
  GError *own_error = NULL;
  Waiter waiter;
  Owner owner;

  init_in_thread (&waiter, request, &owner);
  while (slot == NULL && own_error == NULL)
    if (assign_or_wait (self, &waiter, &own_error))
      slot = scheduler_claim (self, &waiter, &own_error);
  clear_in_thread (&waiter);
  if (own_error != NULL)
    g_propagate_error (error, own_error);
  return slot;
}

WorkerSlot *
scheduler_acquire_plain (Scheduler *self, const SlotRequest *request, PlainWait *wait,
                         GError **error)
{
  WorkerSlot *slot = NULL;
  Waiter waiter;
  Owner owner;

  init_in_thread (&waiter, request, &owner);
  waiter.plain = wait;
  g_mutex_lock (&self->lock);
  wait->has_waited = scheduler_can_queue_plain (self, waiter.module);
  if (wait->has_waited)
    waiter_push (&waiter, self);
  g_mutex_unlock (&self->lock);
  if (wait->has_waited && wait_in_thread (self, &waiter, error))
    slot = waiter.slot;
  if (slot != NULL && !worker_slot_has_started (slot))
    {
      scheduler_cancel (self, &waiter);
      slot = NULL;
    }
  clear_in_thread (&waiter);
  return slot;
}

WorkerSlot *
scheduler_try_acquire (Scheduler *self, const SlotRequest *request, GError **error)
{
  GoneWorkers gone = { 0 };
  gboolean assigned;
  Waiter waiter;
  Owner owner;

  owner_init (&owner, NULL);
  waiter_init (&waiter, request, &owner);
  begin (self, request, &gone);
  assigned = try_assign (self, &waiter);
  end (self, &gone);
  return assigned ? scheduler_claim (self, &waiter, error) : NULL;
}

/* In a main context */

/* A worker that has to be started first is not waited for here. Starting it begins at once, but not
 * where many calls are made one upon the other. */
void
scheduler_acquire_async (Scheduler *self, const SlotRequest *request, GMainContext *context,
                         SlotFunc callback, gpointer user_data)
{
  GoneWorkers gone = { 0 };
  const Owner owner = { .thread = g_thread_self (), .context = context };
  Waiter *to_start = NULL;
  WorkerSlot *slot = NULL;
  GError *error = NULL;
  Waiter waiter;

  waiter_init (&waiter, request, &owner);
  begin (self, request, &gone);
  if (!try_assign (self, &waiter))
    slot = self->keeps ? scheduler_find_busy (self, request) : NULL;
  else if (worker_slot_has_started (waiter.slot))
    slot = waiter.slot;
  if (slot == NULL && !waiter.is_assigned && is_refused (self, &waiter))
    scheduler_set_busy (request->function, &error);
  else if (slot == NULL)
    to_start = context_source_add (self, &waiter, context, callback, user_data);
  if (to_start != NULL
      && (!waiter.is_assigned || g_get_monotonic_time () < self->no_starts_until
          || !g_main_context_acquire (context))) /* its thread sees to it, and may have done so */
    to_start = NULL;
  end (self, &gone);
  if (slot != NULL || error != NULL)
    callback (slot, error, user_data);
  else if (to_start != NULL)
    {
      context_source_start (to_start);
      g_main_context_release (context);
    }
}
