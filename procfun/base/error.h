/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-error.h"

G_BEGIN_DECLS

/* An error of %PROCFUN_ERROR carries a boxed value; this room does not know its type. */

/* Copies @boxed, and replaces an earlier one. */
void error_set_boxed (GError *error, GType type, gconstpointer boxed);

/* (transfer none) (nullable): NULL for other domains, and without a boxed value. */
gpointer error_get_boxed (const GError *error, GType type);

G_END_DECLS
