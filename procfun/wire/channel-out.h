/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/arena.h"
#include "procfun/wire/frame.h"
#include "procfun/wire/ring.h"

/* In bytes. From here on a copy into shared memory is cheaper than two by a socket. */
#define CHANNEL_SHARE_MIN ((gsize)64 * 1024)

typedef enum
{
  SHARE_NOTHING,
  SHARE_LARGE,  /* a payload of megabytes in memory of its own, which nobody can change, where that
                   is had in large pages: small ones cost more than two copies by the socket */
  SHARE_SEALED, /* likewise each large payload, in any pages: it is to come in one turn */
  SHARE_ARENA,  /* in memory for many of them */
  SHARE_LARGE_OR_ARENA /* the second where the first cannot be: the other side would copy it */
} ShareMode;

/* The frames that one side of a channel sends. They go by the socket, or by a ring, and say where
 * they go on: FRAME_BY_SOCKET in the ring, FRAME_BY_RING on the socket. FRAME_WAKE on the socket
 * wakes a reader who sleeps while there is something in the ring. */
typedef struct
{
  int fd;             /* borrowed */
  GQueue chunks;      /* (element-type Chunk): still to be written to the socket */
  gboolean is_ending; /* the other side is to be told when all is written */
  RingEnd ring;       /* without memory as long as there is none */
  int may_use_ring;   /* atomic: the other side has it, too */
  gboolean by_ring;   /* the next frames go there */
  gboolean has_news;  /* in the ring, of which a sleeping reader does not know */
  ShareMode share_mode;
  ArenaOut arena;
  guint64 n_queued;   /* bytes of frames, for the socket */
  guint64 n_written;  /* of them, to the socket */
  gboolean is_broken; /* frames written before are lost */
  int failure;        /* errno of a write that failed, or 0 */
  gint64 held_up;     /* monotonic time since when the kernel has no memory for more; 0: it has */
} ChannelOut;

/* How much was sent before something. */
typedef struct
{
  guint64 by_socket;
  guint64 by_ring;
} ChannelMark;

void channel_out_init (ChannelOut *self, int fd);
void channel_out_clear (ChannelOut *self);

/* Queues a frame whose payload is @prefix and then @payload (nullable). @fds: (nullable) */
void channel_out_send (ChannelOut *self, FrameType type, guint32 call_id, gconstpointer prefix,
                       gsize prefix_size, GBytes *payload, GUnixFDList *fds);

/* The same by the ring alone, without descriptors. FALSE: it is not in use, or has no room for it;
 * nothing was sent. */
gboolean channel_out_send_by_ring (ChannelOut *self, FrameType type, guint32 call_id,
                                   gconstpointer prefix, gsize prefix_size, gconstpointer payload,
                                   gsize size);

/* The same by the socket alone, written at once if nothing is queued. For small payloads, since
 * what the socket does not take is copied. */
void channel_out_send_now (ChannelOut *self, FrameType type, guint32 call_id, gconstpointer prefix,
                           gsize prefix_size, gconstpointer payload, gsize size);

/* The same for a value in normal form and its serialised form, which is written where the other
 * side reads it if that can be. */
void channel_out_send_value (ChannelOut *self, FrameType type, guint32 call_id,
                             gconstpointer prefix, gsize prefix_size, GVariant *value,
                             GUnixFDList *fds);

/* Queues a frame from channel to channel. @fds: (nullable) */
void channel_out_send_word (ChannelOut *self, FrameType type, GUnixFDList *fds);

/* Tells the other side that the next frames go by the ring. */
void channel_out_turn_to_ring (ChannelOut *self);

/* Writes as much as goes without waiting. When the other side is gone, the rest is dropped:
 * channel_receive() tells. */
void channel_out_flush (ChannelOut *self);
gboolean channel_out_is_empty (const ChannelOut *self);

/* Nothing more will be sent: the other side reads its end once all is written. */
void channel_out_end (ChannelOut *self);

/* The second tells whether nothing that was sent since has reached the other side, or ever will,
 * and the third the same of another side that is dead. */
void channel_out_get_mark (const ChannelOut *self, ChannelMark *mark);
gboolean channel_out_has_lost (ChannelOut *self, const ChannelMark *mark);
gboolean channel_out_has_lost_at_death (ChannelOut *self, const ChannelMark *mark);
