/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long to look for what comes over a channel, and when to sleep. */

#include "procfun/wire/channel-private.h"

#include "procfun/platform/schedule.h"
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

/* Where the other side has a processor of its own, its answer is seen at once by who looks without
 * a pause. After so many times in vain the functions take longer, or others want the processors. */
#define SPIN_MAX_US 10
#define SPINS_IN_VAIN 8

static gboolean
has_own_processor (Channel *self)
{
  int cpu = channel_get_cpu (self);

  return cpu >= 0 && !schedule_is_on (cpu);
}

static gboolean
spin (Channel *self)
{
  const gint64 until = g_get_monotonic_time () + SPIN_MAX_US;

  do
    for (int i = 0; i < 16; i++)
      {
        if (channel_read_ahead (self))
          return TRUE;
        schedule_relax ();
      }
  while (g_get_monotonic_time () < until);
  return FALSE;
}

gboolean
channel_yield (Channel *self)
{
  gint64 before;

  if (self->yield_pause > 0)
    {
      self->yield_pause--;
      return channel_read_ahead (self);
    }
  if (has_own_processor (self))
    return spin (self);
  before = g_get_monotonic_time ();
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
