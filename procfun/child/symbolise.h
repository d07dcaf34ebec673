/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/crash.h"
#include <glib.h>

/* From addresses in another process to places in the code, by files that hold anything. */
typedef struct _Symboliser Symboliser;

/* @budget: CPU time in µs, half of it for names and half for lines; when it is used up no more is
 * looked up. The names of the first places do not depend on it. */
Symboliser *symboliser_new (gint64 budget);
void symboliser_free (Symboliser *self);

/* Opens the file of @module, and that of its debugging symbols. */
void symboliser_add_module (Symboliser *self, const CrashModule *module);

/* Calls @func for the place of the instruction at @address, in its module; for several, the
 * innermost first, where the compiler put functions into others. @function: (nullable) */
typedef void (*SymboliserFunc) (const char *function, const char *text, gboolean is_runtime,
                                gpointer user_data);
void symboliser_find (Symboliser *self, guint64 address, SymboliserFunc func, gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Symboliser, symboliser_free)
