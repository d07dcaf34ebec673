/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

/* The default executor, which another thread may replace meanwhile. (transfer full) */
ProcfunExecutor *procfun_executor_ref_default (void);

/* Counts a call that begins, and one that has ended: closing waits for it. FALSE: it is closed. */
gboolean procfun_executor_enter (ProcfunExecutor *self, ProcfunCall *call, GError **error);
void procfun_executor_leave (ProcfunExecutor *self);

/* Runs @call on @self, and counts it: closing waits for it. */
GVariant *procfun_executor_run (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                                GError **error);
void procfun_executor_run_async (ProcfunExecutor *self, ProcfunCall *call,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
GVariant *procfun_executor_run_finish (ProcfunExecutor *self, GAsyncResult *result, GError **error);

/* The same for a generator, item by item, for who counts it. */
GVariant *procfun_executor_next (ProcfunExecutor *self, ProcfunCall *call,
                                 GCancellable *cancellable, GError **error);
void procfun_executor_next_async (ProcfunExecutor *self, ProcfunCall *call,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data);
GVariant *procfun_executor_next_finish (ProcfunExecutor *self, ProcfunCall *call,
                                        GAsyncResult *result, GError **error);

G_END_DECLS
