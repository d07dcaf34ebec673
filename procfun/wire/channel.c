/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/channel.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include "procfun/platform/schedule.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

/* Times to yield. Two sides that take turns on one processor need no more, and two sides with a
 * processor each get the answer meanwhile. */
#define YIELDS 20

/* Where other processes want the processor, to yield means to wait for them. The time that it takes
 * tells of them, and then the channel yields no more for a while. */
#define YIELD_MAX_US 50
#define YIELD_PAUSE 64

/* Where the other side has a processor of its own, a thread that looks without a pause sees the
 * answer at once. */
#define SPIN_MAX_US 10

/* A channel that was patient in vain so many times is not for the next 2, 4, 8 … times. */
#define VAIN_MAX 5

/* Between two answers of a worker that has several calls. */
#define LINGER_US 3

static gint patience; /* in µs (atomic) */

Channel *
channel_new (int fd, gsize limit)
{
  Channel *self = g_new0 (Channel, 1);

  self->fd = fd;
  arena_in_init (&self->arena);
  channel_in_init (&self->in, fd, limit);
  channel_out_init (&self->out, fd);
  return self;
}

void
channel_raise_limit (Channel *self, gsize limit)
{
  self->in.limit = MAX (self->in.limit, limit);
}

void
channel_free (Channel *self)
{
  fd_clear (&self->fd);
  if (self->memory != NULL)
    memfd_unmap (self->memory, self->memory_size);
  arena_in_clear (&self->arena);
  loans_clear (&self->loans);
  channel_in_clear (&self->in);
  channel_out_clear (&self->out);
  g_free (self);
}

void
channel_reopen (Channel *self, int fd)
{
  g_assert (channel_out_is_empty (&self->out) && self->in.payload == NULL && self->memory == NULL);

  fd_clear (&self->fd);
  self->fd = fd;
  channel_in_reopen (&self->in, fd);
  channel_out_init (&self->out, fd);
}

void
channel_set_senders (Channel *self, FrameSenders senders)
{
  self->in.senders = senders;
}

/* Sending */

gboolean
channel_check_fds (GUnixFDList *fds, GError **error)
{
  int n = fds != NULL ? g_unix_fd_list_get_length (fds) : 0;

  if (n <= FRAME_MAX_FDS)
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
               _ ("there are %d descriptors, but %d is the limit"), n, FRAME_MAX_FDS);
  return FALSE;
}

void
channel_send (Channel *self, FrameType type, guint32 call_id, gconstpointer prefix,
              gsize prefix_size, GBytes *payload, GUnixFDList *fds)
{
  g_return_if_fail (fds == NULL || g_unix_fd_list_get_length (fds) <= FRAME_MAX_FDS);

  channel_out_send (&self->out, type, call_id, prefix, prefix_size, payload, fds);
}

gboolean
channel_can_lend (Channel *self, gconstpointer data, gsize size)
{
  return loans_can_lend (&self->loans, data, size);
}

gboolean
channel_send_lent (Channel *self, FrameType type, guint32 call_id, gconstpointer prefix,
                   gsize prefix_size, GBytes *payload, GUnixFDList *fds, const GArray *parts)
{
  const int n_fds = fds != NULL ? g_unix_fd_list_get_length (fds) : 0;
  g_autoptr (GByteArray) head = g_byte_array_new ();
  g_autoptr (GUnixFDList) all = NULL;
  FrameHeader header;

  frame_header_init (&header, type, call_id, (guint)n_fds,
                     prefix_size + g_bytes_get_size (payload));
  if (!self->loans.is_open || !loans_write (&self->loans, &header, parts, fds, head, &all))
    return FALSE;
  g_byte_array_append (head, prefix, (guint)prefix_size);
  channel_out_send (&self->out, FRAME_LENT, call_id, head->data, head->len, payload, all);
  return TRUE;
}

gboolean
channel_keeps_memory (Channel *self)
{
  return g_atomic_pointer_get (&self->loans.borrower) != NULL || arena_in_is_there (&self->arena)
         || arena_out_is_there (&self->out.arena);
}

void
channel_give_back (Channel *self)
{
  arena_in_give_back (&self->arena);
  arena_out_give_back (&self->out.arena);
  if (g_atomic_pointer_get (&self->loans.borrower) != NULL)
    borrower_give_back (self->loans.borrower);
}

gpointer
channel_get_loan_table (Channel *self)
{
  return self->loans.lender != NULL ? self->loans.lender->table : NULL;
}

void
channel_sweep (Channel *self)
{
  if (self->loans.lender != NULL)
    lender_sweep (self->loans.lender);
}

void
channel_shut_down (Channel *self)
{
  shutdown (self->fd, SHUT_RDWR);
}

/* The ring */

