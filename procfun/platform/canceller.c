/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/canceller.h"

struct _Canceller
{
  gatomicrefcount ref_count;
  gint is_cancelled;

  GMutex lock;
  GSource *source;           /* (nullable) (unowned) */
  GCancellable *cancellable; /* (nullable) */
};

Canceller *
canceller_new (void)
{
  Canceller *self = g_new (Canceller, 1);

  *self = (Canceller){ 0 };
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
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
canceller_cancel (Canceller *self)
{
  g_autoptr (GCancellable) cancellable = NULL;

  if (!g_atomic_int_compare_and_exchange (&self->is_cancelled, FALSE, TRUE))
    return;
  g_mutex_lock (&self->lock);
  if (self->source != NULL)
    g_source_set_ready_time (self->source, 0);
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

/* Whichever comes second, this or canceller_cancel(), sees the other. */
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
canceller_set_source (Canceller *self, GSource *source)
{
  g_mutex_lock (&self->lock);
  self->source = source;
  g_mutex_unlock (&self->lock);
}
