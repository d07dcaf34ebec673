/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-call.h"

G_BEGIN_DECLS

/* As procfun_call_run() and procfun_call_run_finish(), for those who write buffers: their contents
 * may be apart from the result, see core/call-buffers.h. */
GVariant *call_run (ProcfunCall *self, GCancellable *cancellable, GError **error);
GVariant *call_run_finish (ProcfunCall *self, GAsyncResult *result, GError **error);

G_END_DECLS
