/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* The one header that programs include. */

#define PROCFUN_INSIDE

#include <procfun/procfun-error.h>
#include <procfun/procfun-values.h>
#include <procfun/procfun-version-macros.h>
#include <procfun/procfun-version.h>

#undef PROCFUN_INSIDE
