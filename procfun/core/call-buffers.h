/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/call.h"
#include "procfun/procfun-type-info.h"
#include "procfun/values/parts.h"

G_BEGIN_DECLS

/* Buffers among the arguments of a call, which take over what the function has written. */

/* In bytes, of those among @args (nullable). The result has them once more, and its size is counted
 * without them. */
gsize call_buffers_get_size (ProcfunFunction *function, GVariant *args);
gsize call_get_buffers_size (ProcfunCall *self);

/* Keeps those among the C values of the arguments. */
void call_keep_buffers (ProcfunCall *self, const ProcfunMember *args, gsize n_args,
                        gconstpointer const *values);

/* Takes the contents of a buffer, which then come apart from the result; the process of the call
 * may still change them. FALSE: @part is something else, or nobody waits for it. */
gboolean call_keep_contents (ProcfunCall *self, const Part *part);
void call_drop_contents (ProcfunCall *self);

/* The result of a call, to which contents that came apart from it have been copied. (nullable):
 * there is no memory for them. */
GVariant *call_complete_result (ProcfunCall *self);

/* The same for @result (nullable), as the executor gave it, which it takes. */
GVariant *call_give_result (ProcfunCall *self, GVariant *result, GError **error);

/* Of a call that has succeeded. FALSE: some contents have another size than their buffer. */
gboolean call_check_buffers (ProcfunCall *self, GError **error);
void call_write_buffers (ProcfunCall *self);

G_END_DECLS
