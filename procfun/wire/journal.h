/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Memory that a call with FRAME_CALL_MAP shares with its caller. The caller reads there what was
 * done, however the call ends: a process that crashes sends nothing any more. After the head, at
 * JOURNAL_RESULTS, the results follow each other. Results of fixed size lie as in an array; each
 * other result is a guint64, its size, and its bytes, filled up to a multiple of 8. The callee may
 * have written anything. */
typedef struct
{
  gint64 budget;   /* from the caller: time in µs after which no element is begun; 0: no bound */
  guint64 n_begun; /* elements that the function was called for */
  guint64 n_done;  /* elements whose results are there */
  guint64 n_bytes; /* of results */
  guint64 end;     /* from the caller, at any time: no element is begun from this one on */
} JournalHead;

/* The caller's side: shared memory that belongs to one worker. No other worker is ever given it, so
 * a worker that keeps it mapped reaches no results but its own. */
typedef struct
{
  int fd;     /* -1: none */
  gsize room; /* for results, in bytes */
} Journal;

#define JOURNAL_RESULTS 64

/* So many bytes of results are enough for one call. */
#define JOURNAL_ENOUGH ((gsize)1 << 20)

#define JOURNAL_ALIGN(size) (((size) + 7) & ~(gsize)7)
