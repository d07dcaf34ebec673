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
};

/* Reads the memory of each worker. */
void statistics_read_memory (ProcfunStatistics *self);

const char *statistics_get_nick (ProcfunWorkerState state);

void statistics_append_json (ProcfunStatistics *self, Buffer *out);

/* All executors of a process, each family of metrics in one place. (transfer full) */
char *statistics_list_to_openmetrics (ProcfunStatistics *const *statistics, gsize n);

G_END_DECLS
