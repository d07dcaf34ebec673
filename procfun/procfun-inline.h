/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-executor.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_INLINE (procfun_inline_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunInline, procfun_inline, PROCFUN, INLINE, ProcfunExecutor)

PROCFUN_AVAILABLE_IN_0_1
ProcfunInline *procfun_inline_new (void);

G_END_DECLS
