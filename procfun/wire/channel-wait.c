/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long to look for what comes over a channel, and when to sleep. */

#include "procfun/wire/channel-private.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>

/* Where both sides take turns on one processor this is all that it takes, and where they have one
 * each the answer comes meanwhile. */
#define YIELDS 20

/* Where others want the processor, too, to yield means to wait for them: that they are there is
 * seen by the time that it took, and then this is left alone for a while. */
#define YIELD_MAX_US 50
#define YIELD_PAUSE 64

gboolean
channel_yield (Channel *self)
{
  gint64 before = g_get_monotonic_time ();

  if (self->yield_pause > 0)
    {
      self->yield_pause--;
      return channel_read_ahead (self);
    }
  for (int i = 0; i < YIELDS && self->yield_pause == 0; i++)
    {
      gint64 now;

      sched_yield ();
      now = g_get_monotonic_time ();
      if (now - before > YIELD_MAX_US)
        self->yield_pause = YIELD_PAUSE;
      if (channel_read_ahead (self))
        return TRUE;
      before = now;
    }
  return FALSE;
}

gboolean
channel_fall_asleep (Channel *self)
{
  if (!self->in_by_ring)
    return FALSE;
  ring_fall_asleep (&self->ring_in);
  return ring_get_filled (&self->ring_in) > 0;
}

/* FALSE: the time is up. */
static gboolean
wait_for (Channel *self, short events, int ms)
{
  struct pollfd poll_fd = { .fd = self->fd, .events = events };
  int n;

  do
    n = poll (&poll_fd, 1, ms);
  while (n < 0 && errno == EINTR);
  return n != 0;
}

ChannelStatus
channel_receive_within (Channel *self, Frame *frame, int ms, GError **error)
{
  gboolean look = FALSE;
  ChannelStatus status;

  while ((status = channel_receive_looking (self, look, frame, error)) == CHANNEL_AGAIN)
    {
      look = !channel_yield (self);
      if (look && !channel_fall_asleep (self) && !wait_for (self, POLLIN, ms))
        return CHANNEL_AGAIN;
    }
  return status;
}

ChannelStatus
channel_receive_blocking (Channel *self, Frame *frame, GError **error)
{
  return channel_receive_within (self, frame, -1, error);
}

void
channel_flush_blocking (Channel *self)
{
  for (channel_flush (self); channel_has_output (self); channel_flush (self))
    wait_for (self, POLLOUT, -1);
}
