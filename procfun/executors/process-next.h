/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

/* The next item of a generator's call, as ProcfunExecutorClass has it: the first one starts it. */
GVariant *procfun_process_executor_next (ProcfunExecutor *executor, ProcfunCall *call,
                                         GCancellable *cancellable, GError **error);
void procfun_process_executor_next_async (ProcfunExecutor *executor, ProcfunCall *call,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);

G_END_DECLS
