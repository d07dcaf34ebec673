/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib.h>
#include <procfun/procfun-version.h>

/**
 * PROCFUN_VERSION_0_1:
 *
 * Version 0.1, for %PROCFUN_VERSION_MIN_REQUIRED and %PROCFUN_VERSION_MAX_ALLOWED.
 *
 * Since: 0.1
 */
#define PROCFUN_VERSION_0_1 (G_ENCODE_VERSION (0, 1))

/* The version of these headers. */
#define PROCFUN_VERSION_CURRENT_ (G_ENCODE_VERSION (PROCFUN_MAJOR_VERSION, PROCFUN_MINOR_VERSION))

/**
 * PROCFUN_VERSION_MIN_REQUIRED:
 *
 * The oldest version that the program must build with, such as %PROCFUN_VERSION_0_1. Define it
 * before you include
 * `<procfun.h>`. The compiler warns about functions that this version or an older one deprecates.
 * The default is the version of the headers.
 *
 * Since: 0.1
 */
#ifndef PROCFUN_VERSION_MIN_REQUIRED
#define PROCFUN_VERSION_MIN_REQUIRED PROCFUN_VERSION_CURRENT_
#endif

/**
 * PROCFUN_VERSION_MAX_ALLOWED:
 *
 * The newest version whose functions the program may use, such as %PROCFUN_VERSION_0_1. Define it
 * before you include
 * `<procfun.h>`. The compiler warns about functions that are newer. The default is the version of
 * the headers.
 *
 * Since: 0.1
 */
#ifndef PROCFUN_VERSION_MAX_ALLOWED
#define PROCFUN_VERSION_MAX_ALLOWED PROCFUN_VERSION_CURRENT_
#endif

/* The library is built with hidden visibility; the marks below export a symbol. */
#define PROCFUN_EXTERN_ __attribute__ ((visibility ("default"))) extern

/* Each minor version that adds or deprecates symbols has a paragraph like this one. */
#if PROCFUN_VERSION_MAX_ALLOWED < PROCFUN_VERSION_0_1
#define PROCFUN_AVAILABLE_IN_0_1 G_UNAVAILABLE (0, 1) PROCFUN_EXTERN_
#else
#define PROCFUN_AVAILABLE_IN_0_1 PROCFUN_EXTERN_
#endif
#if PROCFUN_VERSION_MIN_REQUIRED >= PROCFUN_VERSION_0_1
#define PROCFUN_DEPRECATED_IN_0_1 G_DEPRECATED PROCFUN_EXTERN_
#define PROCFUN_DEPRECATED_IN_0_1_FOR(function) G_DEPRECATED_FOR (function) PROCFUN_EXTERN_
#else
#define PROCFUN_DEPRECATED_IN_0_1 PROCFUN_EXTERN_
#define PROCFUN_DEPRECATED_IN_0_1_FOR(function) PROCFUN_EXTERN_
#endif
