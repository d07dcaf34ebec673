/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* Calls that are sent to a worker before it has answered those before them. All of them are of one
 * main context, whose thread alone uses the head. */

/* (nullable): NULL when the worker is free; else the call is to be given to
 * exchange_new_pipelined() and worker_slot_queue(). */
Exchange *worker_slot_get_head (WorkerSlot *self);
void worker_slot_queue (WorkerSlot *self, Exchange *exchange);

/* The worker has been given this call. */
void worker_slot_set_head (WorkerSlot *self, Exchange *exchange);

/* For exchange_set_release(), with the slot: the next of those behind the head becomes the head, or
 * the worker is given back. */
void worker_slot_release (Worker *worker, gboolean is_usable, gpointer slot);

/* The busy worker with the fewest calls that @request can be sent to now. (nullable). With the
 * lock held. */
WorkerSlot *scheduler_find_busy (Scheduler *self, const SlotRequest *request);
