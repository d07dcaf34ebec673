/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* Eight bits a channel: red, green, blue, and alpha if the image has it. */
PROCFUN_DEFINE_STRUCT (Image, (int, width), (int, height), (int, stride), (gboolean, has_alpha),
                       (GBytes *, pixels))

/* Neither side of the result is longer than size. */
PROCFUN_DECLARE_FUNCTION_WITH_ERROR (decode_image, Image, (const char *, uri), (int, size))

/* The faults of a bad decoder */
PROCFUN_DECLARE_FUNCTION (crash_worker, void)
PROCFUN_DECLARE_FUNCTION (hang_worker, void)
