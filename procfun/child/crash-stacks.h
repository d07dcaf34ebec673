/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From now on the process writes the stacks of all its threads when it receives
 * CRASH_STACKS_SIGNAL from another process. System calls may be interrupted by that. */
void crash_stacks_install (void);
