/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tools/commands.h"
#include <procfun.h>

/* How a call went, for people on stderr and for programs on stdout. */

/* One line; with @in_full all that is known about the failure. @failure: (nullable): there was no
 * call. Returns @status. */
Status report_to_people (const GError *error, ProcfunFailure *failure, gboolean in_full,
                         Status status);

/* A line of JSON: what procfun_failure_to_variant() says, with "message", "domain" and "code" of
 * the error, and "status", which is what the tool exits with. Returns @status. */
Status report_to_programs (const GError *error, ProcfunFailure *failure, Status status);

/* Exit status of the tool when a call has failed. */
Status report_get_status (const GError *error, ProcfunFailure *failure);

/* Says in front of an error which function it is of. Errors of the call do so themselves. */
void report_explain (GError **error, ProcfunFailure *failure);

/* (nullable): nothing is known. */
void report_usage (ProcfunUsage *usage);
