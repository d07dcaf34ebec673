/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-call.h"

G_BEGIN_DECLS

/* A call that can only fail, with @error (transfer full): its arguments could not be encoded. */
ProcfunCall *procfun_call_new_failed (ProcfunFunction *function, GError *error);

/* For executors. The process runs: keeps its number and emits #ProcfunCall::started in the calling
 * thread. */
void procfun_call_started (ProcfunCall *self, int pid);

/* Descriptors that came with the result. (nullable) (transfer full) */
void procfun_call_take_result_fd_list (ProcfunCall *self, GUnixFDList *fd_list);

G_END_DECLS
