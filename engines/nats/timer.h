/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A time at which something is due, of the thread that runs its main context. A ready time of GLib
 * would be written to an eventfd whenever it is set. */

typedef void (*TimerFunc) (gpointer user_data);

typedef struct _Timer Timer;

Timer *timer_new (GMainContext *context, TimerFunc func, gpointer user_data);

/* It may be freed in its function. */
void timer_free (Timer *self);

/* Monotonic time in µs; G_MAXINT64: never, as at the beginning. */
gint64 timer_get (const Timer *self);
void timer_set (Timer *self, gint64 at);

/* At the latest then. */
void timer_hurry (Timer *self, gint64 at);

/* Likewise, unless it is given up before: by each that wished so. */
void timer_wish (Timer *self, gint64 at);
void timer_unwish (Timer *self);

G_END_DECLS
