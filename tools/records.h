/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Gives the records of an input as they come, in the default main context: lines, what stands
 * between NULs, or rows of CSV, in which quotes can hold the ends of lines. */
typedef struct _RecordReader RecordReader;

typedef struct
{
  /* @text: without its end, and with a NUL after its @size bytes. @number: from 1. */
  void (*on_record) (const char *text, gsize size, guint64 number, gpointer user_data);
  /* After several of them, before it waits for more. */
  void (*on_block) (gpointer user_data);
  /* @errnum is 0 at the end of the file, or says why it cannot be read. */
  void (*on_end) (int errnum, gpointer user_data);
} RecordReaderFuncs;

/* @end: the character after each record */
RecordReader *record_reader_new (int fd, char end, gboolean has_quotes,
                                 const RecordReaderFuncs *funcs, gpointer user_data);

/* Of words that are there already; borrowed. */
RecordReader *record_reader_new_for_words (char **words, const RecordReaderFuncs *funcs,
                                           gpointer user_data);
void record_reader_free (RecordReader *self);

/* Nothing is read meanwhile; some more records may come of what was read. */
void record_reader_pause (RecordReader *self);
void record_reader_go_on (RecordReader *self);

/* No record comes any more, and the input has ended. */
void record_reader_stop (RecordReader *self);

/* Of a regular file or words, in bytes; 0: unknown. */
guint64 record_reader_get_size (RecordReader *self);
