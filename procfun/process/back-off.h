/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* After a failed start, the time until the next try: twice as long after each failure in a row. */
typedef struct
{
  gint64 wait;     /* in µs, after the last failure; 0: there was none */
  gint64 retry_at; /* monotonic time in µs */
} BackOff;

/* Waits at least @least, and at most @most, in µs. */
void back_off_fail (BackOff *self, gint64 least, gint64 most);
void back_off_reset (BackOff *self);

/* How long it takes until the next try, in µs; 0: it is due. */
gint64 back_off_get_rest (const BackOff *self);
