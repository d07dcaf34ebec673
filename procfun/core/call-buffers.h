/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/call.h"
#include "procfun/procfun-type-info.h"

G_BEGIN_DECLS

/* Buffers among the arguments of a call, which take over what the function has written. */

/* In bytes, of those among @args (nullable). The result has them once more, and its size is counted
 * without them. */
gsize call_buffers_get_size (ProcfunFunction *function, GVariant *args);
gsize call_get_buffers_size (ProcfunCall *self);

/* Keeps those among the C values of the arguments. */
void call_keep_buffers (ProcfunCall *self, const ProcfunMember *args, gsize n_args,
                        gconstpointer const *values);

/* @result: of the call, with the contents of all buffers at its end. FALSE: they have other sizes.
 */
gboolean call_check_buffers (ProcfunCall *self, GVariant *result, GError **error);
void call_write_buffers (ProcfunCall *self, GVariant *result);

G_END_DECLS
