/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/base/usage.h"
#include <sys/resource.h>
#include <sys/types.h>

/* What was used when a call began. */
typedef struct
{
  gint64 wall_time; /* monotonic, in µs */
  struct rusage rusage;
} UsageMark;

/* In the child: what lies between is the call's. The bytes in and out are not touched. usage_end()
 * may be called from a signal handler. */
void usage_begin (UsageMark *mark);
void usage_end (const UsageMark *mark, ProcfunUsage *usage);

/* For a call that begins at once when the last one has ended: what was read then, need not be read
 * again. What the process does between the two is this call's. */
void usage_begin_next (UsageMark *mark);

/* In a process that was forked and has not run anything yet. */
void usage_begin_process (void);

/* From outside, all that a process has used since it was started, as far as the kernel tells: of a
 * zombie no longer the peak of its memory. FALSE when there is no such process. The number may be a
 * stranger's once the process has been reaped: look at its pidfd afterwards. */
gboolean usage_of_process (pid_t pid, ProcfunUsage *usage);
