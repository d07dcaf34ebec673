/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/base/debug.h"

G_BEGIN_DECLS

/* Spans of time for sysprof, which runs the program and shows them beside its own samples. */

/* Whether sysprof has started this process. */
gboolean marks_are_wanted (void);

/* A span between two monotonic times in µs. Only if debug_has (DEBUG_MARKS). */
void marks_add (const char *name, gint64 begin, gint64 end, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

G_END_DECLS
