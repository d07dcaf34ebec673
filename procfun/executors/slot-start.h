/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/executors/process-executor.h"

/* From a call to its exchange: the call gets a slot of the executor's scheduler, or a place behind
 * the call that runs in one, and is given to another worker when the first had ended unnoticed. */

/* Workers that had died before they read the call. */
#define SLOT_START_TRIES_MAX 5

/* `start` and `start_async` of the class of process executors. */
gpointer slot_start (ProcfunProcessExecutor *self, ProcfunCall *call, GError **error);
void slot_start_async (ProcfunProcessExecutor *self, gpointer process_start);

/* Goes on where the call has @slot already, and its preparation. */
void slot_start_have_slot (gpointer process_start, WorkerSlot *slot);

/* Begins @call with @slot, which is given back by itself in the end, and at once if this fails.
 * (nullable): without an error when its process had ended, unnoticed. */
Exchange *slot_start_begin (ProcfunCall *call, Preparation *preparation, WorkerSlot *slot,
                            guint n_tries, WorkerReleaseFunc release, gpointer user_data,
                            GError **error);
