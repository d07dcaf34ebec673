/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/base/debug.h"
#include "procfun/procfun-call.h"

G_BEGIN_DECLS

/* Log of a call for PROCFUN_DEBUG. Call debug_has() first where it may not be set. */

/* Logs the command line that repeats the call. */
void call_debug_begin (ProcfunCall *self);

/* @error: (nullable): there is a result */
void call_debug_end (ProcfunCall *self, const GError *error);

/* Logs anything else about the call. @pid: 0 when the call knows it. */
void call_debug_log (ProcfunCall *self, int pid, const char *format, ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS
