/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The functions in a program or library, by the file that it was loaded from, or that of its
 * debugging symbols. The file may hold anything. */
typedef struct _Symbols Symbols;

/* Takes @fd. (nullable): NULL when there is no such file, or when it is of another build than
 * @build_id, (nullable). @budget: (inout): bytes that may be read; tables that would take more are
 * left out. */
Symbols *symbols_new (int fd, GBytes *build_id, guint64 *budget);
void symbols_free (Symbols *self);

/* The name of the function that @address of the file lies in. (nullable) (transfer full) */
char *symbols_find (Symbols *self, guint64 address);

/* The readable name of the function that C++ calls @name: UTF-8 of a few hundred bytes at most,
 * without control characters. (transfer full) */
char *symbols_demangle (const char *name);

/* Loads all that is needed for it, and for reading files, while files can be opened. */
void symbols_prepare (gboolean with_cxx);

/* Stays open as long as @self. */
int symbols_get_fd (Symbols *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Symbols, symbols_free)
