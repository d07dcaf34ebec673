/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Knowledge and means of a process that forks and does not execute. */

/* A fork takes one thread along, and leaves the locks of all others locked for ever. FALSE: this
 * process has more than one thread. */
gboolean forks_are_safe (GError **error);

/* The same after a function that may have had threads, which are given a moment to end. */
gboolean forks_become_safe (GError **error);

/* A fork shares eventfds and their like with this process: a wake-up of its own main loop would
 * wake that of this process. FALSE: there is one. @own: that does not count, or -1 */
gboolean forks_check_descriptors (int own, GError **error);

/* FALSE: there are none, as under valgrind. */
gboolean forks_check_pidfd (GError **error);

/* Readable when a child has died, as long as that is watched, which blocks the signal. */
gboolean forks_open_death_fd (int *fd, GError **error);
void forks_watch_deaths (gboolean watch);
void forks_clear_death_fd (int fd);

/* pidfd of the process that made the pair to which @socket_fd belongs; -1: not known. */
int forks_open_peer (int socket_fd);

/* -1: errno says why not. */
int forks_open_pidfd (pid_t pid);
