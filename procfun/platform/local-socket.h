/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Sockets by which processes of a user reach each other, in a folder that nobody else can enter:
 * "procfun" in the user's runtime directory. Descriptors returned are -1 with an error set. */

/* A program with more rights than its user has none. */
int local_folder_open (gboolean make, GError **error);

/* Does not block its user, and can be reached by its owner alone. Takes the place of a socket that
 * nobody listens at any more. */
int local_socket_listen (int folder, const char *name, GError **error);

/* Blocks its user, but for no more than five seconds at a time. */
int local_socket_connect (int folder, const char *name, GError **error);

/* Whether the other end is a process of this user, or of root, who may do anything anyway. */
gboolean local_socket_is_of_user (int fd);
