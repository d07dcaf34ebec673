/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/failure.h"
#include "procfun/core/histogram.h"

G_BEGIN_DECLS

/* Counts of an executor. Durations in µs, moments in monotonic time. No lock: the executor holds
 * its own anyway. */

#define RECORDER_N_CAUSES FAILURE_N_CAUSES

/* Calls that ended in each of the last seconds; RATE_WINDOW of these count. */
#define RATE_WINDOW 10
#define RATE_SLOTS 16

typedef struct
{
  gint64 seconds[RATE_SLOTS]; /* second that the slot counts; its number modulo RATE_SLOTS is the
                                 slot */
  guint64 counts[RATE_SLOTS];
} Rate;

typedef struct
{
  gint64 made_at;
  guint64 submitted;
  guint64 succeeded;
  guint64 failed[RECORDER_N_CAUSES];
  guint64 workers_started;
  guint64 workers_exited;
  guint64 workers_recycled;
  Rate rate;
  Histogram latency;
  Histogram wait;
} Recorder;

typedef struct
{
  gint64 submitted_at;
  gint64 started_at; /* 0: no process had the call */
  gint64 ended_at;
  gboolean succeeded;
  ProcfunCause cause; /* if it failed */
} Ending;

Recorder *recorder_new (gint64 now);
void recorder_end (Recorder *self, const Ending *ending);

guint64 recorder_count_failed (const Recorder *self);

/* Calls a second: in the last seconds, and overall. */
double recorder_get_rate (const Recorder *self, gint64 now);
double recorder_get_overall_rate (const Recorder *self, gint64 now);

G_END_DECLS
