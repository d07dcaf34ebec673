/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/canceller.h"

#include "procfun/platform/fds.h"
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct _Canceller
{
  gatomicrefcount ref_count;
  gint is_cancelled;

  GMutex lock;
  CancellerFunc func;        /* (nullable) */
  gpointer data;             /* (unowned) */
  GCancellable *cancellable; /* (nullable) */
  int fd;                    /* -1: nobody sleeps on one */
};

Canceller *
canceller_new (void)
{
  Canceller *self = g_new (Canceller, 1);

  *self = (Canceller){ .fd = -1 };
  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  return self;
}

Canceller *
canceller_ref (Canceller *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
canceller_unref (Canceller *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_object (&self->cancellable);
  fd_clear (&self->fd);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* With the lock held. */
static void
make_fd_readable (Canceller *self)
{
  const guint64 one = 1;

  while (self->fd >= 0 && write (self->fd, &one, sizeof one) < 0 && errno == EINTR)
    ;
}

void
canceller_cancel (Canceller *self)
{
  g_autoptr (GCancellable) cancellable = NULL;

  if (!g_atomic_int_compare_and_exchange (&self->is_cancelled, FALSE, TRUE))
    return;
  g_mutex_lock (&self->lock);
  if (self->func != NULL)
    self->func (self->data);
  make_fd_readable (self);
  g_set_object (&cancellable, self->cancellable);
  g_mutex_unlock (&self->lock);
  g_cancellable_cancel (cancellable);
}

gboolean
canceller_is_cancelled (Canceller *self)
{
  return g_atomic_int_get (&self->is_cancelled);
}

/* The words are GLib's. */
gboolean
canceller_set_error_if_cancelled (Canceller *self, GError **error)
{
  return canceller_is_cancelled (self)
         && g_cancellable_set_error_if_cancelled (canceller_get_cancellable (self), error);
}

/* The later one of this and canceller_cancel() sees the other. */
GCancellable *
canceller_get_cancellable (Canceller *self)
{
  GCancellable *cancellable;

  g_mutex_lock (&self->lock);
  if (self->cancellable == NULL)
    self->cancellable = g_cancellable_new ();
  cancellable = self->cancellable;
  g_mutex_unlock (&self->lock);
  if (canceller_is_cancelled (self))
    g_cancellable_cancel (cancellable);
  return cancellable;
}

void
canceller_set_func (Canceller *self, CancellerFunc func, gpointer data)
{
  g_mutex_lock (&self->lock);
  self->func = func;
  self->data = data;
  g_mutex_unlock (&self->lock);
}

void
canceller_clear_func (Canceller *self, gpointer data)
{
  g_mutex_lock (&self->lock);
  if (self->data == data)
    self->func = NULL;
  g_mutex_unlock (&self->lock);
}

static void
make_ready (gpointer source)
{
  g_source_set_ready_time (source, 0);
}

void
canceller_set_source (Canceller *self, GSource *source)
{
  canceller_set_func (self, make_ready, source);
}

void
canceller_clear_source (Canceller *self, GSource *source)
{
  canceller_clear_func (self, source);
}

/* Not g_cancellable_get_fd(), which ends the program when there is no descriptor. */
int
canceller_open_fd (Canceller *self)
{
  int fd;

  g_mutex_lock (&self->lock);
  if (self->fd < 0)
    self->fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (canceller_is_cancelled (self))
    make_fd_readable (self);
  fd = self->fd;
  g_mutex_unlock (&self->lock);
  return fd;
}

void
canceller_close_fd (Canceller *self)
{
  g_mutex_lock (&self->lock);
  fd_clear (&self->fd);
  g_mutex_unlock (&self->lock);
}
