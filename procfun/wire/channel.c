/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/channel.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/intl.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#define IN_SIZE ((gsize)8 * 1024) /* room to receive several small frames at once */
#define COPY_MAX                                                                                   \
  ((gsize)4 * 1024) /* payloads up to this size are joined with their header: one write */

/* More than a socket takes or gives at once. Tools that check memory look at all that a system call
 * is offered, each time. */
#define TRANSFER_MAX ((gsize)1024 * 1024)

/* A part of the output: bytes, and the descriptors that go with the first of them. */
typedef struct
{
  GBytes *bytes;
  GUnixFDList *fds; /* (nullable) */
  gsize written;
} Chunk;

struct _Channel
{
  int fd;
  gsize limit;

  GQueue output;   /* (element-type Chunk) */
  gboolean ending; /* the other side is to be told when the output is written */

  guint8 *in; /* received, not yet looked at: from in_start to in_end */
  gsize in_start;
  gsize in_end;
  GArray *in_fds; /* (element-type int) received, not yet given to a frame */

  FrameHeader header; /* of the frame being received, when payload is not NULL */
  guint8 *payload;
  gsize payload_filled;

  guint64 bytes_written;
  guint yield_pause; /* how often channel_yield() is not to */
  gboolean broken;   /* what was written is lost */
  int failure;       /* the errno of what could not be written or read, or 0 */
};

static void
chunk_free (Chunk *self)
{
  g_bytes_unref (self->bytes);
  g_clear_object (&self->fds);
  g_free (self);
}

static void
clear_fd (gpointer fd)
{
  fd_clear (fd);
}

Channel *
channel_new (int fd, gsize limit)
{
  Channel *self = g_new0 (Channel, 1);

  self->fd = fd;
  self->limit = limit;
  self->in = g_malloc (IN_SIZE);
  self->in_fds = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_set_clear_func (self->in_fds, clear_fd);
  g_queue_init (&self->output);
  return self;
}

void
channel_free (Channel *self)
{
  fd_clear (&self->fd);
  g_queue_clear_full (&self->output, (GDestroyNotify)chunk_free);
  g_array_unref (self->in_fds);
  g_free (self->payload);
  g_free (self->in);
  g_free (self);
}

void
channel_reopen (Channel *self, int fd)
{
  g_assert (g_queue_is_empty (&self->output) && self->payload == NULL);

  fd_clear (&self->fd);
  self->fd = fd;
  self->in_start = self->in_end = 0;
  self->bytes_written = 0;
}

int
channel_get_fd (Channel *self)
{
  return self->fd;
}

/* Writing */

static void
push_chunk (Channel *self, GBytes *bytes, GUnixFDList *fds)
{
  Chunk *chunk = g_new0 (Chunk, 1);

  chunk->bytes = bytes;
  chunk->fds = fds != NULL ? g_object_ref (fds) : NULL;
  g_queue_push_tail (&self->output, chunk);
}

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
  gsize payload_size = payload != NULL ? g_bytes_get_size (payload) : 0;
  gsize joined = payload_size <= COPY_MAX ? payload_size : 0;
  gsize head_size = sizeof (FrameHeader) + prefix_size + joined;
  guint8 *head;
  int n_fds = fds != NULL ? g_unix_fd_list_get_length (fds) : 0;

  g_return_if_fail (n_fds <= FRAME_MAX_FDS);

  head = g_malloc (head_size);
  frame_header_init ((gpointer)head, type, call_id, (guint)n_fds, prefix_size + payload_size);
  if (prefix_size > 0)
    memcpy (head + sizeof (FrameHeader), prefix, prefix_size);
  if (joined > 0)
    memcpy (head + sizeof (FrameHeader) + prefix_size, g_bytes_get_data (payload, NULL), joined);
  push_chunk (self, g_bytes_new_take (head, head_size), n_fds > 0 ? fds : NULL);
  if (payload_size > joined)
    push_chunk (self, g_bytes_ref (payload), NULL);
}

gboolean
channel_has_output (Channel *self)
{
  return !g_queue_is_empty (&self->output);
}

/* Fills @control with the descriptors that go with the beginning of a chunk. */
static void
attach_fds (struct msghdr *message, GUnixFDList *list, void *control)
{
  int n;
  const int *fds = g_unix_fd_list_peek_fds (list, &n);
  struct cmsghdr *cmsg;

  message->msg_control = control;
  message->msg_controllen = CMSG_SPACE (sizeof (int) * (gsize)n);
  cmsg = CMSG_FIRSTHDR (message);
  cmsg->cmsg_level = SOL_SOCKET;
  cmsg->cmsg_type = SCM_RIGHTS;
  cmsg->cmsg_len = CMSG_LEN (sizeof (int) * (gsize)n);
  memcpy (CMSG_DATA (cmsg), fds, sizeof (int) * (gsize)n);
}

