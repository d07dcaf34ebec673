/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/stream-pump.h"

#include "procfun/platform/fds.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <poll.h>
#include <signal.h>

#define PIECE ((gsize)64 * 1024)

/* Time for a stream to hear its cancellable; one that does not keeps its thread. */
#define END_MAX_US (100 * G_TIME_SPAN_MILLISECOND)

struct _StreamPump
{
  gatomicrefcount n_refs; /* the call, and the thread */
  GInputStream *stream;
  GCancellable *cancellable;
  Canceller *canceller; /* (nullable): of the call */
  GMutex lock;          /* of what follows */
  GCond cond;
  int fd; /* to write to; -1: the reader sees the end */
  GError *error;
  gboolean cuts;
  gboolean was_cut;
  gboolean is_running;
};

static void
pump_unref (StreamPump *self)
{
  if (!g_atomic_ref_count_dec (&self->n_refs))
    return;
  g_object_unref (self->stream);
  g_object_unref (self->cancellable);
  g_clear_pointer (&self->canceller, canceller_unref);
  fd_clear (&self->fd);
  g_clear_error (&self->error);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}

StreamPump *
stream_pump_new (GInputStream *stream, GInputStream **end, GError **error)
{
  StreamPump *self;
  int ends[2];

  if (!fds_open_pipe (ends, error))
    return NULL;
  fcntl (ends[1], F_SETFL, O_NONBLOCK);
  fcntl (ends[0], F_SETFL, 0);
  *end = g_unix_input_stream_new (ends[0], TRUE);
  self = g_new0 (StreamPump, 1);
  g_atomic_ref_count_init (&self->n_refs);
  self->stream = g_object_ref (stream);
  self->cancellable = g_cancellable_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->fd = ends[1];
  return self;
}

/* FALSE: nobody wants more. */
static gboolean
wait_for_room (StreamPump *self)
{
  GPollFD fds[2] = { { .fd = self->fd, .events = G_IO_OUT } };
  const guint n = g_cancellable_make_pollfd (self->cancellable, &fds[1]) ? 2 : 1;

  g_poll (fds, n, -1);
  if (n == 2)
    g_cancellable_release_fd (self->cancellable);
  return !g_cancellable_is_cancelled (self->cancellable) && (fds[0].revents & G_IO_ERR) == 0;
}

static gboolean
write_all (StreamPump *self, const guint8 *data, gsize size)
{
  while (size > 0)
    {
      const gssize n = write (self->fd, data, size);

      if (n >= 0)
        {
          data += n;
          size -= (gsize)n;
        }
      else if ((errno != EAGAIN && errno != EINTR) || !wait_for_room (self))
        return FALSE;
    }
  return TRUE;
}

/* With the lock held. */
static void
cut (StreamPump *self)
{
  fd_clear (&self->fd);
  self->was_cut = TRUE;
}

static void
end (StreamPump *self, GError *error)
{
  const gboolean has_failed = error != NULL && !g_cancellable_is_cancelled (self->cancellable);

  g_mutex_lock (&self->lock);
  if (has_failed)
    self->error = g_steal_pointer (&error);
  if (has_failed && self->cuts)
    cut (self);
  if (!has_failed)
    fd_clear (&self->fd);
  self->is_running = FALSE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
  if (has_failed)
    canceller_cancel (self->canceller);
  g_clear_error (&error);
}

/* Signals are for the threads of the program. That a reader is gone is told by an error. */
static gpointer
run (gpointer user_data)
{
  StreamPump *self = user_data;
  g_autofree guint8 *data = g_malloc (PIECE);
  GError *error = NULL;
  sigset_t all;
  gssize n;

  sigfillset (&all);
  pthread_sigmask (SIG_BLOCK, &all, NULL);
  do
    n = g_input_stream_read (self->stream, data, PIECE, self->cancellable, &error);
  while (n > 0 && write_all (self, data, (gsize)n));
  end (self, error);
  pump_unref (self);
  return NULL;
}

void
stream_pump_start (StreamPump *self, Canceller *canceller)
{
  GThread *thread;

  if (self->canceller != NULL) /* a session enters its pool, too */
    return;
  self->canceller = canceller_ref (canceller);
  self->is_running = TRUE;
  g_atomic_ref_count_inc (&self->n_refs);
  thread = g_thread_try_new ("procfun stream", run, self, &self->error);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return;
    }
  self->is_running = FALSE;
  pump_unref (self);
  canceller_cancel (canceller);
}

void
stream_pump_cut_at_failure (StreamPump *self)
{
  g_mutex_lock (&self->lock);
  self->cuts = TRUE;
  if (self->error != NULL)
    cut (self);
  g_mutex_unlock (&self->lock);
}

gboolean
stream_pump_was_cut (StreamPump *self)
{
  gboolean was_cut;

  g_mutex_lock (&self->lock);
  was_cut = self->was_cut;
  g_mutex_unlock (&self->lock);
  return was_cut;
}

GError *
stream_pump_get_error (StreamPump *self)
{
  GError *error = NULL;

  g_mutex_lock (&self->lock);
  if (self->error != NULL)
    error = g_error_copy (self->error);
  g_mutex_unlock (&self->lock);
  return error;
}

void
stream_pump_end (StreamPump *self)
{
  const gint64 until = g_get_monotonic_time () + END_MAX_US;

  g_cancellable_cancel (self->cancellable);
  g_mutex_lock (&self->lock);
  while (self->is_running && g_cond_wait_until (&self->cond, &self->lock, until))
    ;
  g_mutex_unlock (&self->lock);
  pump_unref (self);
}
