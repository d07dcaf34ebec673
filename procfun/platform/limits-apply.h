/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-limits.h"
#include <sys/types.h>

/* Limits that the kernel keeps, and CPU time that somebody has to look at. */

/* In the child, when all that the call is given has been read, and just before the function runs:
 * nothing of what this does can be undone. The sizes of result and output are not its business.
 * Fails with %PROCFUN_ERROR_SANDBOX, which names the limit, where the kernel would not keep it. */
gboolean limits_apply (const ProcfunLimits *limits, GError **error);

/* Gives back the memory and the descriptors that limits_apply() kept aside: what comes now reports
 * the end of the function. From a signal handler, too, and more than once. */
void limits_release_reserve (void);

typedef enum
{
  LIMITS_MEMORY_EXHAUSTED = 1 << 0,
  LIMITS_FILES_EXHAUSTED = 1 << 1
} LimitsExhausted;

/* What there is no more of in this process: to be asked from a crash handler, before the reserve is
 * released. */
LimitsExhausted limits_probe (void);

/* CPU time in µs that all threads of a process have used since it began, or -1 when there is no
 * such process. The number may be a stranger's once the process has been reaped: look at its pidfd
 * afterwards. */
gint64 limits_read_cpu_time (pid_t pid);

/* How long @left µs of CPU time must last at least: in µs, never less than is worth a look. */
gint64 limits_get_cpu_wait (gint64 left, guint n_cpus);

/* On how many CPUs a process can run at the same time, as of now: it may ask for others. */
guint limits_count_cpus (pid_t pid);
