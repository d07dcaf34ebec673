/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-buffer.h"

G_BEGIN_DECLS

/* A copy in memory of this process alone. (nullable): there is no memory for it. */
ProcfunBuffer *buffer_new_private (gconstpointer data, gsize size);

/* (transfer full): the memory itself, which may change. */
GBytes *buffer_share_bytes (ProcfunBuffer *self);

/* Takes over what a function has written, which has the same size. */
void buffer_write (ProcfunBuffer *self, gconstpointer data);

gsize buffer_get_size (const ProcfunBuffer *self);

G_END_DECLS
