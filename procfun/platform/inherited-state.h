/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Inherited state: all that a process started now would have from this one. Things kept from one
 * call to the next are good only as long as the state is the same. */

/* Number of the state of the calling thread: equal numbers, equal states. Forks, user and group
 * numbers, the working directory with its mount, and the root are looked at each time;
 * supplementary groups, capabilities, no_new_privs, the seccomp mode and namespaces when the last
 * look is longer ago than a millisecond. @now: monotonic time in µs. Takes four system calls. One
 * that has no capabilities, and so cannot change its numbers, its root or mounts, has only the
 * working directory looked at each time, and takes one. */
guint inherited_state_get (gint64 now);

/* The calling thread has waited for a call between these two times. That does not count as part of
 * the millisecond, up to a tenth of a second. */
void inherited_state_note_wait (gint64 began_at, gint64 ended_at);

/* The same with a look at the whole state, which takes a dozen system calls. */
guint inherited_state_look (gint64 now);

/* From now on nothing changes the state of this process, which is a host and runs nothing but this
 * library: it is not looked at any more, but for forks. */
void inherited_state_settle (void);

/* Number of this process among all that fork() has made of one program: things with another number
 * belong to the parent. No system call. */
guint inherited_state_get_process (void);
