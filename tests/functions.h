/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* Well-behaved functions for tests to call. Besides, there is an echo_<type> for each type of the
 * reference, which returns what it is given; tests find these by name. */

PROCFUN_DEFINE_ENUM (Colour, COLOUR_RED, COLOUR_DARK_BLUE, (COLOUR_LAST, 77))
PROCFUN_DEFINE_STRUCT (Spot, (double, x), (gint, y))
PROCFUN_DEFINE_STRUCT (Shape, (char *, name), (Colour, colour), (Spot, centre),
                       (SpotArray, corners))

PROCFUN_DECLARE_FUNCTION (nothing, void)
PROCFUN_DECLARE_FUNCTION (add, gint, (gint, a), (gint, b))
PROCFUN_DECLARE_FUNCTION (sum_of_twelve, gint, (gint, a), (gint, b), (gint, c), (gint, d),
                          (gint, e), (gint, f), (gint, g), (gint, h), (gint, i), (gint, j),
                          (gint, k), (gint, l))

/* Large values: @length bytes, the i-th of which is i % 251; and whether they are these. */
PROCFUN_DECLARE_FUNCTION (make_bytes, GBytes *, (guint64, length))
PROCFUN_DECLARE_FUNCTION (are_those_bytes, gboolean, (GBytes *, bytes))
PROCFUN_DECLARE_FUNCTION (pass_bytes, GBytes *, (GBytes *, bytes))
PROCFUN_DECLARE_FUNCTION (string_length, guint64, (const char *, text))

/* Errors of the function's own. An empty domain: an error that nobody registered. */
PROCFUN_DECLARE_FUNCTION_WITH_ERROR (fail, gint, (const char *, domain), (gint, code),
                                     (const char *, message))
PROCFUN_DECLARE_FUNCTION_WITH_ERROR (fail_void, void, (gint, code))
PROCFUN_DECLARE_FUNCTION_WITH_ERROR (fail_with_result, char *, (gint, code))

/* The process of a call, seen from inside. */
PROCFUN_DECLARE_FUNCTION (in_child, gboolean)
PROCFUN_DECLARE_FUNCTION (get_process_id, gint)
PROCFUN_DECLARE_FUNCTION (get_parent_id, gint)
PROCFUN_DECLARE_FUNCTION (get_session_id, gint)
PROCFUN_DECLARE_FUNCTION (get_nice, gint)
PROCFUN_DECLARE_FUNCTION (get_variable, ProcfunMaybeString, (const char *, name))
PROCFUN_DECLARE_FUNCTION (get_command_line, GStrv)
PROCFUN_DECLARE_FUNCTION (get_descriptors, GStrv)
PROCFUN_DECLARE_FUNCTION (get_changed_signals, GStrv)
PROCFUN_DECLARE_FUNCTION (get_folder, char *)
PROCFUN_DECLARE_FUNCTION (read_all, char *, (ProcfunFd, fd))
PROCFUN_DECLARE_FUNCTION (open_text, ProcfunFd, (const char *, text))
PROCFUN_DECLARE_FUNCTION (open_many, GUnixFDList *, (guint, n))
PROCFUN_DECLARE_FUNCTION (count_many, guint, (GUnixFDList *, fds))

/* Calls itself in a process of its own, @more times; each adds one. */
PROCFUN_DECLARE_FUNCTION_WITH_ERROR (nest, gint, (gint, more))

/* Calls another function, whose result it prints. */
PROCFUN_DECLARE_FUNCTION_WITH_ERROR (relay, char *, (const char *, function),
                                     (const char *, arguments))
