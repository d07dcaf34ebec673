/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Files and lines, from the debugging data of a program or library, by libdw of elfutils: it is
 * loaded when it is needed, if it is there. */
typedef struct _Lines Lines;

/* Loads it while files can be opened. */
void lines_prepare (void);

/* @fd must stay open as long as the result. (nullable): NULL when there are no such data. */
Lines *lines_open (int fd);
void lines_free (Lines *self);

/* Calls @func for the function that @address of the file lies in, and before for those that the
 * compiler inlined there, the innermost first. @file and any of the names may be NULL. */
typedef void (*LinesFunc) (const char *function, const char *file, int line, gpointer user_data);
gboolean lines_find (Lines *self, guint64 address, LinesFunc func, gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Lines, lines_free)
