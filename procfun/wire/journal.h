/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What a call with FRAME_CALL_MAP leaves in memory that it shares with its caller, so that it is
 * known what was done however it ends: who crashes sends nothing any more. After the head, at
 * JOURNAL_RESULTS, come the results, one after the other: each in its place, as in an array, where
 * they are of fixed size; else a guint64, which is its size, and its bytes, filled up to a multiple
 * of 8. The callee may have written anything. */
typedef struct
{
  gint64 budget;   /* the caller's: it is to begin no element after so many µs; 0: at any time */
  guint64 n_begun; /* elements that the function was called for */
  guint64 n_done;  /* those whose results are there */
  guint64 n_bytes; /* of results */
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
