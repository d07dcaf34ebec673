/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* @which: see setitimer(2) */
gboolean timers_is_set (int which);

/* The number that the next POSIX timer of this process has; -1: not known. */
int timers_find_next (void);

/* Deletes the timers from @next on, and sets it to the number of the next one. FALSE: there may be
 * more of them. */
gboolean timers_delete_since (int *next);
