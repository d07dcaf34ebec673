/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/executors/process-executor.h"
#include "procfun/executors/retry.h"
#include "procfun/procfun-pool.h"
#include "procfun/procfun-session.h"
#include "procfun/schedule/pipeline.h"

G_BEGIN_DECLS

struct _ProcfunPool
{
  ProcfunProcessExecutor parent_instance;

  Scheduler *scheduler;

  /* In any thread */
  RetryPolicy retry;
  gint close_timeout; /* in ms */
  gint kept_threads;  /* ProcfunKeptThreads */
};

/* Begins @call with @slot, which is given back by itself in the end, and at once if this fails.
 * (nullable): without an error when its process had ended, unnoticed. */
Exchange *procfun_pool_begin (ProcfunProcessExecutor *self, ProcfunCall *call,
                              Preparation *preparation, WorkerSlot *slot, WorkerReleaseFunc release,
                              gpointer user_data, GError **error);

G_END_DECLS
