/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/output.h"

#include "procfun/core/call.h"
#include "procfun/platform/fds.h"
#include <errno.h>
#include <poll.h>
#include <string.h>

#define TAIL_SIZE ((gsize)4096)
#define READ_SIZE ((gsize)16 * 1024)
#define LINE_MAX_SIZE ((gsize)64 * 1024) /* a longer line is given in parts */

void
output_init (Output *self, int fd, ProcfunStream stream, ProcfunOutputMode mode, guint64 limit)
{
  *self = (Output){ .fd = fd, .stream = stream, .mode = mode, .limit = limit };
}

void
output_clear (Output *self)
{
  fd_clear (&self->fd);
  if (self->tail != NULL)
    {
      g_string_free (self->tail, TRUE);
      g_string_free (self->pending, TRUE);
    }
}

int
output_steal_fd (Output *self)
{
  return g_steal_fd (&self->fd);
}

gboolean
output_is_held_up (Output *self)
{
  return self->mode == PROCFUN_OUTPUT_INHERIT && self->pending != NULL && self->pending->len > 0;
}

int
output_get_fd (Output *self)
{
  return output_is_held_up (self) ? -1 : self->fd;
}

gboolean
output_is_over_limit (Output *self)
{
  return self->limit > 0 && self->n_bytes > self->limit;
}

GBytes *
output_get_tail (Output *self)
{
  gsize size = self->tail != NULL ? MIN (self->tail->len, TAIL_SIZE) : 0;

  if (size == 0)
    return g_bytes_new (NULL, 0);
  return g_bytes_new (self->tail->str + self->tail->len - size, size);
}

static void
keep_tail (Output *self, const char *data, gsize size)
{
  g_string_append_len (self->tail, data, (gssize)size);
  if (self->tail->len > 8 * TAIL_SIZE) /* now and then, and not for each line */
    g_string_erase (self->tail, 0, (gssize)(self->tail->len - TAIL_SIZE));
}

guint64
output_get_size (Output *self)
{
  return self->n_bytes;
}

/* A program whose own stream is full must not stand still for it, unless there is no later. */
static void
pass_on (Output *self, gboolean wait)
{
  int fd = self->stream == PROCFUN_STREAM_STDOUT ? STDOUT_FILENO : STDERR_FILENO;

  while (self->pending->len > 0)
    {
      struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
      gssize written;

      if (poll (&poll_fd, 1, wait ? -1 : 0) == 0)
        return;
      /* A pipe that is ready takes PIPE_BUF bytes at once, see pipe(7). */
      written = write (fd, self->pending->str, MIN (self->pending->len, TAIL_SIZE));
      if (written > 0)
        g_string_erase (self->pending, 0, written);
      else if (errno != EINTR && errno != EAGAIN)
        g_string_truncate (self->pending, 0); /* the program has no such stream */
    }
}

static void
emit_lines (Output *self, ProcfunCall *call)
{
  char *end;

  while ((end = memchr (self->pending->str, '\n', self->pending->len)) != NULL)
    {
      g_autofree char *line = g_utf8_make_valid (self->pending->str, end - self->pending->str);

      g_string_erase (self->pending, 0, end + 1 - self->pending->str);
      procfun_call_emit_output (call, self->stream, line);
    }
}

static void
emit_rest (Output *self, ProcfunCall *call)
{
  g_autofree char *line = g_utf8_make_valid (self->pending->str, (gssize)self->pending->len);

  if (self->pending->len == 0)
    return;
  g_string_truncate (self->pending, 0);
  procfun_call_emit_output (call, self->stream, line);
}

static void
take (Output *self, ProcfunCall *call, const char *data, gsize size)
{
  if (self->tail == NULL)
    {
      self->tail = g_string_new (NULL);
      self->pending = g_string_new (NULL);
    }
  self->n_bytes += size;
  keep_tail (self, data, size);
  if (self->mode == PROCFUN_OUTPUT_DISCARD)
    return;
  g_string_append_len (self->pending, data, (gssize)size);
  if (self->mode == PROCFUN_OUTPUT_INHERIT)
    {
      pass_on (self, FALSE);
      return;
    }
  emit_lines (self, call);
  if (self->pending->len > LINE_MAX_SIZE)
    emit_rest (self, call);
}

void
output_advance (Output *self, ProcfunCall *call)
{
  if (output_is_held_up (self))
    pass_on (self, FALSE);
  while (output_get_fd (self) >= 0 && !output_is_over_limit (self))
    {
      char data[READ_SIZE];
      gssize n = read (self->fd, data, sizeof data);

      if (n > 0)
        take (self, call, data, (gsize)n);
      else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        fd_clear (&self->fd);
      else if (errno == EAGAIN)
        return;
    }
}

void
output_finish (Output *self, ProcfunCall *call, gboolean is_ready)
{
  while (is_ready || output_is_held_up (self))
    {
      output_advance (self, call);
      if (output_is_held_up (self))
        pass_on (self, TRUE);
      is_ready = FALSE;
    }
  if (self->mode == PROCFUN_OUTPUT_CAPTURE && self->pending != NULL)
    emit_rest (self, call);
}
