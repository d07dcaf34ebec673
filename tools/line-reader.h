/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* LineReader of a descriptor, as they come, in the default main context. */
typedef struct _LineReader LineReader;

/* @line: without its end, and followed by a NUL that is not of @size. @number: from 1. */
typedef void (*LineReaderFunc) (const char *line, gsize size, guint64 number, gpointer user_data);

LineReader *line_reader_new (int fd, LineReaderFunc on_line, void (*on_end) (gpointer user_data),
                             gpointer user_data);
void line_reader_free (LineReader *self);

/* Nothing is read meanwhile; some more lines may come of what was read. */
void line_reader_pause (LineReader *self);
void line_reader_go_on (LineReader *self);

/* How much of a regular file was read; -1: it is none. */
double line_reader_get_fraction (LineReader *self);
