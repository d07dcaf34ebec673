/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/channel-in.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/pages.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Room to receive several small frames at once. A process that has one call mostly sends a single
 * frame, for which the smaller one is enough. */
#define BUFFER_SIZE ((gsize)8 * 1024)
#define FIRST_BUFFER_SIZE ((gsize)1024)

/* A socket gives no more at once. Tools that check memory look at all that a system call is
 * offered, each time. */
#define TRANSFER_MAX ((gsize)1024 * 1024)

#define TURN_FRAMES 64
#define TURN_BYTES ((gsize)64 * 1024)

static void
clear_fd (gpointer fd)
{
  fd_clear (fd);
}

void
channel_in_init (ChannelIn *self, int fd, gsize limit)
{
  *self = (ChannelIn){ .fd = fd, .limit = limit, .senders = FRAME_FROM_ALL };
}

void
channel_in_clear (ChannelIn *self)
{
  g_clear_pointer (&self->fds, g_array_unref);
  pages_free (self->payload, self->header.size);
  g_free (self->data);
}

void
channel_in_reopen (ChannelIn *self, int fd)
{
  self->fd = fd;
  self->start = self->end = 0;
}

static void
push_fd (ChannelIn *self, int fd)
{
  if (self->fds == NULL)
    {
      self->fds = g_array_new (FALSE, FALSE, sizeof fd);
      g_array_set_clear_func (self->fds, clear_fd);
    }
  g_array_append_val (self->fds, fd);
}

static guint
count_fds (const ChannelIn *self)
{
  return self->fds != NULL ? self->fds->len : 0;
}

/* The kernel gives the lowest numbers, also those of standard streams that the program has closed.
 */
static void
take_fds (ChannelIn *self, struct msghdr *message)
{
  for (struct cmsghdr *cmsg = CMSG_FIRSTHDR (message); cmsg != NULL;
       cmsg = CMSG_NXTHDR (message, cmsg))
    {
      gsize size = cmsg->cmsg_len - CMSG_LEN (0);

      if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
        continue;
      for (gsize at = 0; at + sizeof (int) <= size; at += sizeof (int))
        {
          int fd;

          memcpy (&fd, CMSG_DATA (cmsg) + at, sizeof fd);
          fds_move_up (&fd); /* where there is no other, it stays */
          push_fd (self, fd);
        }
    }
}

static gssize
read_some (ChannelIn *self, void *data, gsize size)
{
  union
  {
    struct cmsghdr align;
    char room[CMSG_SPACE (sizeof (int) * FRAME_MAX_FDS)];
  } control;
  const gsize max_size = self->has_rest ? MIN (self->rest_size, TRANSFER_MAX) : TRANSFER_MAX;
  struct iovec part = { data, MIN (size, max_size) };
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };
  gssize n;

  if (self->has_rest && self->rest_size == 0)
    return 0;
  do
    n = recvmsg (self->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n <= 0)
    return n;
  take_fds (self, &message);
  self->bytes_left -= MIN (self->bytes_left, (gsize)n);
  self->rest_size -= MIN (self->rest_size, (gsize)n);
  return n;
}

/* Reads into the buffer, behind what is there. */
static gssize
read_to_buffer (ChannelIn *self)
{
  gssize n;

  if (self->start > 0)
    memmove (self->data, self->data + self->start, self->end - self->start);
  self->end -= self->start;
  self->start = 0;
  if (self->data == NULL)
    self->data = g_malloc (self->room = FIRST_BUFFER_SIZE);
  n = read_some (self, self->data + self->end, self->room - self->end);
  if (n > 0)
    self->end += (gsize)n;
  if (self->end == self->room && self->room < BUFFER_SIZE)
    self->data = g_realloc (self->data, self->room = BUFFER_SIZE);
  return n;
}

static gboolean
fail_for_fds (GError **error)
{
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                       _ ("the other side sent other descriptors than it announced"));
  return FALSE;
}

/* Descriptors come with the first byte of their frame. So none come with a payload, and one read
 * brings those of two frames at most. */
