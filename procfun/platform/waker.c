/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/waker.h"

struct _Waker
{
  GMutex lock;
  GSource *source; /* (nullable) (unowned): it does not wait any more */
  GCancellable *cancellable;
  gulong handler;
};

static void
clear (gpointer waker)
{
  Waker *self = waker;

  g_object_unref (self->cancellable);
  g_mutex_clear (&self->lock);
}

static void
release (gpointer waker, GClosure *closure)
{
  g_atomic_rc_box_release_full (waker, clear);
}

static void
on_cancelled (GCancellable *cancellable, Waker *self)
{
  g_mutex_lock (&self->lock);
  if (self->source != NULL)
    g_source_set_ready_time (self->source, 0);
  g_mutex_unlock (&self->lock);
}

Waker *
waker_new (GCancellable *cancellable, GSource *source)
{
  Waker *self = g_atomic_rc_box_new0 (Waker);

  g_mutex_init (&self->lock);
  self->source = source;
  self->cancellable = g_object_ref (cancellable);
  self->handler = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (on_cancelled),
                                         g_atomic_rc_box_acquire (self), release, 0);
  return self;
}

void
waker_free (Waker *self)
{
  g_mutex_lock (&self->lock);
  self->source = NULL;
  g_mutex_unlock (&self->lock);
  g_signal_handler_disconnect (self->cancellable, self->handler);
  release (self, NULL);
}

static void
on_cancelled_cond (GCancellable *cancellable, gpointer user_data)
{
  CondWaker *self = user_data;

  g_mutex_lock (self->lock);
  g_cond_broadcast (self->cond);
  g_mutex_unlock (self->lock);
}

void
cond_waker_init (CondWaker *self, GMutex *lock, GCond *cond, GCancellable *cancellable)
{
  *self = (CondWaker){ .lock = lock, .cond = cond, .cancellable = cancellable };
  if (cancellable != NULL)
    self->handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled_cond), self, NULL);
}

void
cond_waker_clear (CondWaker *self)
{
  g_cancellable_disconnect (self->cancellable, self->handler);
}
