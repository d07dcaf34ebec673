/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_LAUNCHER (procfun_launcher_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunLauncher, procfun_launcher, PROCFUN, LAUNCHER, GObject)

PROCFUN_AVAILABLE_IN_0_1
ProcfunLauncher *procfun_launcher_new (const char *name, const char *const *command);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_launcher_get_name (ProcfunLauncher *self);
PROCFUN_AVAILABLE_IN_0_1
const char *const *procfun_launcher_get_command (ProcfunLauncher *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_launcher_set_quote (ProcfunLauncher *self, gboolean quote);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_launcher_get_quote (ProcfunLauncher *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_launcher_set_slots (ProcfunLauncher *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_launcher_get_slots (ProcfunLauncher *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_launcher_set_program (ProcfunLauncher *self, const char *path);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_launcher_get_program (ProcfunLauncher *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_launcher_set_upload (ProcfunLauncher *self, gboolean upload);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_launcher_get_upload (ProcfunLauncher *self);

G_END_DECLS
