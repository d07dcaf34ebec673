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

  Scheduler *scheduler; /* unowned */

  /* In any thread */
  RetryPolicy retry;
  gint close_timeout; /* in ms */
  gint kept_threads;  /* ProcfunKeptThreads */
};

/* For the class: see core/plain-call.h. */
guint procfun_pool_run_plain (ProcfunExecutor *executor, gpointer plain_call);

G_END_DECLS