static gboolean
check_fds (ChannelIn *self, guint n_before, gboolean is_payload, GError **error)
{
  if (count_fds (self) > n_before && (is_payload || count_fds (self) > 2 * FRAME_MAX_FDS))
    {
      g_array_set_size (self->fds, 0);
      return fail_for_fds (error);
    }
  return TRUE;
}

/* Reads into the payload when one is awaited, into the buffer else. */
static ChannelStatus
fill (ChannelIn *self, GError **error)
{
  const gboolean is_payload = self->payload != NULL && self->start == self->end;
  const guint n_fds = count_fds (self);
  gssize n;

  if (is_payload)
    {
      n = read_some (self, self->payload + self->payload_filled,
                     self->header.size - self->payload_filled);
      if (n > 0)
        self->payload_filled += (gsize)n;
    }
  else
    n = read_to_buffer (self);
  if (n > 0)
    return check_fds (self, n_fds, is_payload, error) ? CHANNEL_FRAME : CHANNEL_FAILED;
  if (n < 0 && errno == EAGAIN)
    return CHANNEL_AGAIN;
  if (n < 0 && self->failure == 0 && errno != EPIPE && errno != ECONNRESET)
    self->failure = errno;
  if (self->failure == 0)
    return CHANNEL_END;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL, _ ("the channel does not work: %s"),
               g_strerror (self->failure));
  return CHANNEL_FAILED;
}

/* Where no other frame begins in the buffer, all descriptors are those of this one. */
static gboolean
has_announced_fds (const ChannelIn *self)
{
  const gsize after_header = self->end - self->start - sizeof (FrameHeader);

  const guint n_fds = count_fds (self);

  return self->header.n_fds == n_fds
         || (self->header.n_fds < n_fds && self->header.size < after_header);
}

static gboolean
start_payload (ChannelIn *self, GError **error)
{
  memcpy (&self->header, self->data + self->start, sizeof (FrameHeader));
  if (!frame_header_check (&self->header, self->limit, self->senders, error))
    return FALSE;
  if (!has_announced_fds (self))
    return fail_for_fds (error);
  self->payload = pages_new (self->header.size);
  if (self->payload == NULL)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("there is no memory for the %" PRIu64 " bytes that the other side sends"),
                   self->header.size);
      return FALSE;
    }
  self->start += sizeof (FrameHeader);
  self->payload_filled = 0;
  return TRUE;
}

/* An object for those of a process would take a tenth of a forked call. */
static void
take_announced_fds (ChannelIn *self, Frame *frame)
{
  const guint n = self->header.n_fds;
  const int *fds = (const int *)(gpointer)self->fds->data;

  if (frame->type == FRAME_CHILD)
    {
      memcpy (frame->child_fds, fds, n * sizeof *fds);
      frame->n_child_fds = n;
    }
  else
    frame->fds = g_unix_fd_list_new_from_array (fds, (int)n);
  g_array_set_clear_func (self->fds, NULL); /* they are the frame's now */
  g_array_remove_range (self->fds, 0, n);
  g_array_set_clear_func (self->fds, clear_fd);
}

static void
finish_frame (ChannelIn *self, Frame *frame)
{
  frame->type = self->header.type;
  frame->call_id = self->header.call_id;
  frame->fds = NULL;
  frame->parts = NULL;
  frame->n_child_fds = 0;
  if (self->header.n_fds > 0)
    take_announced_fds (self, frame);
  frame->payload = pages_to_bytes (g_steal_pointer (&self->payload), self->header.size);
}

/* Of a turn. Words that wake the reader do not count, as they are read outside of turns, too. */
static ChannelStatus
fill_within_bounds (ChannelIn *self, GError **error)
{
  if (!self->has_turns || self->bytes_left > 0)
    return fill (self, error);
  self->has_more = TRUE;
  return CHANNEL_AGAIN;
}

