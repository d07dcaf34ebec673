/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* A map on a ProcfunExecutor of the function with this name; @array as g_variant_parse() reads it,
 * or NULL. */
ProcfunMap *maps_new (gpointer executor, const char *name, const char *array);

/* A map of ten_times() over as many elements as @deaths has; @path: (nullable) */
ProcfunMap *maps_new_deaths (gpointer executor, const char *deaths, const char *path);

/* (0, 1), (1, 1), (2, 1) … */
GVariant *maps_make_pairs (gsize n);

/* Runs @map in this thread, or with an @async_mode on a main context made for it. */
GVariant *maps_run (ProcfunMap *map, gconstpointer async_mode, GCancellable *cancellable,
                    GError **error);

/* Likewise, the next result. */
GVariant *maps_next (ProcfunMap *map, gconstpointer async_mode, guint64 *index,
                     GCancellable *cancellable, GError **error);

/* Keeps the result at a GAsyncResult **. */
void maps_on_result (GObject *source, GAsyncResult *result, gpointer where);

void maps_assert_error (ProcfunMap *map, guint64 index, GQuark domain, gint code);

/* A file that ten_times() notes its calls in; whether they were for each of 0 to @n, and once. It
 * is removed. */
char *maps_make_path (void);
void maps_assert_called_once (const char *path, guint n);

/* The same, but for the element @needless, which may not have been called. */
void maps_assert_called (const char *path, guint n, guint needless);

/* How often it was for each of these. (transfer full) */
guint *maps_count_calls (const char *path, guint n);
