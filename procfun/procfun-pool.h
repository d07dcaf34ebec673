/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-process-executor.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_POOL (procfun_pool_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunPool, procfun_pool, PROCFUN, POOL, ProcfunProcessExecutor)

PROCFUN_AVAILABLE_IN_0_1
ProcfunPool *procfun_pool_new (guint max_workers);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_max_workers (ProcfunPool *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_pool_get_max_workers (ProcfunPool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_min_workers (ProcfunPool *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_pool_get_min_workers (ProcfunPool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_idle_timeout (ProcfunPool *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_pool_get_idle_timeout (ProcfunPool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_calls_in_flight (ProcfunPool *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_pool_get_calls_in_flight (ProcfunPool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_calls_per_worker (ProcfunPool *self, guint64 n);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_pool_get_calls_per_worker (ProcfunPool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_memory_per_worker (ProcfunPool *self, guint64 bytes);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_pool_get_memory_per_worker (ProcfunPool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_max_queue_calls (ProcfunPool *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_pool_get_max_queue_calls (ProcfunPool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_max_queue_bytes (ProcfunPool *self, guint64 bytes);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_pool_get_max_queue_bytes (ProcfunPool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_initializer (ProcfunPool *self, ProcfunFunction *function, GVariant *args);

PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_pool_submit (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data, GError **error);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_pool_try_submit (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data, GError **error);

G_END_DECLS
