/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

/* The default executor, which another thread may replace meanwhile. (transfer full) */
ProcfunExecutor *procfun_executor_ref_default (void);

/* Runs @call on @self, and counts it: closing waits for it. */
GVariant *procfun_executor_run (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                                GError **error);
void procfun_executor_run_async (ProcfunExecutor *self, ProcfunCall *call,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
GVariant *procfun_executor_run_finish (ProcfunExecutor *self, GAsyncResult *result, GError **error);

G_END_DECLS
