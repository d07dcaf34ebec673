/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-executor.h"

/* `run_plain` of ProcfunForkServer: see core/plain-call.h. */
guint procfun_fork_server_run_plain (ProcfunExecutor *executor, gpointer plain_call);
