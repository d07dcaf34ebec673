/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/channel.h"
#include "procfun/wire/ring.h"

/* A ring is a shorter way for small frames, beside the socket. Each direction goes by one of both
 * at a time and says where it goes on: FRAME_BY_SOCKET in the ring, FRAME_BY_RING on the socket.
 * FRAME_WAKE on the socket wakes who sleeps while there is something in the ring. */
struct _Channel
{
  int fd;
  gsize limit;

  gpointer memory; /* (nullable): of both rings */
  gsize memory_size;
  gboolean accepts_ring;
  int both_have_ring; /* atomic */

  GQueue output;   /* (element-type Chunk) */
  gboolean ending; /* the other side is to be told when the output is written */
  RingEnd ring_out;
  gboolean out_by_ring;
  gboolean wakes; /* what was written to the ring, who sleeps does not know */

  guint8 *in; /* received by the socket, not yet looked at: from in_start to in_end */
  gsize in_start;
  gsize in_end;
  GArray *in_fds; /* (element-type int) received, not yet given to a frame */
  RingEnd ring_in;
  gboolean in_by_ring;

  FrameHeader header; /* of the frame being received, when payload is not NULL */
  guint8 *payload;
  gsize payload_filled;

  guint64 bytes_written;
  guint yield_pause; /* how often channel_yield() is not to */
  gboolean broken;   /* what was written is lost */
  int failure;       /* the errno of what could not be written or read, or 0 */
};

/* Room to receive several small frames at once. */
#define CHANNEL_IN_SIZE ((gsize)8 * 1024)

/* More than a socket takes or gives at once. Tools that check memory look at all that a system call
 * is offered, each time. */
#define CHANNEL_TRANSFER_MAX ((gsize)1024 * 1024)

void channel_clear_fd (gpointer fd);

/* That the other side is gone is no failure, but an end. */
void channel_note_failure (Channel *self);

/* That both have the memory which @fd brings, and what of it is whose. FALSE: it is none. */
gboolean channel_map_ring (Channel *self, int fd, gboolean is_first);

/* Says that frames go by the ring from now on. */
void channel_turn_to_ring (Channel *self);

/* As channel_receive(). @look: also at the socket when the ring is in use, and empty. */
ChannelStatus channel_receive_looking (Channel *self, gboolean look, Frame *frame, GError **error);

/* Reads what the socket has, where nothing else is to be looked at first. TRUE: there is something,
 * or will be nothing any more. */
gboolean channel_read_ahead (Channel *self);
