/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/output.h"

#include "procfun/core/call.h"
#include "procfun/platform/fds.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

#define TAIL_SIZE ((gsize)4096)
#define PORTION_SIZE ((gsize)16 * 1024)
#define PORTIONS_PER_TURN 4
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

guint64
output_get_size (Output *self)
{
  return self->n_bytes;
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

/* Passing on */

/* As write(), but a pipe that nobody reads does not end the program. */
static gssize
write_without_signal (int fd, const char *data, gsize size)
{
  const struct timespec now = { 0 };
  sigset_t pipe_set, before, pending;
  gssize written;
  int error_number;

  sigemptyset (&pipe_set);
  sigaddset (&pipe_set, SIGPIPE);
  sigpending (&pending);
  pthread_sigmask (SIG_BLOCK, &pipe_set, &before);
  written = write (fd, data, size);
  error_number = errno;
  if (written < 0 && error_number == EPIPE && !sigismember (&pending, SIGPIPE))
    sigtimedwait (&pipe_set, NULL, &now);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  errno = error_number;
  return written;
}

/* A program whose own stream is full must not stand still for it. */
static void
pass_on (Output *self)
{
  int fd = self->stream == PROCFUN_STREAM_STDOUT ? STDOUT_FILENO : STDERR_FILENO;

  while (self->pending->len > 0)
    {
      struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
      gssize written;

      if (poll (&poll_fd, 1, 0) == 0)
        return;
      /* A pipe that is ready takes PIPE_BUF bytes at once, see pipe(7). */
      written = write_without_signal (fd, self->pending->str, MIN (self->pending->len, TAIL_SIZE));
      if (written > 0)
        g_string_erase (self->pending, 0, written);
      else if (errno == EAGAIN)
        return;
      else if (errno != EINTR)
        g_string_truncate (self->pending, 0); /* the program has no such stream */
    }
}

/* Lines */

/* A handler may run a main loop that brings more, or take the next item of a generator. */
static void
emit_lines (Output *self, ProcfunCall *call)
{
  for (;;)
    {
      const char *start = self->pending->str + self->n_emitted;
      const char *end = memchr (start, '\n', self->pending->len - self->n_emitted);
      g_autofree char *line = NULL;

      if (end == NULL)
        break;
      line = g_utf8_make_valid (start, end - start);
      self->n_emitted = (gsize)(end + 1 - self->pending->str);
      procfun_call_emit_output (call, self->stream, line);
    }
  g_string_erase (self->pending, 0, (gssize)self->n_emitted);
  self->n_emitted = 0;
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

/* Reading */

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
      pass_on (self);
      return;
    }
  emit_lines (self, call);
  if (self->pending->len > LINE_MAX_SIZE)
    emit_rest (self, call);
}

static gboolean
is_over_limit (Output *self)
{
  return self->limit > 0 && self->n_bytes > self->limit;
}

/* FALSE: there is no more for now. */
static gboolean
read_portion (Output *self, ProcfunCall *call, gsize max_size)
{
  char data[PORTION_SIZE];
  gssize n;

  do
    n = read (self->fd, data, MIN (max_size, sizeof data));
  while (n < 0 && errno == EINTR);
  if (n > 0)
    {
      self->n_left -= MIN (self->n_left, (gsize)n);
      take (self, call, data, (gsize)n);
      return TRUE;
    }
  self->n_left = 0;
  if (n == 0 || errno != EAGAIN)
    fd_clear (&self->fd);
  return FALSE;
}

void
output_advance (Output *self, ProcfunCall *call)
{
  if (output_is_held_up (self))
    pass_on (self);
  if (output_get_fd (self) >= 0 && !is_over_limit (self))
    read_portion (self, call, PORTION_SIZE);
}

/* The end */

void
output_begin_end (Output *self, gboolean is_ready)
{
  int n = 0;

  if (output_is_held_up (self) || (is_ready && self->fd >= 0))
    n = ioctl (self->fd, FIONREAD, &n) == 0 ? n : 0;
  self->n_left = (gsize)MAX (n, 0);
  self->give_up_at = 0;
}

/* FALSE: the program's own stream stays full, and nobody reads it. */
static gboolean
keeps_waiting (Output *self, gint64 patience)
{
  const gint64 now = g_get_monotonic_time ();

  if (self->give_up_at == 0 || self->pending->len != self->n_held_up)
    self->give_up_at = now + patience;
  self->n_held_up = self->pending->len;
  return patience > 0 && now < self->give_up_at;
}

gboolean
output_advance_end (Output *self, ProcfunCall *call, gint64 patience)
{
  if (output_is_held_up (self))
    pass_on (self);
  for (guint i = 0; i < PORTIONS_PER_TURN && self->n_left > 0 && !output_is_held_up (self)
                    && !is_over_limit (self);
       i++)
    read_portion (self, call, self->n_left);
  if (output_is_held_up (self))
    {
      if (keeps_waiting (self, patience))
        return FALSE;
      g_string_truncate (self->pending, 0);
      self->n_left = 0;
    }
  if (self->n_left > 0 && !is_over_limit (self))
    return FALSE;
  if (self->mode == PROCFUN_OUTPUT_CAPTURE && self->pending != NULL)
    emit_rest (self, call);
  return TRUE;
}
