/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* The worker that a call without an object can have at once, since it has served calls of the
 * module before and nobody else waits. It is given back by worker_slot_put_back(). (nullable)
 * @context: (nullable): the caller waits there; not where workers are sent calls ahead. */
WorkerSlot *scheduler_take_idle (Scheduler *self, ProcfunFunction *function, GMainContext *context,
                                 gint64 now);

/* @source waits for its call, until it is given back or an object. The source is made ready when
 * calls that run are cancelled. */
void worker_slot_set_waiting (WorkerSlot *self, GSource *source);

/* The call of the worker is an object from now on. */
void worker_slot_set_call (WorkerSlot *self, ProcfunCall *call);
