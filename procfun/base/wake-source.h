/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* A source that any thread can make ready, and that has a time. A ready time of GLib wakes the main
 * loop also where that changes it itself, which costs it a write, a read and another turn. */
typedef struct
{
  GSource source;
  GMainContext *context; /* (unowned): it is attached to that */
  gint is_ready;         /* atomic */
  gint64 next; /* when it is ready by itself: monotonic time in µs; 0: never. Of the thread
                  that runs the main context */
} WakeSource;

/* @size: of a struct that begins with a WakeSource. @dispatch begins with wake_source_begin(). */
GSource *wake_source_new (GSourceFuncs *funcs, gsize size);
void wake_source_attach (WakeSource *self, GMainContext *context);

/* For the functions of a source. */
gboolean wake_source_prepare (GSource *source, int *timeout);
gboolean wake_source_check (GSource *source);

/* A turn begins: it is ready again when somebody wakes it after this. */
void wake_source_begin (WakeSource *self);

/* In any thread, as long as the source is attached. */
void wake_source_wake (WakeSource *self);
