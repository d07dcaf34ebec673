/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/line-reader.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_BYTES 65536

struct _LineReader
{
  int fd;
  LineReaderFunc on_line;
  void (*on_end) (int errnum, gpointer user_data);
  gpointer user_data;

  GString *text;    /* read, but not given as lines */
  gsize n_searched; /* bytes of it that have no end of a line */
  guint64 number;
  guint source; /* 0: it is not read */
  gboolean has_ended;
  guint64 size; /* of a regular file; 0: it is none */
};

static void
give_lines (LineReader *self)
{
  char *at = self->text->str;
  char *end = at + self->text->len;
  char *newline = memchr (at + self->n_searched, '\n', (gsize)(end - at) - self->n_searched);

  for (; newline != NULL; newline = memchr (at, '\n', (gsize)(end - at)))
    {
      *newline = '\0';
      self->on_line (at, (gsize)(newline - at), ++self->number, self->user_data);
      at = newline + 1;
    }
  g_string_erase (self->text, 0, at - self->text->str);
  self->n_searched = self->text->len;
}

/* Bytes before a read error are no line. */
static void
end (LineReader *self, int errnum)
{
  if (self->text->len > 0 && errnum == 0)
    self->on_line (self->text->str, self->text->len, ++self->number, self->user_data);
  self->has_ended = TRUE;
  self->on_end (errnum, self->user_data);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  LineReader *self = user_data;
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
  give_lines (self);
  return G_SOURCE_CONTINUE;
}

LineReader *
line_reader_new (int fd, LineReaderFunc on_line, void (*on_end) (int errnum, gpointer user_data),
                 gpointer user_data)
{
  LineReader *self = g_new0 (LineReader, 1);
  struct stat st;

  self->fd = fd;
  self->on_line = on_line;
  self->on_end = on_end;
  self->user_data = user_data;
  self->text = g_string_new (NULL);
  if (fstat (fd, &st) == 0 && S_ISREG (st.st_mode))
    self->size = (guint64)st.st_size;
  line_reader_go_on (self);
  return self;
}

void
line_reader_free (LineReader *self)
{
  line_reader_pause (self);
  g_string_free (self->text, TRUE);
  g_free (self);
}

void
line_reader_pause (LineReader *self)
{
  if (self->source != 0)
    g_source_remove (self->source);
  self->source = 0;
}

void
line_reader_go_on (LineReader *self)
{
  if (self->source == 0 && !self->has_ended)
    self->source = g_unix_fd_add (self->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, self);
}

guint64
line_reader_get_size (LineReader *self)
{
  return self->size;
}
