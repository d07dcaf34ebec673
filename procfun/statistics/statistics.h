/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/recorder.h"
#include "procfun/procfun-statistics.h"
#include "procfun/values/byte-buffer.h"

G_BEGIN_DECLS

typedef struct
{
  int pid;
  ProcfunWorkerState state;
  guint64 n_calls;
  guint64 memory; /* resident, in bytes; 0: not known */
  gint64 age;
} Worker;

/* Of an executor that has hosts */
typedef struct
{
  guint n_down; /* and will be started when there are calls */
  guint n_starting;
  guint n_up;
  guint n_slots; /* of these */
  guint n_busy;
  guint64 n_lost; /* so far */
} StatisticsHosts;

struct _ProcfunStatistics
{
  gatomicrefcount ref_count;
  gboolean complete; /* no more additions */

  const char *executor_name;
  guint executor_number;
  gint64 taken_at;
  guint unfinished; /* running or in the queue */
  guint queued;
  guint64 queued_bytes;
  Recorder counts;
  GArray *workers; /* (element-type Worker) */
  gboolean has_hosts;
  StatisticsHosts hosts;
};

/* For the describe() of an executor */
void statistics_set_hosts (ProcfunStatistics *self, const StatisticsHosts *hosts);

/* Reads the memory of each worker. */
void statistics_read_memory (ProcfunStatistics *self);

const char *statistics_get_nick (ProcfunWorkerState state);

void statistics_append_json (ProcfunStatistics *self, Buffer *out);

/* All executors of a process, each family of metrics in one place. (transfer full) */
char *statistics_list_to_openmetrics (ProcfunStatistics *const *statistics, gsize n);

G_END_DECLS
