/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-limits.h"
#include <sys/types.h>

/* Limits that the kernel keeps, and CPU time that somebody has to look at. */

/* In the child, after the arguments of the call were read and just before the function runs: this
 * cannot be undone. Sizes of result and output are kept elsewhere. Fails with
 * %PROCFUN_ERROR_SANDBOX, which names the limit, where the kernel would not keep it. */
gboolean limits_apply (const ProcfunLimits *limits, GError **error);

/* The same for a process that is kept: between two calls, before the first one. Only soft limits
 * are set, so that each call can have as much as the one before it. CPU time is not the process's
 * to limit. */
gboolean limits_apply_to_worker (const ProcfunLimits *limits, GError **error);

/* Makes the limits count from what the process has now, without what earlier calls have left in it.
 * The second form is for limits that are counted anew before each call. */
void limits_count_anew (const ProcfunLimits *limits);
void limits_count_for_call (const ProcfunLimits *limits);

/* Gives back the memory and the descriptors that limits_apply() kept aside, for the report of the
 * end of the function. From a signal handler, too, and more than once. */
void limits_release_reserve (void);

typedef enum
{
  LIMITS_MEMORY_EXHAUSTED = 1 << 0,
  LIMITS_FILES_EXHAUSTED = 1 << 1
} LimitsExhausted;

/* Resources that are used up in this process. For a crash handler, before the reserve is released.
 */
LimitsExhausted limits_probe (void);

/* CPU time in µs that all threads of a process have used since it began, or -1 when there is no
 * such process. The number may be a stranger's once the process has been reaped: look at its pidfd
 * afterwards. */
gint64 limits_read_cpu_time (pid_t pid);

/* Least time in µs that @left µs of CPU time last, but never less than is worth a look. */
gint64 limits_get_cpu_wait (gint64 left, guint n_cpus);

/* Number of CPUs on which a process can run at the same time now; it may ask for others later. */
guint limits_count_cpus (pid_t pid);
