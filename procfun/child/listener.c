/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/child/listener.h"

typedef struct
{
  Channel *channel;
  GCancellable *cancellable;
} Listener;

/* Until the process ends, which is soon after the function has. */
static gpointer
listen (gpointer user_data)
{
  Listener *self = user_data;

  for (;;)
    {
      g_auto (Frame) frame = { 0 };

      if (channel_receive_blocking (self->channel, &frame, NULL) != CHANNEL_FRAME)
        break;
      if (frame.type == FRAME_CANCEL)
        g_cancellable_cancel (self->cancellable);
    }
  g_object_unref (self->cancellable);
  g_free (self);
  return NULL;
}

void
listener_start (Channel *channel, GCancellable *cancellable)
{
  Listener *self = g_new0 (Listener, 1);

  self->channel = channel;
  self->cancellable = g_object_ref (cancellable);
  g_thread_unref (g_thread_new ("procfun", listen, self));
}
