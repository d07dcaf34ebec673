/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tools/halt.h"
#include "tools/map-arguments.h"

/* Options of procfun map. Times are in µs, sizes in bytes, and 0 where nothing was said. */
typedef struct
{
  /* Input */
  char **words; /* (nullable): after “:::” */
  char *file;   /* (nullable): in place of stdin */
  RecordFormat format;
  gboolean has_nuls; /* between records, and after raw results */
  gboolean has_header;

  /* Output */
  gboolean is_raw;
  gboolean has_tags;
  gboolean is_unordered;
  gboolean has_eta;
  gboolean is_dry;
  char *results; /* (nullable): the folder */

  /* Calls */
  char *hosts;     /* (nullable): on this machine */
  guint n_workers; /* 0: as many as seems good */
  gint64 timeout;
  ProcfunLimits *limits; /* (nullable): none */
  guint retries;
  gint64 delay;
  guint64 free_memory;
  Halt halt;

  /* The log */
  char *log; /* (nullable) */
  gboolean resumes;
  gboolean resumes_failed;
} MapOptions;

/* Reads the command line, of which program and function are left. (nullable): something is wrong
 * with it, which is printed. The result is there as long as the process. */
const MapOptions *map_options_read (int *argc, char ***argv);
