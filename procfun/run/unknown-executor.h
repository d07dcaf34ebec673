/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

/* Default executor when PROCFUN_EXECUTOR names none. Each call fails with %PROCFUN_ERROR_INVALID:
 * another executor might do just what the user wanted to rule out. */
#define UNKNOWN_TYPE_EXECUTOR (unknown_executor_get_type ())
G_DECLARE_FINAL_TYPE (UnknownExecutor, unknown_executor, UNKNOWN, EXECUTOR, ProcfunExecutor)

/* @why: (transfer full) */
ProcfunExecutor *unknown_executor_new (GError *why);

G_END_DECLS
