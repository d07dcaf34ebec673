/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Set-up of a child before anything of the program runs. Plain system calls: in a static program
 * GLib is not ready yet. */

/* Whether the descriptors of a child are there and are such as its caller leaves. */
gboolean setup_has_descriptors (void);

/* Gives the process a session of its own, takes the caller's signals and, with @close, the caller's
 * descriptors away, and ends it when the caller's process ends. A zygote must end its children
 * first, and looks itself. */
void setup_process (gboolean close, gboolean is_zygote);

/* The same after a fork by @zygote: puts the descriptors that are given where they
 * belong. */
/* Work of a zygote before its first fork may never end: then it ends with the caller, as other
 * processes do. */
void setup_zygote_ends_at_once (gboolean at_once);

void setup_forked_process (pid_t zygote, int channel_fd, int report_fd, int stdout_fd,
                           int stderr_fd);

/* Ends a process that was started for a call and has lost its descriptors, with a message: main()
 * must not run. */
void setup_end_without_descriptors (void) G_GNUC_NORETURN;

/* The same for one that cannot find out what it was started for. */
void setup_end_without_command_line (void) G_GNUC_NORETURN;

/* Ends this process and its group if the parent that started it has ended; in a signal handler. */
void setup_check_parent (void);

/* Ends this process at once, and with it all that it started. */
void setup_end (void) G_GNUC_NORETURN;
