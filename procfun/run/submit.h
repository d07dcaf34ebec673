/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-call.h"
#include "procfun/procfun-process-executor.h"

/* As procfun_process_executor_submit_async(), for a function with another name. */
void submit_async (ProcfunProcessExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                   GAsyncReadyCallback callback, gpointer user_data, gpointer source_tag);
