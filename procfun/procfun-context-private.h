/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-context.h"

G_BEGIN_DECLS

/* How deep calls are nested around this process: 0 in a program that nobody called. */
void procfun_context_set_depth (guint depth);
guint procfun_context_get_depth (void);

/* This process was started for a call. */
void procfun_context_set_child (void);

/* main() comes by procfun_registry_serve(), so that a child finds what is registered at run time.
 */
void procfun_context_set_serves (void);
gboolean procfun_context_serves (void);

G_END_DECLS
