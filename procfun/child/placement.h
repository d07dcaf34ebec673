/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Where a process that is kept for calls runs. Who wakes it wakes it on its own processor, where
 * one of both waits for the other; while calls come one upon the other, each is better off with its
 * own. */
typedef struct
{
  gint64 began_at; /* the last call: monotonic time in µs */
  gint64 moved_at;
  guint n_quick; /* calls that came so */
} Placement;

/* After a call that began at @began_at, and was sent from @cpu; -1: unknown. */
void placement_note_call (Placement *self, gint64 began_at, int cpu);
