/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* The worker that a call without an object can have at once, since it has served calls of the
 * module before and nobody else waits. (nullable) @context: (nullable): the caller waits there, and
 * the worker may have other such calls of that context, and wait for their results. */
WorkerSlot *scheduler_take_plain (Scheduler *self, ProcfunFunction *function, GMainContext *context,
                                  gint64 now);

/* The call has its result, or was not sent: the worker is given back with the last one. */
void worker_slot_end_plain (WorkerSlot *self);
void worker_slot_return_plain (WorkerSlot *self);

/* Hands the worker, which has such calls of a main context, those that wait there for one, as many
 * as it may have. */
void worker_slot_feed_plain (WorkerSlot *self);

/* Lets a plain call wait in @context where all workers are there and busy; FALSE: it cannot be, and
 * is to be made an object. The first form says whether the second may be of use. @callback never
 * comes at once. */
gboolean scheduler_may_queue_plain (Scheduler *self, ProcfunFunction *function);
gboolean scheduler_can_queue_plain (Scheduler *self, const char *module); /* with the lock held */
gboolean scheduler_queue_plain (Scheduler *self, const SlotRequest *request, GMainContext *context,
                                SlotFunc callback, gpointer user_data);

/* @source waits for its calls, until it is given back, or these are objects. The source is made
 * ready when calls that run are cancelled. */
void worker_slot_set_waiting (WorkerSlot *self, GSource *source);

/* The call of the worker is an object from now on, and so are those behind it. */
void worker_slot_set_call (WorkerSlot *self, ProcfunCall *call);

/* As worker_slot_queue(), for one that was sent behind it without an object. */
void worker_slot_queue_made (WorkerSlot *self, Exchange *exchange);