static ChannelStatus
receive_by_socket (ChannelIn *self, Frame *frame, GError **error)
{
  for (;;)
    {
      gsize available = self->end - self->start;
      ChannelStatus status;

      if (self->payload == NULL && available >= sizeof (FrameHeader))
        {
          if (!start_payload (self, error))
            return CHANNEL_FAILED;
          available -= sizeof (FrameHeader);
        }
      if (self->payload != NULL)
        {
          gsize n = MIN (available, self->header.size - self->payload_filled);

          memcpy (self->payload + self->payload_filled, self->data + self->start, n);
          self->payload_filled += n;
          self->start += n;
          if (self->payload_filled == self->header.size)
            {
              finish_frame (self, frame);
              return CHANNEL_FRAME;
            }
        }
      status = fill_within_bounds (self, error);
      if (status != CHANNEL_FRAME)
        return status;
    }
}

/* By the ring */

static gboolean
fail_for_nonsense (GError **error)
{
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                       _ ("the other side sent something that is no frame"));
  return FALSE;
}

static gsize
get_ring_filled (ChannelIn *self)
{
  gsize filled = ring_get_filled (&self->ring);

  return self->has_rest && filled <= RING_SIZE
             ? MIN (filled, (gsize)(self->ring_end - self->ring.position))
             : filled;
}

/* A frame is written whole, or not at all. */
static gboolean
read_from_ring (ChannelIn *self, gsize filled, Frame *frame, GError **error)
{
  FrameHeader header;
  gpointer payload;

  if (filled < sizeof header || filled > RING_SIZE)
    return fail_for_nonsense (error);
  ring_read (&self->ring, &header, sizeof header);
  if (!frame_header_check (&header, self->limit, self->senders, error))
    return FALSE;
  if (header.size > filled - sizeof header || header.n_fds > 0)
    return fail_for_nonsense (error);
  payload = g_malloc (header.size);
  ring_read (&self->ring, payload, header.size);
  *frame = (Frame){ .type = header.type,
                    .call_id = header.call_id,
                    .payload = g_bytes_new_take (payload, header.size) };
  return TRUE;
}

static void
peek (ChannelIn *self, gsize offset, gpointer data, gsize size)
{
  if (self->by_ring)
    ring_peek (&self->ring, offset, data, size);
  else
    memcpy (data, self->data + self->start + offset, size);
}

/* In the buffer there may be a part of a payload, or descriptors before a frame. */
ChannelStatus
channel_in_peek (ChannelIn *self, FrameHeader *header)
{
  const gsize filled = self->by_ring ? ring_get_filled (&self->ring) : self->end - self->start;

  if (filled == 0)
    return CHANNEL_AGAIN;
  if (filled < sizeof *header || filled > RING_SIZE || self->has_rest
      || (!self->by_ring && (self->payload != NULL || count_fds (self) > 0)))
    return CHANNEL_FAILED;
  peek (self, 0, header, sizeof *header);
  return frame_header_check (header, self->limit, self->senders, NULL)
                 && header->size <= filled - sizeof *header && header->n_fds == 0
             ? CHANNEL_FRAME
             : CHANNEL_FAILED;
}

void
channel_in_peek_payload (ChannelIn *self, const FrameHeader *header, gpointer payload)
{
  peek (self, sizeof *header, payload, header->size);
}

void
channel_in_take (ChannelIn *self, const FrameHeader *header)
{
  if (self->by_ring)
    ring_take (&self->ring, sizeof *header + header->size);
  else
    self->start += sizeof *header + header->size;
}

static gboolean
next_is_wake (ChannelIn *self)
{
  FrameHeader header;

  memcpy (&header, self->data + self->start, sizeof header);
  return frame_header_check (&header, 0, FRAME_FROM_CHANNEL, NULL) && header.type == FRAME_WAKE;
}

/* While the ring is empty, the socket can only bring a wake-up, the end, or frames that follow a
 * word in the ring that was not there before. CHANNEL_FRAME: look at the ring again. */
