/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-error.h"

G_BEGIN_DECLS

/* An error of %PROCFUN_ERROR carries a boxed value along, whose type this layer does not know. */

/* Copies @boxed, in place of what was there. */
void error_set_boxed (GError *error, GType type, gconstpointer boxed);

/* (transfer none) (nullable): NULL for errors of other domains, and where there is none. */
gpointer error_get_boxed (const GError *error, GType type);

G_END_DECLS
