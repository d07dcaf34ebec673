/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Those on the other side of the broker, by their subjects: whether they live. */

typedef struct _Neighbours Neighbours;

Neighbours *neighbours_new (void);
void neighbours_free (Neighbours *self);

gboolean neighbours_has (Neighbours *self, const char *subject);
void neighbours_remove (Neighbours *self, const char *subject);

/* Something has come from it. */
void neighbours_hear (Neighbours *self, const char *subject);

/* Calls connect us with it: then a silence of two of these, in µs, is too long. */
void neighbours_add_call (Neighbours *self, const char *subject, gint64 heartbeat);
void neighbours_drop_call (Neighbours *self, const char *subject);
guint neighbours_get_n_calls (Neighbours *self, const char *subject);

/* Its own words about itself: one that does so every @beat µs, and has no calls, is gone after
 * three.
 */
void neighbours_set_slots (Neighbours *self, const char *subject, guint slots, gint64 beat);
guint neighbours_get_slots (Neighbours *self, const char *subject);

guint neighbours_get_all_slots (Neighbours *self);

/* Slots that are not known to have calls, of one that is gone: they count once, until it is there
 * again. @until: monotonic time since when it is not alive */
guint neighbours_take_room (Neighbours *self, const char *subject, gint64 *until);

/* One that has not counted so yet, and of which nothing has come since the broker was away.
 * (nullable) */
const char *neighbours_find_absent (Neighbours *self);

/* The broker was away until @now: others may not be back yet, and no silence before counts. */
void neighbours_excuse (Neighbours *self, gint64 now);

/* The broker says that nobody listens there. TRUE: for so long that it does not just come back. */
gboolean neighbours_miss (Neighbours *self, const char *subject, gint64 now);

/* One that was silent for too long, for @silence µs. It is to be looked for a few times a second:
 * one is given a second look. (nullable) */
const char *neighbours_find_silent (Neighbours *self, gint64 now, gint64 *silence);

/* Drops those that nothing has been heard of for a minute, and that have no calls and say nothing
 * of themselves. */
void neighbours_forget (Neighbours *self, gint64 now);

/* One who is due to be asked whether he lives: he has calls, or had some a moment ago. (nullable)
 */
const char *neighbours_find_unasked (Neighbours *self, gint64 now);

G_END_DECLS
