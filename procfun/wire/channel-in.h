/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/frame.h"
#include "procfun/wire/ring.h"

typedef enum
{
  CHANNEL_FRAME, /* a frame was received */
  CHANNEL_AGAIN, /* none is complete yet, or it is not its turn */
  CHANNEL_END,   /* the other side is gone, or closed its end */
  CHANNEL_FAILED /* no frame came: error is set */
} ChannelStatus;

/* The frames that come to one side of a channel, by the socket or by a ring. */
typedef struct
{
  int fd; /* borrowed */
  gsize limit;
  FrameSenders senders; /* whose frames may come */

  guint8 *data; /* (nullable): received by the socket, not yet looked at: from start to end */
  gsize room;   /* for so much */
  gsize start;
  gsize end;
  GArray *fds; /* (nullable) (element-type int): received, not yet given to a frame */
  RingEnd ring;
  gboolean by_ring;

  FrameHeader header; /* of the frame being received, when payload is not NULL */
  guint8 *payload;
  gsize payload_filled;

  int failure; /* errno of a read that failed, or 0 */

  gboolean has_turns; /* a turn takes only so much, so that others have theirs */
  gboolean has_more;  /* and the last one left something */
  guint frames_left;
  gsize bytes_left;

  gboolean has_rest; /* takes only bytes that were there at some moment */
  gsize rest_size;   /* number of those that are still in the socket */
  guint64 ring_end;  /* and where it ends in the ring */
} ChannelIn;

/* A payload of more than @limit bytes is refused. */
void channel_in_init (ChannelIn *self, int fd, gsize limit);
void channel_in_clear (ChannelIn *self);

/* For another socket, while nothing is under way. */
void channel_in_reopen (ChannelIn *self, int fd);

/* One frame, or one word from channel to channel. @look: also at the socket when the ring is in use
 * and empty. */
ChannelStatus channel_in_receive (ChannelIn *self, gboolean look, Frame *frame, GError **error);

/* Looks at the next frame, without taking it, where it is whole in the ring, or was read from the
 * socket. Its payload can be looked at then, and it be taken. CHANNEL_FAILED: something else is
 * there, which channel_in_receive() tells about. */
ChannelStatus channel_in_peek (ChannelIn *self, FrameHeader *header);
void channel_in_peek_payload (ChannelIn *self, const FrameHeader *header, gpointer payload);
void channel_in_take (ChannelIn *self, const FrameHeader *header);

/* After poll() has found something in the socket: takes what was to wake this side, or reads what
 * comes where there is no ring. FALSE: there is more than the word that the ring has something. */
gboolean channel_in_wake_up (ChannelIn *self);

/* Whether a frame with this header may come in shared memory. It takes its part of the turn. */
gboolean channel_in_check (ChannelIn *self, const FrameHeader *header, GError **error);

/* How much of a frame has come that is not complete, in bytes; 0: none of @type and @call_id was
 * begun. */
gsize channel_in_get_begun (const ChannelIn *self, FrameType type, guint32 call_id);

/* Something has been read that was not received yet. */
gboolean channel_in_is_filled (ChannelIn *self);

/* Reads from the socket, unless something else is to be looked at first. TRUE: something is there,
 * or nothing will come any more. */
gboolean channel_in_read_ahead (ChannelIn *self);

/* The next turn begins, which ends after some frames or some bytes: channel_in_receive() returns
 * CHANNEL_AGAIN then, and @has_more is set. Without turns there are no such bounds. */
void channel_in_begin_turn (ChannelIn *self);

/* The other side is dead: takes all that is there now, and nothing that other processes still
 * write. */
void channel_in_take_rest (ChannelIn *self);

/* Takes nothing more from the other side, which learns so when it sends something; frames that it
 * had sent before can still be received. */
void channel_in_end (ChannelIn *self);
