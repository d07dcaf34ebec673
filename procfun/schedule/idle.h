/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* The worker that a call without an object can have at once, since it has served calls of the
 * module before and nobody else waits. It is given back by worker_slot_put_back(). (nullable) */
WorkerSlot *scheduler_take_idle (Scheduler *self, ProcfunFunction *function, gint64 now);

/* The call of the worker is an object from now on. */
void worker_slot_set_call (WorkerSlot *self, ProcfunCall *call);
