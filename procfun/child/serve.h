/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/child/command.h"
#include "procfun/procfun-function.h"

/* Serves calls of one function over the channel that the caller left, and ends this process when
 * the caller has no more. @function is NULL when it was not found; @why then says so and is taken.
 * @arguments: as JSON, from the command line, (nullable). */
void serve (const Command *command, ProcfunFunction *function, GError *why,
            const char *arguments) G_GNUC_NORETURN;
