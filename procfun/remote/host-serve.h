/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-registry.h"

/* Makes this process a host: it takes calls from its caller through @in_fd and @out_fd, which it
 * takes, or through the engine that PROCFUN_HOST_ENGINE in the environment names by its URL, and
 * runs them on a pool of its own, until the caller goes. @path: (nullable): the library
 * whose functions it runs, instead of the program's. @registry: (nullable): functions besides
 * these, where it serves them. @slots: 0: as many as processors. */
void host_serve (int in_fd, int out_fd, const char *path, ProcfunRegistry *registry,
                 guint slots) G_GNUC_NORETURN;
