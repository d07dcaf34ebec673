/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

/* References the default executor, which another thread may replace meanwhile. (transfer full) */
ProcfunExecutor *procfun_executor_ref_default (void);

/* References the executor of @call, or the default one. (transfer full) */
ProcfunExecutor *procfun_call_ref_executor (ProcfunCall *call);

/* “fork”, “spawn”, “pool”, “pool:4”, “inline”, or a list of hosts, as users write them. (transfer
 * full) (nullable): no executor has this name */
ProcfunExecutor *procfun_executor_new_by_name (const char *name, GError **error);

G_END_DECLS
