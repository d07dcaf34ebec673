/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-sandbox.h"
#include <signal.h>

/* The seccomp filter of a sandbox, made by libseccomp. It is made where a call is made, once, and
 * installed where the function runs. */

/* Number in a filter that stands for that of the process which installs it. */
#define SYSCALL_FILTER_PID 0x5eccf1d0U

/* (transfer none) (nullable): the program of a level, as the kernel takes it, but for the number
 * above; NULL with %PROCFUN_ERROR_SANDBOX set. */
GBytes *syscall_filter_get (ProcfunSandbox level, GError **error);

/* Installs a program for the calling thread, which must have no_new_privs. FALSE: errno is set. */
gboolean syscall_filter_install (gconstpointer program, gsize size);

/* “openat”, or “1000” where it has no name. (transfer full) */
char *syscall_filter_name (int number);