/* One write of as many chunks as possible, up to the next one with descriptors. */
static gssize
write_chunks (Channel *self)
{
  union
  {
    struct cmsghdr align;
    char room[CMSG_SPACE (sizeof (int) * FRAME_MAX_FDS)];
  } control = { 0 };
  struct iovec parts[16];
  struct msghdr message = { .msg_iov = parts };

  for (GList *l = self->output.head; l != NULL && message.msg_iovlen < G_N_ELEMENTS (parts);
       l = l->next)
    {
      Chunk *chunk = l->data;
      gsize size;
      const guint8 *data = g_bytes_get_data (chunk->bytes, &size);

      if (chunk->fds != NULL && chunk->written == 0)
        {
          if (message.msg_iovlen > 0)
            break;
          attach_fds (&message, chunk->fds, &control);
        }
      parts[message.msg_iovlen].iov_base = (guint8 *)data + chunk->written;
      parts[message.msg_iovlen++].iov_len = MIN (size - chunk->written, TRANSFER_MAX);
      if (size - chunk->written > TRANSFER_MAX)
        break;
    }
  return sendmsg (self->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
drop_written (Channel *self, gsize written)
{
  self->bytes_written += written;
  while (written > 0)
    {
      Chunk *chunk = g_queue_peek_head (&self->output);
      gsize left = g_bytes_get_size (chunk->bytes) - chunk->written;

      if (written < left)
        {
          chunk->written += written;
          return;
        }
      written -= left;
      chunk_free (g_queue_pop_head (&self->output));
    }
}

/* That the other side is gone is no failure, but an end. */
static void
note_failure (Channel *self)
{
  if (self->failure == 0 && errno != EPIPE && errno != ECONNRESET)
    self->failure = errno;
}

void
channel_flush (Channel *self)
{
  while (channel_has_output (self))
    {
      gssize written = write_chunks (self);

      if (written > 0)
        drop_written (self, (gsize)written);
      else if (errno == EAGAIN || errno == ENOBUFS)
        return;
      else if (errno != EINTR) /* reading may bring the other side's last words, and tells then */
        {
          note_failure (self);
          self->broken = TRUE;
          g_queue_clear_full (&self->output, (GDestroyNotify)chunk_free);
          shutdown (self->fd, SHUT_WR); /* the other side need not wait for the rest */
        }
    }
  if (self->ending)
    shutdown (self->fd, SHUT_WR);
  self->ending = FALSE;
}

void
channel_end_output (Channel *self)
{
  self->ending = TRUE;
  channel_flush (self);
}

/* Reading */

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
  struct iovec part = { data, MIN (size, TRANSFER_MAX) };
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
      n = read_some (self, self->in + self->in_end, IN_SIZE - self->in_end);
      if (n > 0)
        self->in_end += (gsize)n;
    }
  if (n > 0)
    return CHANNEL_FRAME;
  if (n < 0 && errno == EAGAIN)
    return CHANNEL_AGAIN;
  if (n < 0)
    note_failure (self);
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
      g_array_set_clear_func (self->in_fds, clear_fd);
    }
  frame->payload = g_bytes_new_take (g_steal_pointer (&self->payload), self->header.size);
  return TRUE;
}

ChannelStatus
channel_receive (Channel *self, Frame *frame, GError **error)
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

gboolean
channel_has_input (Channel *self)
{
  return self->in_start != self->in_end;
}

/* Into the buffer, where it is empty. */
static gboolean
read_ahead (Channel *self)
{
  gssize n;

  if (self->payload != NULL || self->in_start != self->in_end)
    return TRUE;
  self->in_start = self->in_end = 0;
  n = read_some (self, self->in, IN_SIZE);
  if (n > 0)
    self->in_end = (gsize)n;
  return n >= 0 || errno != EAGAIN;
}

void
channel_end_input (Channel *self)
{
  shutdown (self->fd, SHUT_RD);
}

guint64
channel_get_bytes_written (Channel *self)
{
  return self->bytes_written;
}

gboolean
channel_is_broken (Channel *self)
{
  return self->broken;
}

/* Waiting */

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
      return read_ahead (self);
    }
  for (int i = 0; i < YIELDS && self->yield_pause == 0; i++)
    {
      gint64 now;

      sched_yield ();
      now = g_get_monotonic_time ();
      if (now - before > YIELD_MAX_US)
        self->yield_pause = YIELD_PAUSE;
      if (read_ahead (self))
        return TRUE;
      before = now;
    }
  return FALSE;
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
  ChannelStatus status;

  while ((status = channel_receive (self, frame, error)) == CHANNEL_AGAIN)
    if (!channel_yield (self) && !wait_for (self, POLLIN, ms))
      return CHANNEL_AGAIN;
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
