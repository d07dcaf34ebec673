/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* Functions that maps call in tests. */

/* Ten times @n. A name at position @n in @deaths, separated by commas, makes it do that instead:
 * "crash", "kill", "exit", "fail", "cancel", "hang", "nap", or "wait" until there is the file @path
 * with
 * ".go" behind it. Each @n is noted in the file @path, if there
 * is one. */
PROCFUN_DECLARE_FUNCTION_WITH_ERROR (ten_times, gint, (gint, n), (const char *, deaths),
                                     (const char *, path))

/* The same number, after so many µs. */
PROCFUN_DECLARE_FUNCTION (take_time, gint64, (gint64, us))

/* So many bytes. */
PROCFUN_DECLARE_FUNCTION (make_text, char *, (guint64, length))

/* A map in a map. */
PROCFUN_DECLARE_FUNCTION_WITH_ERROR (sum_by_map, gint, (gint, n))

/* Keeps the first journal that its process is given mapped, overwrites it when there is another,
 * and returns the number of the current one's file, the process and @n. */
PROCFUN_DECLARE_FUNCTION (scribble, char *, (gint, n))

/* Write false numbers into the journal: "many", "unbegun", "bytes", "end", "filled", "return"; else
 * they return. */
PROCFUN_DECLARE_FUNCTION (cheat_in_number, gint, (gint, n), (const char *, how))
PROCFUN_DECLARE_FUNCTION (cheat_in_text, char *, (gint, n), (const char *, how))
