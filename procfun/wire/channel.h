/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/channel-in.h"
#include "procfun/wire/channel-out.h"
#include "procfun/wire/frame.h"

G_BEGIN_DECLS

/* Frames and descriptors over one socket that does not block. Both sides use it: it never waits,
 * and it reads and writes independently of each other, so that full buffers in both directions are
 * no deadlock. */
typedef struct _Channel Channel;

#define CHANNEL_DEFAULT_LIMIT ((gsize)1 << 30)

/* Takes @fd. A payload of more than @limit bytes is refused before anything is allocated for it. */
Channel *channel_new (int fd, gsize limit);
void channel_free (Channel *self);

/* Accepts payloads of up to @limit bytes, if it has not accepted larger ones before. */
void channel_raise_limit (Channel *self, gsize limit);

/* For another descriptor, which it owns, too; nothing is under way. The memory of a new one would
 * be the largest that a small call takes. */
void channel_reopen (Channel *self, int fd);

int channel_get_fd (Channel *self);

/* Whose frames may come; at first, all. */
void channel_set_senders (Channel *self, FrameSenders senders);

/* Its halves, for tests. */
ChannelIn *channel_get_in (Channel *self);
ChannelOut *channel_get_out (Channel *self);

/* Small frames without descriptors go through shared memory as soon as the other side has accepted
 * it; where none can be had, all go by the socket. */
void channel_offer_ring (Channel *self);
void channel_accept_ring (Channel *self);

/* How large payloads are sent from now on, where memory can be shared. @trusts: those that come are
 * not copied, and the other side could still change them. */
void channel_share (Channel *self, ShareMode mode, gboolean trusts);

/* Whether bytes within a value can go with channel_send_lent(), whatever else is sent. */
gboolean channel_can_lend (Channel *self, gconstpointer data, gsize size);

/* So many descriptors go with a frame: %PROCFUN_ERROR_LIMIT for more. @fds: (nullable) */
gboolean channel_check_fds (GUnixFDList *fds, GError **error);

/* Queues a frame whose payload is @prefix and then @payload; the descriptors stay open until they
 * are sent. */
void channel_send (Channel *self, FrameType type, guint32 call_id, gconstpointer prefix,
                   gsize prefix_size, GBytes *payload, GUnixFDList *fds);

/* The same by the ring, where both directions go by it and it has room; FALSE: nothing was sent.
 * Here the payload, of @size bytes, is no GBytes. */
gboolean channel_send_by_ring (Channel *self, FrameType type, guint32 call_id, gconstpointer prefix,
                               gsize prefix_size, gconstpointer payload, gsize size);

/* The same by the socket, and without descriptors; written at once if nothing is queued. For small
 * payloads, since what the socket does not take is copied. */
void channel_send_now (Channel *self, FrameType type, guint32 call_id, gconstpointer prefix,
                       gsize prefix_size, gconstpointer payload, gsize size);

/* The same for a value in normal form, whose serialised form is the payload. */
void channel_send_value (Channel *self, FrameType type, guint32 call_id, gconstpointer prefix,
                         gsize prefix_size, GVariant *value, GUnixFDList *fds);

/* The same with @parts of a value whose rest is encoded in @payload. They are lent, and not copied.
 * FALSE: that cannot be, and nothing was sent. */
gboolean channel_send_lent (Channel *self, FrameType type, guint32 call_id, gconstpointer prefix,
                            gsize prefix_size, GBytes *payload, GUnixFDList *fds,
                            const GArray *parts);

/* Whether one side has memory that both share for the next payloads; and gives it back, as long as
 * nothing in it is in use. */
gboolean channel_keeps_memory (Channel *self);
void channel_give_back (Channel *self);

/* For tests: what its two sides write about what was lent. (nullable) */
gpointer channel_get_loan_table (Channel *self);

/* Drops what was lent and is used no more. */
void channel_sweep (Channel *self);

/* Writes as much as goes without waiting. When the other side is gone, the rest is dropped:
 * channel_receive() tells. */
void channel_flush (Channel *self);
gboolean channel_has_output (Channel *self);

/* Ends it for the other side at once, also where another process holds a copy of the descriptor. */
void channel_shut_down (Channel *self);

/* Nothing more will be sent: the other side reads its end once all is written. */
void channel_end_output (Channel *self);

ChannelStatus channel_receive (Channel *self, Frame *frame, GError **error);

/* Looks at the next frame, and its payload, without taking it, where it is in the ring, or was read
 * from the socket. */
gboolean channel_peek (Channel *self, FrameHeader *header);
void channel_peek_payload (Channel *self, const FrameHeader *header, gpointer payload);
void channel_take (Channel *self, const FrameHeader *header);

/* Positions in what comes by the ring: how far it was taken, and how far it is there. 0: nothing
 * comes by it. */
guint64 channel_get_taken (Channel *self);
guint64 channel_get_arrived (Channel *self);

/* After poll() has found something in the socket, which is read where there is no ring. FALSE: it
 * is more than the word that there is something in the ring. */
gboolean channel_wake_up (Channel *self);

/* TRUE: frames come by the ring, and by the socket, which poll() may have found readable, comes
 * more than wake-ups. */
gboolean channel_is_disturbed (Channel *self, gboolean is_readable);

/* A turn of channel_receive() takes so much, and leaves the rest for the next one: CHANNEL_AGAIN
 * then, and channel_has_more(). A channel whose turns never begin has no such bounds. */
void channel_begin_turn (Channel *self);
gboolean channel_has_more (Channel *self);

/* How much of a frame has come that is not complete, in bytes; 0: none of @type and @call_id was
 * begun. */
gsize channel_get_begun (Channel *self, FrameType type, guint32 call_id);

/* The other side is dead: receives all that is there now, and nothing that other processes still
 * write. */
void channel_take_rest (Channel *self);

/* Something has been read that was not received yet. */
gboolean channel_has_input (Channel *self);

/* The processor that the other side was on when it last sent something; -1: unknown. */
int channel_get_cpu (Channel *self);

/* For users who await nothing: something has come, or nothing will come any more. */
gboolean channel_has_spoken (Channel *self);

/* Lets the other side have the processor for some microseconds, since sleeping and waking up takes
 * longer than most answers. TRUE: something has come, or nothing will come any more. */
gboolean channel_yield (Channel *self);

/* Before poll() is asked about the descriptor, which then is readable when something comes. TRUE:
 * there is something already, of which poll() knows nothing. */
gboolean channel_fall_asleep (Channel *self);

/* For threads with nothing else to do: wait until a frame is there, or until all is written. */
ChannelStatus channel_receive_blocking (Channel *self, Frame *frame, GError **error);
void channel_flush_blocking (Channel *self);

/* The same, but CHANNEL_AGAIN when no frame came within @ms milliseconds; -1: any time. */
ChannelStatus channel_receive_within (Channel *self, Frame *frame, int ms, GError **error);

/* Takes nothing more from the other side, which learns so when it sends something; frames that it
 * had sent before can still be received. */
void channel_end_input (Channel *self);

void channel_get_mark (Channel *self, ChannelMark *mark);

/* Nothing that was sent since @mark has reached the other side, or ever will. The second form is
 * for another side that is dead. */
gboolean channel_has_lost (Channel *self, const ChannelMark *mark);
gboolean channel_has_lost_at_death (Channel *self, const ChannelMark *mark);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Channel, channel_free)

G_END_DECLS
