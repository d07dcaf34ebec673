/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/worker-slot.h"

/* The workers of a scheduler, by what they do. The scheduler's lock is held. */
typedef struct
{
  GQueue idle;  /* (element-type WorkerSlot): the one that worked last comes first */
  GQueue busy;  /* (element-type WorkerSlot): assigned, maybe not started yet */
  GQueue ended; /* (element-type WorkerSlot): killed, or about to exit, and maybe not dead yet */
  guint n_permanent; /* workers without an idle timeout */
} Slots;

void slots_init (Slots *self);

/* Workers that are idle or busy. */
guint slots_count (const Slots *self);

/* A worker with the launch context @context (nullable); for the last call of a worker, also one
 * without any. (nullable) */
WorkerSlot *slots_find_idle (Slots *self, const char *module, ProcfunLaunchContext *context,
                             gboolean is_last);

/* Whether a worker of the module has a call, after which it may take another. */
gboolean slots_has_busy (Slots *self, const char *module);

/* Whether a worker has a call or is being started. A session may hold one without a call for ever.
 */
gboolean slots_has_running (Slots *self);

/* Adds a new worker, busy. */
void slots_add (Slots *self, WorkerSlot *slot, guint min_workers);
void slots_set_busy (Slots *self, WorkerSlot *slot);
void slots_set_idle (Slots *self, WorkerSlot *slot);
void slots_remove (Slots *self, WorkerSlot *slot);

/* Moves idle workers that are more than there may be to @surplus. */
void slots_trim (Slots *self, guint min_workers, guint max_workers, GQueue *surplus);

/* Moves idle workers with another inherited state to @outdated. */
void slots_remove_outdated (Slots *self, guint64 state, GQueue *outdated);

/* Moves idle workers to @removed whose limits are not @limits (nullable) itself. */
void slots_remove_with_other_limits (Slots *self, const ProcfunLimits *limits, GQueue *removed);

/* Moves those that nobody uses to @removed: the idle ones, and those of sessions without a call. */
void slots_remove_unused (Slots *self, GQueue *removed);

/* Moves those that have left or are dead to @exited. */
void slots_poll_exited (Slots *self, GQueue *exited);
