/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Gives the lines of a descriptor as they come, in the default main context. */
typedef struct _LineReader LineReader;

/* @line: without its end, and with a NUL after its @size bytes. @number: from 1. */
typedef void (*LineReaderFunc) (const char *line, gsize size, guint64 number, gpointer user_data);

/* @on_end: @errnum is 0 at the end of the file, or says why it cannot be read. */
LineReader *line_reader_new (int fd, LineReaderFunc on_line,
                             void (*on_end) (int errnum, gpointer user_data), gpointer user_data);
void line_reader_free (LineReader *self);

/* Nothing is read meanwhile; some more lines may come of what was read. */
void line_reader_pause (LineReader *self);
void line_reader_go_on (LineReader *self);

/* Of a regular file, in bytes; 0: unknown. */
guint64 line_reader_get_size (LineReader *self);
