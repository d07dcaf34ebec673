/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_BUFFER (procfun_buffer_get_type ())

typedef struct _ProcfunBuffer ProcfunBuffer;

PROCFUN_AVAILABLE_IN_0_1
GType procfun_buffer_get_type (void) G_GNUC_CONST;

PROCFUN_AVAILABLE_IN_0_1
ProcfunBuffer *procfun_buffer_new (gsize size, gpointer *data);
PROCFUN_AVAILABLE_IN_0_1
ProcfunBuffer *procfun_buffer_new_from_bytes (GBytes *bytes);
PROCFUN_AVAILABLE_IN_0_1
ProcfunBuffer *procfun_buffer_ref (ProcfunBuffer *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_buffer_unref (ProcfunBuffer *self);
PROCFUN_AVAILABLE_IN_0_1
gpointer procfun_buffer_get_data (ProcfunBuffer *self, gsize *size);
PROCFUN_AVAILABLE_IN_0_1
GBytes *procfun_buffer_copy_bytes (ProcfunBuffer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunBuffer, procfun_buffer_unref)

G_END_DECLS
