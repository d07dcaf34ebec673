/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/platform/usage-measure.h"
#include <glib.h>

/* The last words of a child, whose form is in wire/crash.h. Signals that have a handler already, as
 * those of sanitizers have, are left alone, and so are signals that the program sets itself later.
 * After the report the signal takes its course, with the registers and the origin that it had: core
 * dumps and wait status are the same as without a report. */

/* Makes this process report to @report_fd, a pipe that is close-on-exec, from now on. Called before
 * other threads start, because only threads that start later have stacks for their handlers. Called
 * once more after a fork, it makes the fork report to a pipe of its own. */
void crash_install (int report_fd);

/* Handles SIGSYS, whoever has handled it before: a sandbox needs it. */
void crash_take_refusals (void);

/* Moment from which the usage of a call counts. (nullable) (not copied) */
void crash_set_usage_mark (const UsageMark *mark);
