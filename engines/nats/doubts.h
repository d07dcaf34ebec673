/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Calls that may have run elsewhere: a host asks the caller before it begins one. A broker that was
 * killed gives calls away again which it gave away before, as if for the first time; even those
 * that are done with, all at once and much later. So each call is in doubt that was stored before
 * the host had its connection, or before the broker counted what it gives away anew; and for a
 * while all are, where the host was frozen, for its calls may be told to be lost. */
typedef struct
{
  guint64 last_old; /* sequence of the last call that was stored before */
  guint64 n_given;  /* by the broker, with the last call that came from it */
  gint64 until;     /* monotonic time in µs: all are in doubt */
} Doubts;

/* The connection is new: all are in doubt until it is known what is stored. */
void doubts_begin (Doubts *self);
gboolean doubts_are_about_all (const Doubts *self);

/* A call came with that count. TRUE: all are in doubt again, for the broker has forgotten some. */
gboolean doubts_note_count (Doubts *self, guint64 n_given);

/* A timer that was ready at @at had its turn at @now. */
void doubts_note_time (Doubts *self, gint64 at, gint64 now);

gboolean doubts_has (const Doubts *self, guint64 sequence, gint64 now);

G_END_DECLS
