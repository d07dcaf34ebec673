/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_LAUNCH_CONTEXT (procfun_launch_context_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunLaunchContext, procfun_launch_context, PROCFUN, LAUNCH_CONTEXT,
                      GObject)

PROCFUN_AVAILABLE_IN_0_1
ProcfunLaunchContext *procfun_launch_context_new (void);
PROCFUN_AVAILABLE_IN_0_1
void procfun_launch_context_set_working_directory (ProcfunLaunchContext *self, const char *path);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_launch_context_get_working_directory (ProcfunLaunchContext *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_launch_context_clear_environment (ProcfunLaunchContext *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_launch_context_set_variable (ProcfunLaunchContext *self, const char *name,
                                          const char *value);
PROCFUN_AVAILABLE_IN_0_1
void procfun_launch_context_unset_variable (ProcfunLaunchContext *self, const char *name);
PROCFUN_AVAILABLE_IN_0_1
void procfun_launch_context_pass_variable (ProcfunLaunchContext *self, const char *name);
PROCFUN_AVAILABLE_IN_0_1
void procfun_launch_context_set_nice (ProcfunLaunchContext *self, int nice);
PROCFUN_AVAILABLE_IN_0_1
int procfun_launch_context_get_nice (ProcfunLaunchContext *self);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_launch_context_set_affinity (ProcfunLaunchContext *self, const char *cpus,
                                              GError **error);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_launch_context_add_fd (ProcfunLaunchContext *self, int fd, int target,
                                        GError **error);

G_END_DECLS
