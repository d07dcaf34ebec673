/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_USAGE (procfun_usage_get_type ())

typedef struct _ProcfunUsage ProcfunUsage;

PROCFUN_AVAILABLE_IN_0_1
GType procfun_usage_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunUsage *procfun_usage_copy (const ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_usage_free (ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_usage_get_wall_time (const ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_usage_get_user_time (const ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_usage_get_system_time (const ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_usage_get_peak_memory (const ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_usage_get_minor_faults (const ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_usage_get_major_faults (const ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_usage_get_voluntary_switches (const ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_usage_get_involuntary_switches (const ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_usage_get_bytes_in (const ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_usage_get_bytes_out (const ProcfunUsage *self);
PROCFUN_AVAILABLE_IN_0_1
char *procfun_usage_to_string (const ProcfunUsage *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunUsage, procfun_usage_free)

G_END_DECLS
