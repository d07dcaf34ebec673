/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Ends the process as _exit() does. One that was built with --enable-coverage writes its counts
 * before. */
void leave_process (int status) G_GNUC_NORETURN;

/* For a process that may be killed from now on. Without --enable-coverage it does nothing. */
void leave_write_counts (void);

/* The same for a process that may not be able to open files from now on: later counts are lost,
 * and it does not try. */
void leave_write_last_counts (void);
