/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <signal.h>

/* The kernel's view of threads. All of this may be called in a signal handler, and keeps errno. */

#define THREAD_NAME_SIZE 16 /* TASK_COMM_LEN in the kernel's linux/sched.h */

int thread_get_id (void);
void thread_get_name (char name[THREAD_NAME_SIZE]);

/* The threads of this process, the first one first; at most @max. Returns how many. */
gsize thread_list (int *ids, gsize max);

/* Number of threads of this process; 0: not known. */
guint thread_count (void);

/* The name of one that is not this one; empty: there is none. */
void thread_get_other_name (char name[THREAD_NAME_SIZE]);

/* Whether all threads of this process but this one sleep, as of now. */
gboolean thread_others_are_asleep (void);

/* Of this process. */
gboolean thread_signal (int id, int signum);

/* Sends this thread a signal as it came once before: from the same place, for the same reason. */
void thread_signal_again (int signum, const siginfo_t *info);

/* Waits until *@word is no longer @value, or for about @ms milliseconds. */
void thread_wait (int *word, int value, guint ms);
void thread_wake (int *word);
