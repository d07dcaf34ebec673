/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* The calls of one main context that wait for a worker of a scheduler. What waits is data: this is
 * the only source, however many wait. It becomes ready when one of them has something to be told:
 * it was assigned a worker, was cancelled, or is late. */

/* Waits in @context as @waiter does, of which a copy is made: in the queue, or for the worker of
 * the slot that it was assigned, which has to be started. The options in its request, the call and
 * the main context must stay until @callback has come. With the lock held. */
Waiter *context_source_add (Scheduler *scheduler, const Waiter *waiter, GMainContext *context,
                            SlotFunc callback, gpointer user_data);

/* Begins to start its worker at once, before the main context is run. Without the lock. */
void context_source_start (Waiter *waiter);

/* Ends the waiting for @call, which was cancelled, without running @context. When another thread
 * runs it, that sees to it. Without the lock. */
void context_source_withdraw (Scheduler *scheduler, GMainContext *context, const ProcfunCall *call);

/* Main context in which @waiter waits. (nullable): it is a thread that waits. */
GMainContext *context_source_get_context (const Waiter *waiter);

/* It has left the queue, assigned or not, and is told so. With the lock held. */
void context_source_wake (Waiter *waiter);

/* The same for all that wait without a call. With the lock held. */
void context_source_wake_sessions (ContextSource *self);

/* It is in the queue, and waits in vain. With the lock held. */
void context_source_drop (Waiter *waiter);

/* The same for a call that is no object, which is to fail as one that was cancelled; and for all
 * such calls that were assigned a worker, and are not told yet. With the lock held. */
void context_source_cancel_plain (Waiter *waiter);
void context_source_cancel_assigned (ContextSource *self);

/* Looks now and then whether workers belong to other main contexts that nobody runs, if some do.
 * With the lock held. */
void context_source_begin_to_look (ContextSource *self);

/* Marks its owner if it is here; whether calls wait that only this thread can bring to an end. With
 * the lock held. */
gboolean context_source_mark (ContextSource *self, gboolean is_stuck);
gboolean context_source_has_own_calls (ContextSource *self);

/* Ends the waiting of one that has left the queue, in its main context and without the lock:
 * @slot is given to its callback. */
void context_source_hand_over (Waiter *waiter, WorkerSlot *slot);
