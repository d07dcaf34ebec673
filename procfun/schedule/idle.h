/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* The worker that a call without an object can have at once, since it has served calls of the
 * module before and nobody else waits. It is given back by worker_slot_put_back(). (nullable)
 * @context: (nullable): the caller waits there; not where workers are sent calls ahead. */
WorkerSlot *scheduler_take_idle (Scheduler *self, ProcfunFunction *function, GMainContext *context,
                                 gint64 now);

/* Lets a plain call wait in @context where all workers are there and busy; FALSE: it cannot be, and
 * is to be made an object. The first form says whether the second may be of use. @callback never
 * comes at once. */
gboolean scheduler_may_queue_plain (Scheduler *self, ProcfunFunction *function);
gboolean scheduler_queue_plain (Scheduler *self, const SlotRequest *request, GMainContext *context,
                                SlotFunc callback, gpointer user_data);

/* @source waits for its call, until it is given back or an object. The source is made ready when
 * calls that run are cancelled. */
void worker_slot_set_waiting (WorkerSlot *self, GSource *source);

/* The call of the worker is an object from now on. */
void worker_slot_set_call (WorkerSlot *self, ProcfunCall *call);
