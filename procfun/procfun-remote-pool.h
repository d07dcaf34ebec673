/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-executor.h>
#include <procfun/procfun-launcher.h>
#include <procfun/procfun-pool.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_REMOTE_POOL (procfun_remote_pool_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunRemotePool, procfun_remote_pool, PROCFUN, REMOTE_POOL, ProcfunExecutor)

PROCFUN_AVAILABLE_IN_0_1
ProcfunRemotePool *procfun_remote_pool_new (const char *hosts, GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_add_launcher (ProcfunRemotePool *self, ProcfunLauncher *launcher);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_program (ProcfunRemotePool *self, const char *path);
PROCFUN_AVAILABLE_IN_0_1
char *procfun_remote_pool_get_program (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_library (ProcfunRemotePool *self, const char *path);
PROCFUN_AVAILABLE_IN_0_1
char *procfun_remote_pool_get_library (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_heartbeat (ProcfunRemotePool *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_remote_pool_get_heartbeat (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_connect_timeout (ProcfunRemotePool *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_remote_pool_get_connect_timeout (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_idle_timeout (ProcfunRemotePool *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_remote_pool_get_idle_timeout (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_min_hosts (ProcfunRemotePool *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_remote_pool_get_min_hosts (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_max_hosts (ProcfunRemotePool *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_remote_pool_get_max_hosts (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_calls_in_flight (ProcfunRemotePool *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_remote_pool_get_calls_in_flight (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_max_payload (ProcfunRemotePool *self, guint64 bytes);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_remote_pool_get_max_payload (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_max_queue_calls (ProcfunRemotePool *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_remote_pool_get_max_queue_calls (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_max_queue_bytes (ProcfunRemotePool *self, guint64 bytes);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_remote_pool_get_max_queue_bytes (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_max_retries (ProcfunRemotePool *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_remote_pool_get_max_retries (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_remote_pool_set_retry_on (ProcfunRemotePool *self, ProcfunRetryFlags reasons);
PROCFUN_AVAILABLE_IN_0_1
ProcfunRetryFlags procfun_remote_pool_get_retry_on (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_remote_pool_get_n_hosts (ProcfunRemotePool *self);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_remote_pool_get_n_slots (ProcfunRemotePool *self);

G_END_DECLS
