/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_monitor_open (GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_monitor_close (void);

G_END_DECLS
