/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A line on stderr that says how much is done, where that is a terminal and the results go
 * somewhere else; and a last line that stays there. All take NULL, and do nothing then. */
typedef struct _MapProgress MapProgress;

/* @output: where the results go. @has_eta: somebody wants to know when it ends, and gets the last
 * line also where there is no terminal. (nullable) */
MapProgress *map_progress_new (int output, gboolean has_eta);
void map_progress_free (MapProgress *self);

/* @fraction: of the input; -1: not known */
void map_progress_show (MapProgress *self, guint64 n_done, guint64 n_failed, double fraction);

/* So that something else can be printed. */
void map_progress_clear (MapProgress *self);

/* The last line. FALSE: it was not wanted. */
gboolean map_progress_end (MapProgress *self, guint64 n_done, guint64 n_failed);
