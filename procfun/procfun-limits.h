/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_LIMITS (procfun_limits_get_type ())

typedef struct _ProcfunLimits ProcfunLimits;

PROCFUN_AVAILABLE_IN_0_1
GType procfun_limits_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunLimits *procfun_limits_new (void);
PROCFUN_AVAILABLE_IN_0_1
ProcfunLimits *procfun_limits_new_from_string (const char *text, GError **error);
PROCFUN_AVAILABLE_IN_0_1
char *procfun_limits_to_string (const ProcfunLimits *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunLimits *procfun_limits_copy (const ProcfunLimits *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_limits_free (ProcfunLimits *self);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_limits_equal (const ProcfunLimits *self, const ProcfunLimits *other);
PROCFUN_AVAILABLE_IN_0_1
void procfun_limits_set_memory (ProcfunLimits *self, guint64 bytes);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_limits_get_memory (const ProcfunLimits *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_limits_set_cpu_time (ProcfunLimits *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_limits_get_cpu_time (const ProcfunLimits *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_limits_set_open_files (ProcfunLimits *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_limits_get_open_files (const ProcfunLimits *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_limits_set_file_size (ProcfunLimits *self, guint64 bytes);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_limits_get_file_size (const ProcfunLimits *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_limits_set_processes (ProcfunLimits *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_limits_get_processes (const ProcfunLimits *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_limits_set_result_size (ProcfunLimits *self, guint64 bytes);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_limits_get_result_size (const ProcfunLimits *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_limits_set_output_size (ProcfunLimits *self, guint64 bytes);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_limits_get_output_size (const ProcfunLimits *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunLimits, procfun_limits_free)

G_END_DECLS
