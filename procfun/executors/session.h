/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-pool.h"
#include "procfun/procfun-session.h"
#include "procfun/schedule/worker-slot.h"

G_BEGIN_DECLS

/* (nullable): a session that holds @slot, which else is discarded. Fails with
 * %PROCFUN_ERROR_CLOSED, for a call of @function. */
ProcfunSession *session_new_for_slot (ProcfunPool *pool, WorkerSlot *slot,
                                      ProcfunFunction *function, GError **error);

G_END_DECLS
