/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/upload.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BANNER_MAX ((gsize)64 * 1024)
#define LINE_STEP 1024

/* For one turn, so that others have theirs. */
#define PIECE ((gsize)64 * 1024)
#define PIECES 4

struct _Upload
{
  int fd;
  const UploadFile *file;
  UploadFunc func;
  gpointer user_data;
  GSource *source;
  gpointer tag;
  GString *banner;
  gsize line_start; /* of the line that comes, in the banner */
  goffset n_sent;
  gboolean is_asked; /* for the file */
  guint8 *piece;
};

typedef struct
{
  GSource base;
  Upload *upload;
} UploadSource;

static void
end (Upload *self, GError *error)
{
  g_autoptr (GError) owned = error;

  g_source_destroy (self->source);
  self->func (owned, self->user_data);
}

static void
end_early (Upload *self)
{
  end (self, g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_ENGINE,
                                  _ ("the host ended before it had the program")));
}

/* Words of the shell */

/* Reads to the end of a line, and no further: messages follow. FALSE: there is nothing now. */
static gboolean
read_line_part (Upload *self, gboolean *has_ended)
{
  char text[LINE_STEP];
  gssize n = recv (self->fd, text, sizeof text, MSG_PEEK | MSG_DONTWAIT);
  const char *newline = n > 0 ? memchr (text, '\n', (gsize)n) : NULL;

  *has_ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
  if (n <= 0)
    return FALSE;
  n = recv (self->fd, text, newline != NULL ? (gsize)(newline - text) + 1 : (gsize)n, MSG_DONTWAIT);
  if (n > 0)
    g_string_append_len (self->banner, text, n);
  return n > 0;
}

typedef enum
{
  WORD_NONE,
  WORD_ABSENT,
  WORD_GO_ON
} Word;

/* The line that is whole now, taken out of the banner if it is a word. */
static Word
take_word (Upload *self)
{
  const gsize start = self->line_start;
  const char *line = self->banner->str + start;
  Word word = WORD_NONE;

  if (!g_str_has_suffix (line, "\n"))
    return WORD_NONE;
  if (strcmp (line, UPLOAD_ABSENT "\n") == 0 && !self->is_asked)
    word = WORD_ABSENT;
  else if (strcmp (line, self->is_asked ? UPLOAD_STORED "\n" : UPLOAD_PRESENT "\n") == 0)
    word = WORD_GO_ON;
  if (word != WORD_NONE)
    g_string_truncate (self->banner, start);
  self->line_start = self->banner->len;
  return word;
}

static void
ask_for (Upload *self, GIOCondition condition)
{
  g_source_modify_unix_fd (self->source, self->tag, condition);
}

/* FALSE: it has ended. */
static gboolean
hear (Upload *self)
{
  gboolean has_ended = FALSE;

  while (self->banner->len <= BANNER_MAX && read_line_part (self, &has_ended))
    {
      Word word = take_word (self);

      if (word == WORD_GO_ON)
        {
          end (self, NULL);
          return FALSE;
        }
      if (word == WORD_ABSENT)
        {
          self->is_asked = TRUE;
          ask_for (self, G_IO_IN | G_IO_OUT);
        }
    }
  if (self->banner->len > BANNER_MAX)
    end (self, g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                                    _ ("the other side sent what is no message")));
  else if (has_ended)
    end_early (self);
  else
    return TRUE;
  return FALSE;
}

/* The file */

/* FALSE: nothing can be written now, or anything any more. */
static gboolean
send_piece (Upload *self, gboolean *has_failed)
{
  gssize n = pread (self->file->fd, self->piece, PIECE, self->n_sent);

  if (n > 0)
    n = send (self->fd, self->piece, MIN ((gsize)n, (gsize)(self->file->size - self->n_sent)),
              MSG_NOSIGNAL | MSG_DONTWAIT);
  else
    {
      errno = n == 0 ? EIO : errno; /* it has become shorter */
      n = -1;
    }
  *has_failed = n < 0 && errno != EAGAIN && errno != EINTR;
  if (n > 0)
    self->n_sent += n;
  return n > 0;
}

static void
say (Upload *self)
{
  gboolean has_failed = FALSE;

  for (guint i = 0; i < PIECES && self->n_sent < self->file->size; i++)
    if (!send_piece (self, &has_failed))
      break;
  if (has_failed)
    end_early (self);
  else if (self->n_sent == self->file->size)
    ask_for (self, G_IO_IN);
}

static gboolean
on_ready (GSource *source, GSourceFunc func, gpointer user_data)
{
  Upload *self = ((UploadSource *)source)->upload;
  GIOCondition condition = g_source_query_unix_fd (source, self->tag);

  if ((condition & ~G_IO_OUT) != 0 && !hear (self))
    return G_SOURCE_REMOVE;
  if ((condition & G_IO_OUT) != 0 && self->is_asked)
    say (self);
  return G_SOURCE_CONTINUE;
}

/* The whole of it */

Upload *
upload_new (int fd, const UploadFile *file, GMainContext *context, UploadFunc func,
            gpointer user_data)
{
  static GSourceFuncs funcs = { .dispatch = on_ready };
  Upload *self = g_new0 (Upload, 1);

  self->fd = fd;
  self->file = file;
  self->func = func;
  self->user_data = user_data;
  self->banner = g_string_new (NULL);
  self->piece = g_malloc (PIECE);
  self->source = g_source_new (&funcs, sizeof (UploadSource));
  ((UploadSource *)self->source)->upload = self;
  self->tag = g_source_add_unix_fd (self->source, fd, G_IO_IN);
  g_source_attach (self->source, context);
  return self;
}

void
upload_free (Upload *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  fd_clear (&self->fd);
  g_string_free (self->banner, TRUE);
  g_free (self->piece);
  g_free (self);
}

int
upload_steal_fd (Upload *self)
{
  return g_steal_fd (&self->fd);
}

const char *
upload_get_banner (Upload *self)
{
  return self->banner->str;
}
