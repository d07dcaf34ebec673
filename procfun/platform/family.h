/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* The descendants of a process: its children, and theirs, as far as none is an orphan that another
 * one has adopted. */

/* (transfer full) (element-type pid_t) */
GArray *family_list (pid_t pid);

/* Sends SIGSTOP to its descendants. TRUE: it and they are stopped, as far as they may be signalled,
 * so that none starts another one. A fork that has begun is done before the stop. */
gboolean family_stop (pid_t pid);

/* Stops and kills its descendants. */
void family_kill (pid_t pid);
