/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <signal.h>

/* System calls that a filter traps: most become an error, as of files that one may not open, so
 * that libraries which try go on without. The others are a crash, for the handler of which this is.
 */

/* From now on. */
void syscall_refusal_begin (void);

/* In a handler of SIGSYS. TRUE: the system call returns an error. */
gboolean syscall_refusal_handle (const siginfo_t *info, gpointer context);

/* Number of the last system call that became an error since the call began, or -1. */
int syscall_refusal_get_last (void);
void syscall_refusal_forget (void);

/* Whether the system call of the signal is one of this architecture, so that its number has a name.
 */
gboolean syscall_refusal_is_native (const siginfo_t *info);
