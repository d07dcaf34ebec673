/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/* Files of proc(5) about processes, read by system calls and on the stack alone: also from a signal
 * handler, and when memory has run out. */

/* More than any /proc/PID/stat has. */
#define PROC_STAT_SIZE 1024

/* Reads /proc/PID/stat into @text, of PROC_STAT_SIZE bytes, and ends it with NUL. */
gboolean proc_read_stat (const char *path, char *text);

/* A field of such a text by its number in proc(5), which counts from 1; from the 3rd on, as the 2nd
 * is a name that may hold anything. 0 when it is not there. */
guint64 proc_get_field (const char *text, guint number);

/* Reads the first number of each line "NAME: NUMBER …" of /proc/PID/status; 0 where there is no
 * such line. FALSE when nothing can be read. */
gboolean proc_read_status (const char *path, const char *const *names, guint64 *numbers, gsize n);

#define PROC_OWN_STATUS "/proc/self/status"
#define PROC_OWN_THREADS "/proc/self/task"
#define PROC_OWN_CLEAR_REFS "/proc/self/clear_refs"

/* Opens these, for a process that will be allowed to open no more. Functions of this file, and
 * proc_open(), then use them. */
void proc_keep_open (void);

/* As open(), from the beginning of the file. Closed by proc_close(). -1: errno is set. */
int proc_open (const char *path, int flags);
void proc_close (int fd);

/* As fstat(), where a sandbox refuses that. */
gboolean proc_look_at (int fd, struct stat *st);
