/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <unistd.h>

/* File descriptors. Those opened here are close-on-exec, do not block their reader, and are none of
 * 0 to 2, so that they work in programs that closed their standard streams, too. */

static inline void
fd_clear (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

/* Owns a descriptor until the end of the block; g_steal_fd() takes it out. */
#define auto_fd __attribute__ ((cleanup (fd_clear)))

/* A low number would become somebody's standard stream. FALSE: errno says why not. */
gboolean fds_move_up (int *fd);

/* To a number from @first on, where there is one; else it stays. */
void fds_move_far_up (int *fd, int first);

/* To a number above @last. */
gboolean fds_move_above (int *fd, int last, GError **error);

gboolean fds_open_socketpair (int fds[2], GError **error);
gboolean fds_open_pipe (int fds[2], GError **error);

/* A file that has no name, to be written and read: where temporary files are, or else in memory.
 * -1: there is none to have. */
int fds_open_nameless (GError **error);

/* Whether it belongs to an event loop: an eventfd, inotify and their like, and no file. */
gboolean fds_is_for_events (int fd);

/* Whether a socket's two sides can still read and write. */
gboolean fds_is_connected (int fd);

/* As g_poll(). Where the kernel has no means to wait, each descriptor counts as ready, after a
 * pause: its reader finds out. */
int fds_poll (GPollFD *fds, guint n, int ms);

/* In a child: closes all from @first on, and opens /dev/null for those of 0 to 2 that are not open.
 */
void fds_close_from (int first);
void fds_fill_standard (void);
