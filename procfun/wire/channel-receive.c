/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes over a channel. */

#include "procfun/wire/channel-private.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel gives the lowest numbers, also those of standard streams that the program has closed.
 */
static void
take_fds (Channel *self, struct msghdr *message)
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
          g_array_append_val (self->in_fds, fd);
        }
    }
}

static gssize
read_some (Channel *self, void *data, gsize size)
{
  union
  {
    struct cmsghdr align;
    char room[CMSG_SPACE (sizeof (int) * FRAME_MAX_FDS)];
  } control;
  struct iovec part = { data, MIN (size, CHANNEL_TRANSFER_MAX) };
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };
  gssize n;

  do
    n = recvmsg (self->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    take_fds (self, &message);
  return n;
}

/* Reads into the payload when one is awaited, into the buffer else. */
static ChannelStatus
fill (Channel *self, GError **error)
{
  gssize n;

  if (self->payload != NULL && self->in_start == self->in_end)
    {
      n = read_some (self, self->payload + self->payload_filled,
                     self->header.size - self->payload_filled);
      if (n > 0)
        self->payload_filled += (gsize)n;
    }
  else
    {
      if (self->in_start > 0)
        memmove (self->in, self->in + self->in_start, self->in_end - self->in_start);
      self->in_end -= self->in_start;
      self->in_start = 0;
      n = read_some (self, self->in + self->in_end, CHANNEL_IN_SIZE - self->in_end);
      if (n > 0)
        self->in_end += (gsize)n;
    }
  if (n > 0)
    return CHANNEL_FRAME;
  if (n < 0 && errno == EAGAIN)
    return CHANNEL_AGAIN;
  if (n < 0)
    channel_note_failure (self);
  if (self->failure == 0)
    return CHANNEL_END;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL, _ ("the channel does not work: %s"),
               g_strerror (self->failure));
  return CHANNEL_FAILED;
}

static gboolean
start_payload (Channel *self, GError **error)
{
  memcpy (&self->header, self->in + self->in_start, sizeof (FrameHeader));
  if (!frame_header_check (&self->header, self->limit, error))
    return FALSE;
  self->payload = g_try_malloc (MAX (self->header.size, 1));
  if (self->payload == NULL)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("there is no memory for the %" PRIu64 " bytes that the other side sends"),
                   self->header.size);
      return FALSE;
    }
  self->in_start += sizeof (FrameHeader);
  self->payload_filled = 0;
  return TRUE;
}

static gboolean
finish_frame (Channel *self, Frame *frame, GError **error)
{
  guint n_fds = self->header.n_fds;

  if (n_fds > self->in_fds->len || self->in_fds->len > 2 * FRAME_MAX_FDS)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("the other side sent other descriptors than it announced"));
      return FALSE;
    }
  frame->type = self->header.type;
  frame->call_id = self->header.call_id;
  frame->fds = NULL;
  if (n_fds > 0)
    {
      frame->fds
          = g_unix_fd_list_new_from_array ((const int *)(gpointer)self->in_fds->data, (int)n_fds);
      g_array_set_clear_func (self->in_fds, NULL); /* they are the list's now */
      g_array_remove_range (self->in_fds, 0, n_fds);
      g_array_set_clear_func (self->in_fds, channel_clear_fd);
    }
  frame->payload = g_bytes_new_take (g_steal_pointer (&self->payload), self->header.size);
  return TRUE;
}