static ChannelStatus
look_at_socket (ChannelIn *self, GError **error)
{
  ChannelStatus status = CHANNEL_AGAIN;

  if (self->end - self->start < sizeof (FrameHeader))
    status = fill (self, error);
  while (self->end - self->start >= sizeof (FrameHeader) && next_is_wake (self))
    self->start += sizeof (FrameHeader);
  if (status == CHANNEL_FAILED || get_ring_filled (self) > 0)
    return status == CHANNEL_FAILED ? CHANNEL_FAILED : CHANNEL_FRAME;
  if (self->end - self->start >= sizeof (FrameHeader))
    return fail_for_nonsense (error) ? CHANNEL_FRAME : CHANNEL_FAILED;
  return status == CHANNEL_END ? CHANNEL_END : CHANNEL_AGAIN;
}

gboolean
channel_in_read_ahead (ChannelIn *self)
{
  if (self->by_ring)
    return ring_get_filled (&self->ring) > 0;
  if (self->payload != NULL || self->start != self->end)
    return TRUE;
  return read_to_buffer (self) >= 0 || errno != EAGAIN;
}

gboolean
channel_in_wake_up (ChannelIn *self)
{
  ChannelStatus status;

  if (!self->by_ring)
    return channel_in_read_ahead (self);
  status = look_at_socket (self, NULL);
  return status == CHANNEL_FRAME || status == CHANNEL_AGAIN;
}

static ChannelStatus
receive_by_ring (ChannelIn *self, gboolean look, Frame *frame, GError **error)
{
  gsize filled = get_ring_filled (self);

  if (filled == 0 && look)
    {
      ChannelStatus status = look_at_socket (self, error);

      if (status != CHANNEL_FRAME)
        return status;
      filled = get_ring_filled (self);
    }
  if (filled == 0)
    return CHANNEL_AGAIN;
  return read_from_ring (self, filled, frame, error) ? CHANNEL_FRAME : CHANNEL_FAILED;
}

ChannelStatus
channel_in_receive (ChannelIn *self, gboolean look, Frame *frame, GError **error)
{
  ChannelStatus status;

  if (self->has_turns && self->frames_left == 0)
    {
      self->has_more = TRUE;
      return CHANNEL_AGAIN;
    }
  status = self->by_ring ? receive_by_ring (self, look, frame, error)
                         : receive_by_socket (self, frame, error);
  if (status == CHANNEL_FRAME && self->has_turns)
    self->frames_left--;
  return status;
}

void
channel_in_begin_turn (ChannelIn *self)
{
  self->has_turns = TRUE;
  self->has_more = FALSE;
  self->frames_left = TURN_FRAMES;
  self->bytes_left = TURN_BYTES;
}

void
channel_in_take_rest (ChannelIn *self)
{
  int n = 0;

  self->rest_size = ioctl (self->fd, FIONREAD, &n) == 0 ? (gsize)MAX (n, 0) : BUFFER_SIZE;
  if (self->by_ring || self->ring.memory != NULL)
    self->ring_end = self->ring.position + ring_get_filled (&self->ring);
  self->has_rest = TRUE;
}

gboolean
channel_in_check (ChannelIn *self, const FrameHeader *header, GError **error)
{
  if (!frame_header_check (header, self->limit, self->senders & ~(FrameSenders)FRAME_FROM_CHANNEL,
                           error))
    return FALSE;
  if (header->size >= self->bytes_left)
    self->frames_left = 0;
  self->bytes_left -= MIN (self->bytes_left, header->size);
  return TRUE;
}

gsize
channel_in_get_begun (const ChannelIn *self, FrameType type, guint32 call_id)
{
  if (self->payload == NULL || self->header.type != type || self->header.call_id != call_id)
    return 0;
  return sizeof self->header + self->payload_filled;
}

gboolean
channel_in_is_filled (ChannelIn *self)
{
  return self->by_ring ? ring_get_filled (&self->ring) > 0 : self->start != self->end;
}

void
channel_in_end (ChannelIn *self)
{
  if (self->ring.memory != NULL)
    ring_close (&self->ring);
  shutdown (self->fd, SHUT_RD);
}
