/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/platform/usage-measure.h"
#include <glib.h>

/* The last words of a child: see wire/crash.h for what they are.
 *
 * Signals that have a handler already, as those of sanitizers have, are left alone, and so are
 * those that the program sets itself later. After the report the signal takes its course, with the
 * registers and the origin that it had: core dumps and wait status are what they would be without
 * all this. */

/* Makes this process report to @report_fd, a pipe that is close-on-exec, from now on. Before other
 * threads start, because those have stacks for their handlers only when they are started
 * afterwards. Once more, after a fork, makes the fork report, to its own pipe. */
void crash_install (int report_fd);

/* From when on to count what a call used. (nullable) (not copied) */
void crash_set_usage_mark (const UsageMark *mark);
