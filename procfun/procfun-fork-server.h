/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-process-executor.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_FORK_SERVER (procfun_fork_server_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunForkServer, procfun_fork_server, PROCFUN, FORK_SERVER,
                      ProcfunProcessExecutor)

PROCFUN_AVAILABLE_IN_0_1
ProcfunForkServer *procfun_fork_server_new (void);
PROCFUN_AVAILABLE_IN_0_1
void procfun_fork_server_set_spares (ProcfunForkServer *self, guint spares);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_fork_server_get_spares (ProcfunForkServer *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_fork_server_set_idle_timeout (ProcfunForkServer *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_fork_server_get_idle_timeout (ProcfunForkServer *self);

PROCFUN_AVAILABLE_IN_0_1
void procfun_fork_server_add_preload (ProcfunForkServer *self, ProcfunFunction *function,
                                      GVariant *args);

G_END_DECLS
