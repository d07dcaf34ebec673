/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/crash.h"
#include <glib.h>

/* Writing records, in signal handlers: plain system calls, and memory that has always been there.
 */

/* From now on records go to @fd, from this process; not from forks of it. */
void crash_record_open (int fd);
gboolean crash_record_is_mine (void);

/* Fills in the head. Nothing is written when the function closed the pipe, even if the number is in
 * use again. */
void crash_record_write (CrashHead *record, CrashRecordType type, gsize size);

/* Begins to use the functions below, which are for one thread at a time. FALSE: another thread does
 * not end. */
gboolean crash_record_begin (void);
void crash_record_end (void);

/* Runs a function that may crash, and ends it where it does. */
typedef void (*CrashTryFunc) (gpointer user_data);
void crash_try (CrashTryFunc func, gpointer user_data);

/* For the handler of @signum, before all else: does not return if it was crash_try() that crashed.
 */
void crash_try_end (int signum);

/* Writes the stack of this thread, which @fault was found on, and the modules that it leads through
 * and that were not written before. */
void crash_record_stack (const Fault *fault, gpointer context);

/* All modules are to be written once more. */
void crash_record_forget_modules (void);
