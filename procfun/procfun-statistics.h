/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-executor.h>
#include <procfun/procfun-failure.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_STATISTICS (procfun_statistics_get_type ())
#define PROCFUN_TYPE_WORKER_STATE (procfun_worker_state_get_type ())

/**
 * ProcfunWorkerState:
 * @PROCFUN_WORKER_STARTING: it is not ready for its first call
 * @PROCFUN_WORKER_IDLE: it waits for a call
 * @PROCFUN_WORKER_BUSY: it runs a call
 *
 * State of a process that an executor keeps.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_WORKER_STARTING,
  PROCFUN_WORKER_IDLE,
  PROCFUN_WORKER_BUSY
} ProcfunWorkerState;

PROCFUN_AVAILABLE_IN_0_1
GType procfun_worker_state_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
GType procfun_statistics_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunStatistics *procfun_statistics_new (ProcfunExecutor *executor);
PROCFUN_AVAILABLE_IN_0_1
ProcfunStatistics *procfun_statistics_ref (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_statistics_unref (ProcfunStatistics *self);

/* For executors, in their describe() */
PROCFUN_AVAILABLE_IN_0_1
void procfun_statistics_set_queue (ProcfunStatistics *self, guint n_calls, guint64 n_bytes);
PROCFUN_AVAILABLE_IN_0_1
void procfun_statistics_add_worker (ProcfunStatistics *self, int pid, ProcfunWorkerState state,
                                    guint64 n_calls, gint64 age);

PROCFUN_AVAILABLE_IN_0_1
const char *procfun_statistics_get_executor_name (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_statistics_get_executor_number (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_statistics_get_age (ProcfunStatistics *self);

PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_statistics_get_submitted (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_statistics_get_running (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_statistics_get_queued (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_statistics_get_queued_bytes (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_statistics_get_succeeded (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_statistics_get_failed (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_statistics_get_count (ProcfunStatistics *self, ProcfunCause cause);

PROCFUN_AVAILABLE_IN_0_1
double procfun_statistics_get_rate (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
double procfun_statistics_get_overall_rate (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_statistics_get_percentile (ProcfunStatistics *self, double percentile);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_statistics_get_min (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_statistics_get_max (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
double procfun_statistics_get_mean (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_statistics_get_wait_percentile (ProcfunStatistics *self, double percentile);

PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_statistics_get_workers_started (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_statistics_get_workers_exited (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_statistics_get_workers_recycled (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_statistics_get_n_workers (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
int procfun_statistics_get_worker_pid (ProcfunStatistics *self, guint worker);
PROCFUN_AVAILABLE_IN_0_1
ProcfunWorkerState procfun_statistics_get_worker_state (ProcfunStatistics *self, guint worker);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_statistics_get_worker_calls (ProcfunStatistics *self, guint worker);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_statistics_get_worker_memory (ProcfunStatistics *self, guint worker);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_statistics_get_worker_age (ProcfunStatistics *self, guint worker);

PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_statistics_to_variant (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_executor_get_statistics (ProcfunExecutor *self);
PROCFUN_AVAILABLE_IN_0_1
char *procfun_statistics_to_json (ProcfunStatistics *self);
PROCFUN_AVAILABLE_IN_0_1
char *procfun_statistics_to_openmetrics (ProcfunStatistics *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunStatistics, procfun_statistics_unref)

G_END_DECLS
