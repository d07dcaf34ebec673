/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Descendants of a child. Plain system calls. */

/* From now on orphans among its descendants become its children. */
void descendants_adopt (void);

/* From now on this process is sent @signum when the thread of @parent ends that forked it. FALSE:
 * it has ended. */
gboolean descendants_end_with (pid_t parent, int signum);

gboolean descendants_exist (void);

/* Kills all of them. */
void descendants_kill (void);

/* Kills all but the children whose numbers are in @spared (element-type gint) and their
 * descendants. */
void descendants_kill_others (GHashTable *spared);
