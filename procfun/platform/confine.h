/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A process of the library's own that reads what somebody hostile may have written. */

/* In its beginning: it ends with its parent, after @cpu_time (in µs, less than a second) of CPU
 * time, and without a core. */
void confine_begin (guint cpu_time);

/* Before it reads, when all that it needs is open: it may have @memory more bytes (0: any number),
 * and enters the sandbox of the highest level as far as this kernel has it. What is refused are
 * errors.
 */
void confine (guint64 memory);
