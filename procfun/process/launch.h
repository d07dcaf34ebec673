/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/process/worker.h"
#include "procfun/procfun-function.h"

/* (nullable): where a script is started again, if the program was elsewhere then; the process goes
 * to where the program is now after that */
const char *launch_get_start_folder (ProcfunFunction *function);

/* Starts the process that can run @function, which has been checked: the program itself,
 * procfun-worker, or the script. @prefix: (nullable) a command that executes what follows it.
 * @arguments: (nullable) as JSON, for the command line. Fails with %PROCFUN_ERROR_SPAWN or
 * %PROCFUN_ERROR_LIMIT. */
gboolean launch (Worker *worker, ProcfunFunction *function, const char *const *prefix,
                 const char *arguments, GError **error);

/* The same for a process that forks others, which can run all functions of the module of @function.
 */
gboolean launch_zygote (Worker *worker, ProcfunFunction *function, GError **error);

/* Makes a control group for a process that has not begun with a call, where @limits need one and
 * one can be made. @limits: (nullable). Fails with %PROCFUN_ERROR_SANDBOX. */
gboolean launch_confine (Worker *worker, const ProcfunLimits *limits, GError **error);
