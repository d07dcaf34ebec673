/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/child/listener.h"

#include <string.h>

/* A generator that never has to wait for its caller still hears it now and then. */
#define LOOK_STEP_US 1000

void
listener_init (Listener *self, Channel *channel, GCancellable *cancellable)
{
  *self = (Listener){ .channel = channel, .cancellable = cancellable };
  g_mutex_init (&self->lock);
  g_cond_init (&self->heard);
}

static void
handle_frame (Listener *self, const Frame *frame)
{
  if (frame->type == FRAME_CANCEL)
    g_cancellable_cancel (self->cancellable);
  if (frame->type != FRAME_CREDIT || g_bytes_get_size (frame->payload) != sizeof self->credit)
    return;
  g_mutex_lock (&self->lock);
  memcpy (&self->credit, g_bytes_get_data (frame->payload, NULL), sizeof self->credit);
  g_mutex_unlock (&self->lock);
}

/* With the lock held, which is open meanwhile. */
static void
read_with (Listener *self,
           ChannelStatus (*receive) (Channel *channel, Frame *frame, GError **error))
{
  g_auto (Frame) frame = { 0 };
  ChannelStatus status;

  self->is_reading = TRUE;
  g_mutex_unlock (&self->lock);
  status = receive (self->channel, &frame, NULL);
  if (status == CHANNEL_FRAME)
    handle_frame (self, &frame);
  g_mutex_lock (&self->lock);
  self->is_reading = FALSE;
  self->has_ended = status == CHANNEL_END || status == CHANNEL_FAILED;
  self->looked_at = g_get_monotonic_time ();
  g_cond_broadcast (&self->heard);
}

/* Waits for one frame, whoever reads it. */
static void
hear (Listener *self)
{
  if (self->is_reading)
    g_cond_wait (&self->heard, &self->lock);
  else
    read_with (self, channel_receive_blocking);
}

/* Until the process ends, which is soon after the function has. */
static gpointer
listen (gpointer user_data)
{
  Listener *self = user_data;

  g_mutex_lock (&self->lock);
  while (!self->has_ended)
    hear (self);
  g_mutex_unlock (&self->lock);
  return NULL;
}

gboolean
listener_start (Listener *self)
{
  GThread *thread = g_thread_try_new ("procfun", listen, self, NULL);

  if (thread == NULL)
    return FALSE;
  g_thread_unref (thread);
  return TRUE;
}

static gboolean
is_wanted (Listener *self)
{
  return !self->has_ended && !g_cancellable_is_cancelled (self->cancellable);
}

static gboolean
has_credit (Listener *self)
{
  return self->used.n_items < self->credit.n_items && self->used.n_bytes < self->credit.n_bytes;
}

gboolean
listener_take_credit (Listener *self, gsize size)
{
  gboolean wanted;

  g_mutex_lock (&self->lock);
  if (!self->is_reading && g_get_monotonic_time () - self->looked_at >= LOOK_STEP_US)
    read_with (self, channel_receive);
  while (is_wanted (self) && !has_credit (self))
    hear (self);
  wanted = is_wanted (self);
  if (wanted)
    {
      self->used.n_items++;
      self->used.n_bytes += size;
    }
  g_mutex_unlock (&self->lock);
  return wanted;
}
