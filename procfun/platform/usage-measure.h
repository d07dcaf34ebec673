/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/base/usage.h"
#include <sys/resource.h>
#include <sys/types.h>

/* Usage at the beginning of a call. */
typedef struct
{
  gint64 wall_time; /* monotonic, in µs */
  struct rusage rusage;
} UsageMark;

/* In the child: the usage of a call is the difference. The bytes in and out are not touched.
 * usage_end() may be called from a signal handler. */
void usage_begin (UsageMark *mark);
void usage_end (const UsageMark *mark, ProcfunUsage *usage);

/* For a call that begins at once after the last one: values read then need not be read again. All
 * that the process does between the two counts as usage of this call, and so do calls that were
 * skipped, unless it @is_exact. */
void usage_begin_next (UsageMark *mark, gboolean is_exact);

/* In place of usage_end(), for a call of which nobody asks it, if another one follows. FALSE: a
 * millisecond has gone by since the usage was last read, and after a crash it would be too much. */
gboolean usage_skip (void);

/* In a process that was forked and has not run anything yet. */
void usage_begin_process (void);

/* From outside, the whole usage of a process since it was started, as far as the kernel tells: the
 * peak of memory of a zombie is not known. FALSE when there is no such process. The number may be
 * that of another process once this one has been reaped: look at its pidfd afterwards. */
gboolean usage_of_process (pid_t pid, ProcfunUsage *usage);
