/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/worker.h"
#include "procfun/procfun-function.h"

/* The payloads of what a process answers. */

/* Splits the usage off the beginning. *@usage: (nullable) bytes of a ProcfunUsage, which need not
 * be aligned; they live as long as @payload. (transfer full): the rest. */
GBytes *reply_split_usage (GBytes *payload, gconstpointer *usage);

/* A result, or an item of a generator, not floating. */
GVariant *reply_read_value (const Worker *worker, ProcfunFunction *function, GBytes *payload,
                            GError **error);
