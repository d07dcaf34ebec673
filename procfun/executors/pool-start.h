/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/executors/process-executor.h"
#include "procfun/schedule/worker-slot.h"

/* From a call of a pool to its exchange: the call gets a worker slot, or a place behind the call
 * that runs in one, and is given to another worker when the first had ended unnoticed. */

/* `start` and `start_async` of the pool's class. */
gpointer procfun_pool_start (ProcfunProcessExecutor *executor, ProcfunCall *call, GError **error);
void procfun_pool_start_async (ProcfunProcessExecutor *executor, gpointer process_start);

/* Begins @call with @slot, which is given back by itself in the end, and at once if this fails.
 * (nullable): without an error when its process had ended, unnoticed. */
Exchange *procfun_pool_begin (ProcfunProcessExecutor *self, ProcfunCall *call,
                              Preparation *preparation, WorkerSlot *slot, WorkerReleaseFunc release,
                              gpointer user_data, GError **error);
