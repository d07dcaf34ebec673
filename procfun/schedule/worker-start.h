/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* Starts the worker of a slot that was assigned without one. FALSE: the slot is gone, and without
 * an error, it is better to wait for one that is busy. */
gboolean worker_slot_start (WorkerSlot *slot, const Waiter *waiter, GError **error);

/* Begins to do so without waiting: @source is made ready when worker_slot_try_start() is to be
 * called again. */
ZygotesFork *worker_slot_begin_start (WorkerSlot *slot, const Waiter *waiter, GSource *source);
ZygoteStatus worker_slot_try_start (WorkerSlot *slot, const Waiter *waiter, ZygotesFork *fork,
                                    GError **error);
