/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/failure.h"
#include "procfun/core/histogram.h"

G_BEGIN_DECLS

/* What an executor counts, always. Times in µs, moments in monotonic time. It has no lock: the
 * executor has one that it takes anyway. */

#define RECORDER_N_CAUSES FAILURE_N_CAUSES

/* Calls that ended in each of the last seconds: RATE_WINDOW of them count. */
#define RATE_WINDOW 10
#define RATE_SLOTS 16

typedef struct
{
  gint64 seconds[RATE_SLOTS]; /* which one the slot is of; its number tells where it is */
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
  gint64 started_at; /* 0: its process never had it */
  gint64 ended_at;
  gboolean succeeded;
  ProcfunCause cause; /* if not */
} Ending;

Recorder *recorder_new (gint64 now);
void recorder_end (Recorder *self, const Ending *ending);

guint64 recorder_count_failed (const Recorder *self);

/* Calls a second: of the last seconds, and since it was made. */
double recorder_get_rate (const Recorder *self, gint64 now);
double recorder_get_overall_rate (const Recorder *self, gint64 now);

G_END_DECLS
