/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

#define DECODE_TIMEOUT (20 * G_USEC_PER_SEC)

void workers_confine (ProcfunProcessExecutor *executor);
ProcfunLimits *workers_get_limits (void);
ProcfunPool *workers_new (void);
