/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <gio/gio.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_is_child (void);
PROCFUN_AVAILABLE_IN_0_1
GCancellable *procfun_get_cancellable (void);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_get_deadline (void);
PROCFUN_AVAILABLE_IN_0_1
void procfun_report_progress (double fraction, const char *message);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_yield_item (GVariant *item);

G_END_DECLS
