/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Processor of a process that is kept for calls. The kernel wakes it on the processor of its
 * caller, where one of the two waits for the other; while calls follow each other closely, both are
 * better off with a processor each. */
typedef struct
{
  gint64 began_at; /* the last call: monotonic time in µs */
  gint64 moved_at;
  guint n_quick; /* calls in a row that came so closely */
} Placement;

/* After a call that began at @began_at, and was sent from @cpu; -1: unknown. */
void placement_note_call (Placement *self, gint64 began_at, int cpu);
