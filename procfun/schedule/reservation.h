/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* A wait for one certain worker, as soon as it has no call. */

/* Called once in the main context. @slot: (nullable): the worker, to be held or given back; NULL:
 * it has ended, or the wait was cancelled. */
typedef void (*ReservationFunc) (WorkerSlot *slot, gpointer user_data);

/* Reserves each worker that there is for functions of @module, and returns their number. A worker
 * that has a call is assigned after it, before others that wait. @cancellable: (nullable).
 * @user_data: keeps the main context until @func was called for all of them. */
guint scheduler_reserve_workers (Scheduler *self, const char *module, GMainContext *context,
                                 GCancellable *cancellable, ReservationFunc func,
                                 gpointer user_data);

/* Ends all waits. With the lock held. */
void scheduler_drop_reservations (Scheduler *self);

/* A worker that has become free, and was reserved, stays busy. With the lock held. */
void worker_slot_assign_reserved (WorkerSlot *self);

/* A worker has ended, and so do the waits for it. With the lock held. */
void worker_slot_lose_reservations (WorkerSlot *self);
