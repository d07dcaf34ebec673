/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/crew.h"
#include "procfun/procfun-pool.h"
#include "procfun/executors/process-executor.h"
#include "procfun/procfun-session.h"

G_BEGIN_DECLS

struct _ProcfunPool
{
  ProcfunProcessExecutor parent_instance;

  Crew *crew;

  /* In any thread */
  gint max_retries;
  gint retry_on;      /* ProcfunRetryFlags */
  gint close_timeout; /* in ms */
};

/* Overrides what runs calls, and what closes. */
void procfun_pool_class_init_run (ProcfunPoolClass *klass);

/* Begins @call with @member, which is given back by itself in the end, and at once if this fails.
 * (nullable): without an error when its process had ended, unnoticed. */
Exchange *procfun_pool_begin (ProcfunProcessExecutor *self, ProcfunCall *call,
                              Preparation *preparation, CrewMember *member,
                              WorkerReleaseFunc release, gpointer user_data, GError **error);

/* Takes @member, which it holds. */
ProcfunSession *procfun_session_new (ProcfunPool *pool, CrewMember *member);

G_END_DECLS