static ChannelStatus
receive_by_socket (Channel *self, Frame *frame, GError **error)
{
  for (;;)
    {
      gsize available = self->in_end - self->in_start;
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

          memcpy (self->payload + self->payload_filled, self->in + self->in_start, n);
          self->payload_filled += n;
          self->in_start += n;
          if (self->payload_filled == self->header.size)
            return finish_frame (self, frame, error) ? CHANNEL_FRAME : CHANNEL_FAILED;
        }
      status = fill (self, error);
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

/* A frame is written whole, or not at all. */
static gboolean
read_from_ring (Channel *self, gsize filled, Frame *frame, GError **error)
{
  FrameHeader header;
  gpointer payload;

  if (filled < sizeof header || filled > RING_SIZE)
    return fail_for_nonsense (error);
  ring_read (&self->ring_in, &header, sizeof header);
  if (!frame_header_check (&header, self->limit, error))
    return FALSE;
  if (header.size > filled - sizeof header || header.n_fds > 0)
    return fail_for_nonsense (error);
  payload = g_malloc (header.size);
  ring_read (&self->ring_in, payload, header.size);
  *frame = (Frame){ .type = header.type,
                    .call_id = header.call_id,
                    .payload = g_bytes_new_take (payload, header.size) };
  return TRUE;
}

static gboolean
next_is_wake (Channel *self)
{
  FrameHeader header;

  memcpy (&header, self->in + self->in_start, sizeof header);
  return frame_header_check (&header, 0, NULL) && header.type == FRAME_WAKE;
}

/* While the ring is empty, the socket can only wake, end, or have what comes after a word in the
 * ring that was not there before. CHANNEL_FRAME: the ring is to be looked at again. */
static ChannelStatus
look_at_socket (Channel *self, GError **error)
{
  ChannelStatus status = CHANNEL_AGAIN;

  if (self->in_end - self->in_start < sizeof (FrameHeader))
    status = fill (self, error);
  while (self->in_end - self->in_start >= sizeof (FrameHeader) && next_is_wake (self))
    self->in_start += sizeof (FrameHeader);
  if (status == CHANNEL_FAILED || ring_get_filled (&self->ring_in) > 0)
    return status == CHANNEL_FAILED ? CHANNEL_FAILED : CHANNEL_FRAME;
  if (self->in_end - self->in_start >= sizeof (FrameHeader))
    return fail_for_nonsense (error) ? CHANNEL_FRAME : CHANNEL_FAILED;
  return status == CHANNEL_END ? CHANNEL_END : CHANNEL_AGAIN;
}

static ChannelStatus
receive_by_ring (Channel *self, gboolean look, Frame *frame, GError **error)
{
  gsize filled = ring_get_filled (&self->ring_in);

  if (filled == 0 && look)
    {
      ChannelStatus status = look_at_socket (self, error);

      if (status != CHANNEL_FRAME)
        return status;
      filled = ring_get_filled (&self->ring_in);
    }
  if (filled == 0)
    return CHANNEL_AGAIN;
  return read_from_ring (self, filled, frame, error) ? CHANNEL_FRAME : CHANNEL_FAILED;
}

static gboolean
take_ring (Channel *self, GUnixFDList *fds)
{
  int fd = fds != NULL && self->accepts_ring ? g_unix_fd_list_get (fds, 0, NULL) : -1;
  gboolean ok = fd >= 0 && self->memory == NULL && channel_map_ring (self, fd, FALSE);

  fd_clear (&fd);
  return ok;
}

/* What the channels say to each other. */
static gboolean
handle_word (Channel *self, const Frame *frame, GError **error)
{
  if (frame->type == FRAME_RING && take_ring (self, frame->fds))
    {
      g_atomic_int_set (&self->both_have_ring, TRUE);
      channel_turn_to_ring (self);
    }
  else if (frame->type == FRAME_BY_RING && self->memory != NULL)
    {
      g_atomic_int_set (&self->both_have_ring, TRUE);
      self->in_by_ring = TRUE;
    }
  else if (frame->type == FRAME_BY_SOCKET && self->in_by_ring)
    self->in_by_ring = FALSE;
  else if (frame->type != FRAME_WAKE)
    return fail_for_nonsense (error);
  return TRUE;
}

ChannelStatus
channel_receive_looking (Channel *self, gboolean look, Frame *frame, GError **error)
{
  for (;;)
    {
      ChannelStatus status = self->in_by_ring ? receive_by_ring (self, look, frame, error)
                                              : receive_by_socket (self, frame, error);
      gboolean ok;

      if (status != CHANNEL_FRAME || frame->type < FRAME_RING)
        return status;
      ok = handle_word (self, frame, error);
      frame_clear (frame);
      if (!ok)
        return CHANNEL_FAILED;
    }
}

ChannelStatus
channel_receive (Channel *self, Frame *frame, GError **error)
{
  return channel_receive_looking (self, TRUE, frame, error);
}

gboolean
channel_has_input (Channel *self)
{
  return self->in_by_ring ? ring_get_filled (&self->ring_in) > 0 : self->in_start != self->in_end;
}

int
channel_get_cpu (Channel *self)
{
  return self->in_by_ring ? ring_get_cpu (&self->ring_in) : -1;
}

gboolean
channel_has_spoken (Channel *self)
{
  g_auto (Frame) frame = { 0 };

  return channel_receive (self, &frame, NULL) != CHANNEL_AGAIN;
}

gboolean
channel_read_ahead (Channel *self)
{
  gssize n;

  if (self->in_by_ring)
    return ring_get_filled (&self->ring_in) > 0;
  if (self->payload != NULL || self->in_start != self->in_end)
    return TRUE;
  self->in_start = self->in_end = 0;
  n = read_some (self, self->in, CHANNEL_IN_SIZE);
  if (n > 0)
    self->in_end = (gsize)n;
  return n >= 0 || errno != EAGAIN;
}

void
channel_end_input (Channel *self)
{
  if (self->memory != NULL)
    ring_close (&self->ring_in);
  shutdown (self->fd, SHUT_RD);
}
