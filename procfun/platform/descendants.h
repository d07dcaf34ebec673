/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* For a child: what it starts. Plain system calls. */

/* From now on orphans among its descendants become its children. */
void descendants_adopt (void);

/* Kills all of them. */
void descendants_kill (void);

/* Only the children, and not those whose numbers are in @spared (element-type gint). */
void descendants_kill_others (GHashTable *spared);
