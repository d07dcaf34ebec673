/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tests/functions.h"

/* Generators for tests to call. */

PROCFUN_DECLARE_GENERATOR (numbers, gint, (gint, n))
PROCFUN_DECLARE_GENERATOR (nothings, gboolean)
PROCFUN_DECLARE_GENERATOR (doubles, double, (gint, n))
PROCFUN_DECLARE_GENERATOR (words, char *, (GStrv, words))
PROCFUN_DECLARE_GENERATOR (maybe_words, ProcfunMaybeString, (gint, n))
PROCFUN_DECLARE_GENERATOR (colours, Colour, (gint, n))
PROCFUN_DECLARE_GENERATOR (shapes, Shape, (gint, n))
PROCFUN_DECLARE_GENERATOR (variants, GVariant *, (gint, n))
PROCFUN_DECLARE_GENERATOR (series, ProcfunInt64s, (gint, n))
PROCFUN_DECLARE_GENERATOR (blobs, GBytes *, (gint, n), (guint64, size))
PROCFUN_DECLARE_GENERATOR (openings, ProcfunFd, (GStrv, texts))

/* All strings of 0 and 1 of a length, by calling itself. */
PROCFUN_DECLARE_GENERATOR (digits, char *, (const char *, prefix), (gint, length))

/* Of numbers(), those that can be divided. */
PROCFUN_DECLARE_GENERATOR (multiples, gint, (gint, n), (gint, divisor))

/* Writes a byte before each number, which never end, and closes @fd after the last. */
PROCFUN_DECLARE_GENERATOR (steps, gint, (ProcfunFd, fd))

/* From two threads, @n each: the even numbers and the odd ones, each in order. One asks for the
 * cancellable. */
PROCFUN_DECLARE_GENERATOR (pairs, gint, (gint, n))

/* After @n numbers, it is not over well. */
PROCFUN_DECLARE_GENERATOR_WITH_ERROR (misfortunes, gint, (const char *, kind), (gint, n))
PROCFUN_DECLARE_GENERATOR (null_words, char *, (gint, n))
