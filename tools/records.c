/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/records.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_BYTES 65536
#define STEP_WORDS 1000

struct _RecordReader
{
  int fd;
  char end;
  gboolean has_quotes;
  char **words; /* (nullable): in place of the descriptor */
  RecordReaderFuncs funcs;
  gpointer user_data;

  GString *text;    /* read, but not given as records */
  gsize n_searched; /* bytes of it that have no end of a record */
  gboolean in_quotes;
  guint64 number;
  guint source; /* 0: it is not read */
  gboolean has_ended;
  guint64 size; /* of a regular file; 0: it is none */
};

/* The end of the record; (nullable): it is not there yet */
static char *
find_end (RecordReader *self, char *at, char *end)
{
  if (!self->has_quotes)
    return memchr (at, self->end, (gsize)(end - at));
  for (; at < end; at++)
    if (*at == '"')
      self->in_quotes = !self->in_quotes;
    else if (*at == self->end && !self->in_quotes)
      return at;
  return NULL;
}

static void
give (RecordReader *self, const char *text, gsize size)
{
  self->funcs.on_record (text, size, ++self->number, self->user_data);
}

static void
give_records (RecordReader *self)
{
  char *at = self->text->str;
  char *end = at + self->text->len;
  char *record_end = find_end (self, at + self->n_searched, end);

  for (; record_end != NULL && !self->has_ended; record_end = find_end (self, at, end))
    {
      *record_end = '\0';
      give (self, at, (gsize)(record_end - at));
      at = record_end + 1;
    }
  g_string_erase (self->text, 0, at - self->text->str);
  self->n_searched = self->text->len;
}

/* Bytes before a read error are no record. */
static void
end (RecordReader *self, int errnum)
{
  if (self->has_ended)
    return;
  if (self->text->len > 0 && errnum == 0)
    give (self, self->text->str, self->text->len);
  self->has_ended = TRUE;
  self->funcs.on_block (self->user_data);
  self->funcs.on_end (errnum, self->user_data);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  RecordReader *self = user_data;
  gsize length = self->text->len;
  gssize n;
  int errnum;

  g_string_set_size (self->text, length + STEP_BYTES);
  n = read (fd, self->text->str + length, STEP_BYTES);
  errnum = n < 0 ? errno : 0;
  g_string_set_size (self->text, length + (gsize)MAX (n, 0));
  if (errnum == EINTR || errnum == EAGAIN)
    return G_SOURCE_CONTINUE;
  if (n <= 0)
    {
      self->source = 0;
      end (self, errnum);
      return G_SOURCE_REMOVE;
    }
  give_records (self);
  self->funcs.on_block (self->user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_turn (gpointer user_data)
{
  RecordReader *self = user_data;

  for (guint i = 0; i < STEP_WORDS && !self->has_ended && self->words[self->number] != NULL; i++)
    give (self, self->words[self->number], strlen (self->words[self->number]));
  if (self->has_ended || self->words[self->number] == NULL)
    {
      self->source = 0;
      end (self, 0);
      return G_SOURCE_REMOVE;
    }
  self->funcs.on_block (self->user_data);
  return G_SOURCE_CONTINUE;
}

RecordReader *
record_reader_new (int fd, char end, gboolean has_quotes, const RecordReaderFuncs *funcs,
                   gpointer user_data)
{
  RecordReader *self = g_new0 (RecordReader, 1);
  struct stat st;

  self->fd = fd;
  self->end = end;
  self->has_quotes = has_quotes;
  self->funcs = *funcs;
  self->user_data = user_data;
  self->text = g_string_new (NULL);
  if (fd >= 0 && fstat (fd, &st) == 0 && S_ISREG (st.st_mode))
    self->size = (guint64)st.st_size;
  record_reader_go_on (self);
  return self;
}

RecordReader *
record_reader_new_for_words (char **words, const RecordReaderFuncs *funcs, gpointer user_data)
{
  RecordReader *self = g_new0 (RecordReader, 1);

  self->words = words;
  self->funcs = *funcs;
  self->user_data = user_data;
  self->text = g_string_new (NULL);
  for (gsize i = 0; words[i] != NULL; i++)
    self->size += strlen (words[i]) + 1;
  record_reader_go_on (self);
  return self;
}

void
record_reader_free (RecordReader *self)
{
  record_reader_pause (self);
  g_string_free (self->text, TRUE);
  g_free (self);
}

void
record_reader_pause (RecordReader *self)
{
  if (self->source != 0)
    g_source_remove (self->source);
  self->source = 0;
}

void
record_reader_go_on (RecordReader *self)
{
  if (self->source != 0 || self->has_ended)
    return;
  self->source = self->words != NULL
                     ? g_idle_add (on_turn, self)
                     : g_unix_fd_add (self->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, self);
}

void
record_reader_stop (RecordReader *self)
{
  record_reader_pause (self);
  if (self->has_ended)
    return;
  self->has_ended = TRUE;
  self->funcs.on_end (0, self->user_data);
}

guint64
record_reader_get_size (RecordReader *self)
{
  return self->size;
}
