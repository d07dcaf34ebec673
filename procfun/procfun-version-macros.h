/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib.h>

/* The library is built with hidden visibility; what carries one of these marks is exported. */
#define _PROCFUN_EXTERN __attribute__ ((visibility ("default"))) extern

/* One for each minor version that brought new symbols. */
#define PROCFUN_AVAILABLE_IN_0_1 _PROCFUN_EXTERN
