/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <signal.h>

/* Gives this thread, and all threads started from now on, a stack for signal handlers, so that a
 * thread that has used up its own stack leaves a report, too. Keeps signals that mean a fault from
 * being blocked, since the kernel would then end the process without a report. */
void crash_threads_install (void);

/* Whether the function at @start is the one that threads begin with here. */
gboolean crash_threads_is_boundary (gconstpointer start);

/* pthread_sigmask() as it was before. */
void crash_threads_mask (int how, const sigset_t *set);
