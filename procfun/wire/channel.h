/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/channel-in.h"
#include "procfun/wire/channel-out.h"
#include "procfun/wire/loans.h"

G_BEGIN_DECLS

/* Frames and descriptors over one socket that does not block. Both sides use it: it never waits,
 * and it reads and writes independently of each other, so that full buffers in both directions are
 * no deadlock. What one half does alone is asked of it, as by channel_out_flush (&channel->out). */
typedef struct
{
  int fd;
  ChannelIn in;
  ChannelOut out;
  gpointer memory; /* (nullable): of both rings */
  gsize memory_size;
  gboolean accepts_ring;
  gboolean accepts_shares;
  ArenaIn arena;
  Loans loans;
  guint yield_pause;    /* how often channel_yield() is not to */
  guint n_vain;         /* times that it was patient, and nothing came */
  guint patience_pause; /* how often it is not to be */
} Channel;

#define CHANNEL_DEFAULT_LIMIT ((gsize)1 << 30)

/* Takes @fd. A payload of more than @limit bytes is refused before anything is allocated for it. */
Channel *channel_new (int fd, gsize limit);
void channel_free (Channel *self);

/* Accepts payloads of up to @limit bytes, if it has not accepted larger ones before. */
void channel_raise_limit (Channel *self, gsize limit);

/* For another descriptor, which it owns, too; nothing is under way. The memory of a new one would
 * be the largest that a small call takes. */
void channel_reopen (Channel *self, int fd);

/* Whose frames may come; at first, all. */
void channel_set_senders (Channel *self, FrameSenders senders);

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

/* Ends it for the other side at once, also where another process holds a copy of the descriptor. */
void channel_shut_down (Channel *self);

ChannelStatus channel_receive (Channel *self, Frame *frame, GError **error);

/* How far the ring has what comes: a position as in.ring has it. 0: nothing comes by it. */
guint64 channel_get_arrived (Channel *self);

/* TRUE: frames come by the ring, and by the socket, which poll() may have found readable, comes
 * more than wake-ups. */
gboolean channel_is_disturbed (Channel *self, gboolean is_readable);

/* The processor that the other side was on when it last sent something; -1: unknown. */
int channel_get_cpu (Channel *self);

/* For users who await nothing: something has come, or nothing will come any more. */
gboolean channel_has_spoken (Channel *self);

/* Lets the other side have the processor for some microseconds, since sleeping and waking up takes
 * longer than most answers. TRUE: something has come, or nothing will come any more. */
gboolean channel_yield (Channel *self);

/* For a process that has nothing else to do: how long, in µs, channel_yield() looks where the other
 * side has a processor of its own; 0: as long as is usual. To be woken takes a thread three times
 * as long as a short function, most of all where the processor sleeps by then. */
#define CHANNEL_PATIENCE_US 100
void channel_set_patience (guint us);
gboolean channel_is_patient (void);

/* The same for the next of several frames, for a shorter time, and only where the other side has a
 * processor of its own. */
gboolean channel_linger (Channel *self);

/* Before poll() is asked about the descriptor, which then is readable when something comes. TRUE:
 * there is something already, of which poll() knows nothing. */
gboolean channel_fall_asleep (Channel *self);

/* For threads with nothing else to do: wait until a frame is there, or until all is written. */
ChannelStatus channel_receive_blocking (Channel *self, Frame *frame, GError **error);
void channel_flush_blocking (Channel *self);

/* The same, but CHANNEL_AGAIN when no frame came within @ms milliseconds; -1: any time. */
ChannelStatus channel_receive_within (Channel *self, Frame *frame, int ms, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Channel, channel_free)

G_END_DECLS
