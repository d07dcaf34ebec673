/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/values/byte-buffer.h"
#include "procfun/values/serialised.h"
#include <procfun.h>

/* Where the results of a map go: a line each, which is JSON, or with @is_raw the result itself if
 * it is text. */
typedef struct _MapOutput MapOutput;

/* @end: the character after each result. Takes @fd. */
MapOutput *map_output_new (int fd, ProcfunSchema *result, gboolean is_raw, char end);
void map_output_free (MapOutput *self);

/* Results as they are to be printed. @results: an array of them. @tag: (nullable): text before each
 * result, and a tab. FALSE: this result cannot be written. */
void map_output_begin (MapOutput *self, GVariant *results);
gboolean map_output_next (MapOutput *self, const char *tag, Buffer *to, GError **error);

/* Text that was formatted before, or is to be. */
Buffer *map_output_get_buffer (MapOutput *self);

/* "!{"error": …}" in the place of a result; nothing where results are raw, as anything would be a
 * result. */
void map_output_fail (MapOutput *self, guint64 number, const char *tag, const char *message,
                      Buffer *to);

/* Both are 0, or why the output cannot be written. The first one writes only when there is much. */
int map_output_push (MapOutput *self);
int map_output_flush (MapOutput *self);
