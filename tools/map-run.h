/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tools/commands.h"
#include "tools/joblog.h"
#include "tools/map-arguments.h"
#include "tools/map-options.h"
#include "tools/map-output.h"
#include "tools/map-progress.h"
#include "tools/records.h"

/* A record, and its place in the input. */
typedef struct
{
  guint64 number; /* from 1 */
  gsize size;     /* with its end */
  char *text;     /* (nullable): nobody needs it */
} MapRecord;

static inline void
map_record_clear (MapRecord *self)
{
  g_clear_pointer (&self->text, g_free);
}

typedef struct _MapRun MapRun;

/* How the function is called: map-batches.c is fast, map-calls.c knows each call. */
typedef struct
{
  gpointer (*start) (MapRun *run);
  /* Takes a record, whose arguments were added to those of the run, or an error that says why not.
   */
  void (*add) (MapRun *run, MapRecord record, GError *error);
  void (*end_block) (MapRun *run); /* nothing else may come for a while */
  void (*end_input) (MapRun *run);
  void (*cut) (MapRun *run); /* forgets what has not begun */
  void (*free) (gpointer engine);
} MapEngine;

extern const MapEngine map_batches_engine;
extern const MapEngine map_calls_engine;

struct _MapRun
{
  const MapOptions *options;
  ProcfunFunction *function;
  ProcfunExecutor *executor;
  const MapEngine *funcs;
  gpointer engine;

  RecordReader *records;
  MapArguments *arguments;
  MapOutput *output;
  MapProgress *progress;     /* (nullable) */
  JobLog *log;               /* (nullable) */
  GCancellable *cancellable; /* ends what runs */

  guint64 n_done; /* also those that failed */
  guint64 n_failed;
  guint64 bytes_done;  /* of records */
  gboolean has_header; /* and it was read */
  gboolean input_ended;
  gboolean is_cut;
  gboolean is_done;
  int signum; /* 0: nobody interrupted it */
  Status status;
};

/* Maps @function on @executor, as @options say. */
Status map_run (const MapOptions *options, ProcfunFunction *function, ProcfunExecutor *executor);

/* For the engines: a record has been dealt with, and its result printed. With an error it is
 * printed here. @error: borrowed. @to: where results go. */
void map_run_note_done (MapRun *self, const MapRecord *record);
void map_run_fail (MapRun *self, const MapRecord *record, const GError *error, Buffer *to);

/* Something is wrong beside the function; one message is enough. */
void map_run_break (MapRun *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Prints what was formatted when there is much, or all. */
void map_run_push (MapRun *self);
void map_run_flush (MapRun *self);