/* FALSE: @fd brings no memory for it. */
static gboolean
map_ring (Channel *self, int fd, gboolean is_first)
{
  gboolean is_constant;

  if (memfd_check (fd, &is_constant) < ring_get_pair_size () || is_constant)
    return FALSE;
  self->memory = memfd_map (fd, &self->memory_size);
  if (self->memory != NULL)
    ring_open_pair (self->memory, is_first, &self->in.ring, &self->out.ring);
  return self->memory != NULL;
}

void
channel_offer_ring (Channel *self)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  int fd = memfd_new ("procfun-ring", ring_get_pair_size (), NULL);

  if (fd >= 0 && map_ring (self, fd, TRUE) && g_unix_fd_list_append (fds, fd, NULL) >= 0)
    channel_out_send_word (&self->out, FRAME_RING, fds);
  fd_clear (&fd);
}

void
channel_accept_ring (Channel *self)
{
  self->accepts_ring = TRUE;
}

static gboolean
take_ring (Channel *self, GUnixFDList *fds)
{
  int fd = fds != NULL && self->accepts_ring ? g_unix_fd_list_get (fds, 0, NULL) : -1;
  gboolean ok = fd >= 0 && self->memory == NULL && map_ring (self, fd, FALSE);

  fd_clear (&fd);
  return ok;
}

/* Shared payloads */

static gboolean
fail_for_word (GError **error)
{
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                       _ ("the other side sent something that is no frame"));
  return FALSE;
}

void
channel_share (Channel *self, ShareMode mode, gboolean trusts)
{
  self->accepts_shares = TRUE;
  self->arena.trusts = trusts;
  self->loans.is_open = TRUE;
  self->loans.trusts = trusts;
  self->loans.places
      = mode == SHARE_ARENA || mode == SHARE_LARGE_OR_ARENA ? &self->out.arena : NULL;
  self->loans.placed = &self->arena;
  self->out.share_mode = mode;
}

/* Takes the first descriptor out of the list. */
static int
take_first_fd (Frame *frame)
{
  g_autofree int *fds = NULL;
  int n;

  if (frame->fds == NULL)
    return -1;
  fds = g_unix_fd_list_steal_fds (frame->fds, &n);
  g_clear_object (&frame->fds);
  if (n > 1)
    frame->fds = g_unix_fd_list_new_from_array (fds + 1, n - 1);
  return fds[0];
}

/* The frame that @frame stands for takes its place. */
static gboolean
unfold (Channel *self, Frame *frame, GError **error)
{
  auto_fd int fd = -1;
  FrameShared shared;
  GBytes *payload;

  memcpy (&shared, g_bytes_get_data (frame->payload, NULL), sizeof shared);
  if (shared.has_memory)
    fd = take_first_fd (frame);
  if (!self->accepts_shares || (fd >= 0) != (shared.has_memory != 0)
      || shared.header.n_fds != (frame->fds != NULL ? g_unix_fd_list_get_length (frame->fds) : 0))
    return fail_for_word (error);
  if (shared.header.type != FRAME_LENT && !channel_in_check (&self->in, &shared.header, error))
    return FALSE;
  if (shared.header.type == FRAME_LENT
      && !frame_header_check (&shared.header, self->in.limit, FRAME_FROM_CHANNEL, error))
    return FALSE;
  payload = arena_in_take (&self->arena, shared.index, fd, shared.header.size, error);
  if (payload == NULL)
    return FALSE;
  g_bytes_unref (frame->payload);
  frame->payload = payload;
  frame->type = shared.header.type;
  frame->call_id = shared.header.call_id;
  return TRUE;
}

static gboolean
check_lent (const FrameHeader *header, gpointer user_data, GError **error)
{
  return channel_in_check (&((Channel *)user_data)->in, header, error);
}

/* Receiving */

static ChannelStatus
fail_for_writing (Channel *self, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL, _ ("the channel does not work: %s"),
               g_strerror (self->out.failure));
  return CHANNEL_FAILED;
}

/* Words from channel to channel. */
static gboolean
handle_word (Channel *self, const Frame *frame, GError **error)
{
  if (frame->type == FRAME_RING && take_ring (self, frame->fds))
    {
      g_atomic_int_set (&self->out.may_use_ring, TRUE);
      channel_out_turn_to_ring (&self->out);
    }
  else if (frame->type == FRAME_BY_RING && self->memory != NULL)
    {
      g_atomic_int_set (&self->out.may_use_ring, TRUE);
      self->in.by_ring = TRUE;
    }
  else if (frame->type == FRAME_BY_SOCKET && self->in.by_ring)
    self->in.by_ring = FALSE;
  else if (frame->type != FRAME_WAKE)
    return fail_for_word (error);
  return TRUE;
}

