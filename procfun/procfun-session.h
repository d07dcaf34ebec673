/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-process-executor.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_SESSION (procfun_session_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunSession, procfun_session, PROCFUN, SESSION, ProcfunProcessExecutor)

PROCFUN_AVAILABLE_IN_0_1
int procfun_session_get_pid (ProcfunSession *self);

G_END_DECLS
