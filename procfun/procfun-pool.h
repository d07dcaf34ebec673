/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-limits.h>
#include <procfun/procfun-process-executor.h>
#include <procfun/procfun-session.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_POOL (procfun_pool_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunPool, procfun_pool, PROCFUN, POOL, ProcfunProcessExecutor)

/**
 * ProcfunRetryFlags:
 * @PROCFUN_RETRY_NONE: no reason
 * @PROCFUN_RETRY_LOST: its process was killed from outside, or lost together with the zygote:
 *     %PROCFUN_ERROR_KILLED and %PROCFUN_ERROR_WORKER_LOST
 * @PROCFUN_RETRY_CRASHED: the function crashed: %PROCFUN_ERROR_CRASHED
 * @PROCFUN_RETRY_EXITED: the function ended its process: %PROCFUN_ERROR_EXITED
 *
 * Reasons to run a call again.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_RETRY_NONE = 0,
  PROCFUN_RETRY_LOST = 1 << 0,
  PROCFUN_RETRY_CRASHED = 1 << 1,
  PROCFUN_RETRY_EXITED = 1 << 2
} ProcfunRetryFlags;

/**
 * ProcfunKeptThreads:
 * @PROCFUN_KEPT_THREADS_NONE: no threads
 * @PROCFUN_KEPT_THREADS_FIRST_CALL: those that the first call of a worker has left, if they sleep
 * @PROCFUN_KEPT_THREADS_ANY: all threads
 *
 * Which threads a call may leave in a worker.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_KEPT_THREADS_NONE,
  PROCFUN_KEPT_THREADS_FIRST_CALL,
  PROCFUN_KEPT_THREADS_ANY
} ProcfunKeptThreads;

#define PROCFUN_TYPE_KEPT_THREADS (procfun_kept_threads_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_kept_threads_get_type (void) G_GNUC_CONST;

#define PROCFUN_TYPE_RETRY_FLAGS (procfun_retry_flags_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_retry_flags_get_type (void) G_GNUC_CONST;

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
void procfun_pool_set_arena_idle (ProcfunPool *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_pool_get_arena_idle (ProcfunPool *self);
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
void procfun_pool_add_preload (ProcfunPool *self, ProcfunFunction *function, GVariant *args);

PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_broadcast_async (ProcfunPool *self, ProcfunFunction *function, GVariant *args,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);

PROCFUN_AVAILABLE_IN_0_1
GPtrArray *procfun_pool_broadcast_finish (ProcfunPool *self, GAsyncResult *result, GError **error);

PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_close_timeout (ProcfunPool *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_pool_get_close_timeout (ProcfunPool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_max_retries (ProcfunPool *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_pool_get_max_retries (ProcfunPool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_retry_on (ProcfunPool *self, ProcfunRetryFlags reasons);
PROCFUN_AVAILABLE_IN_0_1
ProcfunRetryFlags procfun_pool_get_retry_on (ProcfunPool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_kept_threads (ProcfunPool *self, ProcfunKeptThreads threads);
PROCFUN_AVAILABLE_IN_0_1
ProcfunKeptThreads procfun_pool_get_kept_threads (ProcfunPool *self);

PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_set_worker_limits (ProcfunPool *self, const ProcfunLimits *limits);
PROCFUN_AVAILABLE_IN_0_1
ProcfunLimits *procfun_pool_get_worker_limits (ProcfunPool *self);

PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_pool_submit (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data, GError **error);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_pool_try_submit (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data, GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_submit_async (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_pool_submit_finish (ProcfunPool *self, GAsyncResult *result, GError **error);

PROCFUN_AVAILABLE_IN_0_1
ProcfunSession *procfun_pool_acquire (ProcfunPool *self, ProcfunFunction *function,
                                      GCancellable *cancellable, GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_acquire_async (ProcfunPool *self, ProcfunFunction *function,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
ProcfunSession *procfun_pool_acquire_finish (ProcfunPool *self, GAsyncResult *result,
                                             GError **error);

PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_pool_drain (ProcfunPool *self, GCancellable *cancellable, GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_drain_async (ProcfunPool *self, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_pool_drain_finish (ProcfunPool *self, GAsyncResult *result, GError **error);

G_END_DECLS
