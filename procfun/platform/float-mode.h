/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Rounding, traps and the treatment of subnormal numbers, of this thread. Unlike fesetenv() it
 * needs no libm, which programs would have to load. 0 on other processors than those of PCs and
 * ARM64. */
guint64 float_mode_get (void);
void float_mode_set (guint64 mode);
