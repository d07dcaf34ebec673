/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/core/executor.h"
#include "procfun/executors/preparation.h"
#include "procfun/process/exchange.h"
#include "procfun/schedule/worker-slot.h"

G_BEGIN_DECLS

/* Calls of executors with processes, from the start of an exchange to its end; a worker that has
 * not begun with a call is not its last. */

GVariant *process_run (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                       GError **error);

void process_run_then (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
                       ProcfunExecutorFunc func, gpointer user_data);

/* Go on as that would: with @exchange, which has begun with @call; with @slot, where it is to
 * begin, and the settings that are in @shared. */
void process_run_on (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
                     Exchange *exchange, ProcfunExecutorFunc func, gpointer user_data);
void process_run_with (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
                       WorkerSlot *slot, const Preparation *shared, ProcfunExecutorFunc func,
                       gpointer user_data);

G_END_DECLS
