/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/executor.h"
#include "procfun/executors/preparation.h"
#include "procfun/procfun-process-executor.h"
#include "procfun/schedule/scheduler.h"

G_BEGIN_DECLS

/* An executor brings a scheduler, whose settings say where processes come from, and whether they
 * are kept. `prepare` is overridden by one whose calls need more than the common preparation,
 * `start` and `start_async` by one that has its process already. `get_default_codec` tells how
 * values are written where neither the program nor the user has chosen. */

/* FALSE: neither the program nor the user has said how values are to be written. */
gboolean procfun_process_executor_is_codec_chosen (ProcfunProcessExecutor *self);

/* Checks that the function can be called, and encodes its arguments unless they are there. @codec:
 * (nullable) another one than the executor's. */
gboolean procfun_process_executor_prepare (ProcfunProcessExecutor *self, ProcfunCall *call,
                                           ProcfunCodec *codec, Preparation *preparation,
                                           GError **error);

/* The codec, the largest payload and the launch context of calls that set none; all borrowed, to be
 * compared only. */
void procfun_process_executor_get_options (ProcfunProcessExecutor *self, ExchangeOptions *options);

/* The same, as long as calls wait with them: see preparation.h. (transfer full) */
Preparation *procfun_process_executor_share_options (ProcfunProcessExecutor *self);

/* Lets @self have the sandbox of @other. */
void procfun_process_executor_share_sandbox (ProcfunProcessExecutor *self,
                                             ProcfunProcessExecutor *other);

/* Takes @scheduler; once, at the beginning. @default_processes: what 0 stands for as their bound.
 */
void procfun_process_executor_take_scheduler (ProcfunProcessExecutor *self, Scheduler *scheduler,
                                              guint default_processes);

/* For executors with zygotes. @args: (nullable) */
void procfun_process_executor_add_preload (ProcfunProcessExecutor *self, ProcfunFunction *function,
                                           GVariant *args);

/* Where a process is for one call: two for each CPU, and four at least. */
#define PROCESS_EXECUTOR_DEFAULT_PROCESSES MAX (2 * cpus_count (), 4)

/* (nullable) (transfer none): NULL for a session */
Scheduler *procfun_process_executor_get_scheduler (ProcfunProcessExecutor *self);

/* Their bound where it is set to 0. */
guint procfun_process_executor_get_default_processes (ProcfunProcessExecutor *self);

G_END_DECLS