static ChannelStatus
receive_looking (Channel *self, gboolean look, Frame *frame, GError **error)
{
  for (;;)
    {
      ChannelStatus status = channel_in_receive (&self->in, look, frame, error);
      gboolean ok;

      if (status == CHANNEL_END && self->out.failure != 0)
        return fail_for_writing (self, error);
      if (status != CHANNEL_FRAME || !frame_is_word (frame))
        return status;
      ok = frame->type != FRAME_SHARED || unfold (self, frame, error);
      if (ok && frame->type == FRAME_LENT)
        ok = loans_read (&self->loans, frame, check_lent, self, error);
      if (ok && !frame_is_word (frame))
        return CHANNEL_FRAME;
      ok = ok && handle_word (self, frame, error);
      frame_clear (frame);
      if (!ok)
        return CHANNEL_FAILED;
    }
}

ChannelStatus
channel_receive (Channel *self, Frame *frame, GError **error)
{
  return receive_looking (self, TRUE, frame, error);
}

guint64
channel_get_arrived (Channel *self)
{
  const gsize filled = self->in.by_ring ? ring_get_filled (&self->in.ring) : 0;

  return filled > 0 && filled <= RING_SIZE ? self->in.ring.position + filled : 0;
}

gboolean
channel_is_disturbed (Channel *self, gboolean is_readable)
{
  return self->in.by_ring
         && ((is_readable && !channel_in_wake_up (&self->in)) || self->in.start != self->in.end);
}

int
channel_get_cpu (Channel *self)
{
  return self->in.by_ring ? ring_get_cpu (&self->in.ring) : -1;
}

gboolean
channel_has_spoken (Channel *self)
{
  g_auto (Frame) frame = { 0 };

  channel_in_begin_turn (&self->in);
  return channel_receive (self, &frame, NULL) != CHANNEL_AGAIN;
}

/* Waiting */

static gboolean
has_own_processor (Channel *self)
{
  int cpu = channel_get_cpu (self);

  return cpu >= 0 && !schedule_is_on (cpu);
}

static gboolean
spin (Channel *self, gint64 us)
{
  const gint64 until = g_get_monotonic_time () + us;

  do
    for (int i = 0; i < 16; i++)
      {
        if (channel_in_read_ahead (&self->in))
          return TRUE;
        schedule_relax ();
      }
  while (g_get_monotonic_time () < until);
  return FALSE;
}

void
channel_set_patience (guint us)
{
  g_atomic_int_set (&patience, (gint)us);
}

gboolean
channel_is_patient (void)
{
  return g_atomic_int_get (&patience) > 0;
}

static gboolean
is_patient (Channel *self)
{
  if (!channel_is_patient ())
    return FALSE;
  if (self->patience_pause == 0)
    return TRUE;
  self->patience_pause--;
  return FALSE;
}

/* Without yielding: where others want the processor, who yields may wait for longer than it would
 * have slept. */
static gboolean
spin_patiently (Channel *self)
{
  const gboolean is_there = spin (self, g_atomic_int_get (&patience));

  self->n_vain = is_there ? 0 : MIN (self->n_vain + 1, VAIN_MAX);
  self->patience_pause = is_there ? 0 : 1U << self->n_vain;
  return is_there;
}

gboolean
channel_yield (Channel *self)
{
  gint64 before;

  if (self->yield_pause > 0)
    {
      self->yield_pause--;
      return channel_in_read_ahead (&self->in);
    }
  if (has_own_processor (self))
    return is_patient (self) ? spin_patiently (self) : spin (self, SPIN_MAX_US);
  before = g_get_monotonic_time ();
  for (int i = 0; i < YIELDS && self->yield_pause == 0; i++)
    {
      gint64 now;

      sched_yield ();
      now = g_get_monotonic_time ();
      if (now - before > YIELD_MAX_US)
        self->yield_pause = YIELD_PAUSE;
      if (channel_in_read_ahead (&self->in))
        return TRUE;
      before = now;
    }
  return FALSE;
}

gboolean
channel_linger (Channel *self)
{
  return has_own_processor (self) && spin (self, LINGER_US);
}

gboolean
channel_fall_asleep (Channel *self)
{
  if (!self->in.by_ring)
    return FALSE;
  ring_fall_asleep (&self->in.ring);
  return ring_get_filled (&self->in.ring) > 0;
}

/* FALSE: the time is up. */
static gboolean
wait_for (Channel *self, gushort events, int ms)
{
  GPollFD poll_fd = { .fd = self->fd, .events = events };
  int n;

  do
    n = fds_poll (&poll_fd, 1, ms);
  while (n < 0 && errno == EINTR);
  return n != 0;
}

ChannelStatus
channel_receive_within (Channel *self, Frame *frame, int ms, GError **error)
{
  gboolean look = FALSE;
  ChannelStatus status;

  while ((status = receive_looking (self, look, frame, error)) == CHANNEL_AGAIN)
    {
      look = !channel_yield (self);
      if (look && !channel_fall_asleep (self) && !wait_for (self, G_IO_IN, ms))
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
  for (channel_out_flush (&self->out); !channel_out_is_empty (&self->out);
       channel_out_flush (&self->out))
    wait_for (self, G_IO_OUT, -1);
}
