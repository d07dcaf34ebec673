/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* Hosts that this machine plays. */
ProcfunRemotePool *remotes_new (const char *list);

/* Closes it, and drops the reference. */
void remotes_close (ProcfunRemotePool *hosts);

/* The children of this process, as hosts of “local” are. (element-type pid_t) */
GArray *remotes_find_children (void);

/* In a function that a host runs: the process of the host, the parent of the zygote. */
int remotes_get_host_process (void);
