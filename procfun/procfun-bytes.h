/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

PROCFUN_AVAILABLE_IN_0_1
GBytes *procfun_bytes_new (gsize size, gpointer *data);

G_END_DECLS
