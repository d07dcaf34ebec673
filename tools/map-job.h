/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tools/map-run.h"

/* One record, its calls, and what came of them. */
typedef struct
{
  MapRun *run;
  MapRecord record;
  GVariant *args;    /* (nullable): it could not be read */
  GError *error;     /* (nullable): of the last call */
  GList *link;       /* its place in the queue of all jobs */
  ProcfunCall *call; /* (nullable): none runs */
  guint tries_left;
  gint64 began_at; /* in µs since 1970 */
  gint64 started;  /* by the monotonic clock, in µs */
  gint64 duration; /* in µs */
  Buffer text;     /* results as they are printed */
  gsize n_results; /* bytes of them, also those that were printed */
  Status status;
  const char *host; /* (nullable) (interned): that had the last call */
  int signum;       /* that ended the process; 0: none */
  gboolean is_over;
  gboolean is_streamed; /* results are printed as they come */
  void (*on_over) (gpointer job, gpointer user_data);
  gpointer user_data;
} MapJob;

MapJob *map_job_new (MapRun *run, MapRecord record, GVariant *args, GError *error);
void map_job_free (MapJob *self);

/* Calls the function, again when that fails and it may; @on_over is called later, once. */
void map_job_start (MapJob *self, void (*on_over) (gpointer job, gpointer user_data),
                    gpointer user_data);

/* Prints what it has so far; it is its turn. */
void map_job_stream (MapJob *self);

/* Prints what is left, and notes it in the log and in the folder of results. */
void map_job_end (MapJob *self);
