/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/executor.h"

/* How often, and for which errors, a call of an idempotent function is run again. Any thread may
 * change it. */
typedef struct
{
  gint max;
  gint reasons; /* ProcfunRetryFlags */
} RetryPolicy;

/* Whether a call of @function may be run again. */
gboolean retry_may_be_needed (const RetryPolicy *self, ProcfunFunction *function);

/* Run a call by the functions of @klass, and again as @self says. The failure of the call is that
 * of the last try. */
GVariant *retry_run (const RetryPolicy *self, ProcfunExecutorClass *klass,
                     ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                     GError **error);
void retry_run_then (const RetryPolicy *self, ProcfunExecutorClass *klass,
                     ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
                     ProcfunExecutorFunc func, gpointer user_data);
