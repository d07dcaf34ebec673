/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <signal.h>

/* Gives this thread, and those that are started from now on, a stack for signal handlers, so that
 * also one that has used up its own leaves a report; and keeps signals that mean a fault from being
 * blocked, for then the kernel ends the process without one. */
void crash_threads_install (void);

/* Whether the function at @start is what a thread begins with here. */
gboolean crash_threads_is_boundary (gconstpointer start);

/* pthread_sigmask() as it was before. */
void crash_threads_mask (int how, const sigset_t *set);
