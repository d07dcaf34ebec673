/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-call.h"

G_BEGIN_DECLS

/* The call has ended: wakes the threads that wait in procfun_call_wait(). */
void call_join_wake (ProcfunCall *call);

/* The main context that brings the call to an end, from now on. @context: (nullable): none; when
 * this returns, nobody uses the one before. */
void call_join_set_context (ProcfunCall *call, GMainContext *context);

G_END_DECLS
