/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A line on stderr that says how far it is, where that is a terminal and the results go somewhere
 * else. All take NULL, and do nothing then. */
typedef struct _MapProgress MapProgress;

/* @output: where the results go. (nullable) */
MapProgress *map_progress_new (int output);
void map_progress_free (MapProgress *self);

/* @fraction: of the input that was read; -1: not known */
void map_progress_show (MapProgress *self, guint64 n_done, guint64 n_failed, double fraction);

/* So that something else can be printed. */
void map_progress_clear (MapProgress *self);
