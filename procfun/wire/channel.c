/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/channel-private.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define COPY_MAX                                                                                   \
  ((gsize)4 * 1024) /* payloads up to this size are joined with their header: one write */

/* A part of the output: bytes, and the descriptors that go with the first of them. */
typedef struct
{
  GBytes *bytes;
  GUnixFDList *fds; /* (nullable) */
  gsize written;
  gboolean is_word; /* between the channels, of which those who use them know nothing */
} Chunk;

static void
chunk_free (Chunk *self)
{
  g_bytes_unref (self->bytes);
  g_clear_object (&self->fds);
  g_free (self);
}

void
channel_clear_fd (gpointer fd)
{
  fd_clear (fd);
}

Channel *
channel_new (int fd, gsize limit)
{
  Channel *self = g_new0 (Channel, 1);

  self->fd = fd;
  self->limit = limit;
  self->in = g_malloc (CHANNEL_IN_SIZE);
  self->in_fds = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_set_clear_func (self->in_fds, channel_clear_fd);
  g_queue_init (&self->output);
  return self;
}

void
channel_free (Channel *self)
{
  fd_clear (&self->fd);
  if (self->memory != NULL)
    memfd_unmap (self->memory, self->memory_size);
  g_queue_clear_full (&self->output, (GDestroyNotify)chunk_free);
  g_array_unref (self->in_fds);
  g_free (self->payload);
  g_free (self->in);
  g_free (self);
}

void
channel_reopen (Channel *self, int fd)
{
  g_assert (g_queue_is_empty (&self->output) && self->payload == NULL && self->memory == NULL);

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

static void
send_by_socket (Channel *self, const struct iovec parts[2], GBytes *payload, GUnixFDList *fds)
{
  gsize payload_size = payload != NULL ? g_bytes_get_size (payload) : 0;
  gsize joined = payload_size <= COPY_MAX ? payload_size : 0;
  gsize head_size = parts[0].iov_len + parts[1].iov_len + joined;
  guint8 *head = g_malloc (head_size);
  guint8 *end = mempcpy (head, parts[0].iov_base, parts[0].iov_len);

  if (parts[1].iov_len > 0)
    end = mempcpy (end, parts[1].iov_base, parts[1].iov_len);
  if (joined > 0)
    memcpy (end, g_bytes_get_data (payload, NULL), joined);
  push_chunk (self, g_bytes_new_take (head, head_size), fds);
  if (payload_size > joined)
    push_chunk (self, g_bytes_ref (payload), NULL);
}

/* With no payload, from channel to channel. */
static void
send_word (Channel *self, FrameType type, GUnixFDList *fds)
{
  FrameHeader header;
  Chunk *word;

  frame_header_init (&header, type, 0, fds != NULL ? 1 : 0, 0);
  push_chunk (self, g_bytes_new (&header, sizeof header), fds);
  word = g_queue_peek_tail (&self->output);
  word->is_word = TRUE;
}

static gboolean
write_to_ring (Channel *self, const struct iovec *parts, guint n_parts, gsize spare)
{
  RingStatus status = ring_write (&self->ring_out, parts, n_parts, spare);

  self->wakes = TRUE;
  if (status == RING_CLOSED)
    self->broken = TRUE;
  return status != RING_FULL;
}

/* There is always room to say so. */
static void
turn_to_socket (Channel *self)
{
  FrameHeader header;
  const struct iovec part = { &header, sizeof header };

  frame_header_init (&header, FRAME_BY_SOCKET, 0, 0, 0);
  if (!write_to_ring (self, &part, 1, 0))
    self->broken = TRUE; /* the other side writes nonsense into the ring */
  self->out_by_ring = FALSE;
}

void
channel_turn_to_ring (Channel *self)
{
  send_word (self, FRAME_BY_RING, NULL);
  self->out_by_ring = TRUE;
}

/* FALSE: it has to go by the socket. */
static gboolean
send_by_ring (Channel *self, const struct iovec *parts, guint n_parts, gsize size)
{
  if (!self->out_by_ring)
    {
      if (!ring_has_room (&self->ring_out, size + sizeof (FrameHeader)))
        return FALSE;
      channel_turn_to_ring (self);
    }
  return write_to_ring (self, parts, n_parts, sizeof (FrameHeader));
}

void
channel_send (Channel *self, FrameType type, guint32 call_id, gconstpointer prefix,
              gsize prefix_size, GBytes *payload, GUnixFDList *fds)
{
  int n_fds = fds != NULL ? g_unix_fd_list_get_length (fds) : 0;
  struct iovec body = { NULL, 0 };
  FrameHeader header;
  gsize size;

  g_return_if_fail (n_fds <= FRAME_MAX_FDS);

  if (payload != NULL)
    body.iov_base = (gpointer)g_bytes_get_data (payload, &body.iov_len);
  size = prefix_size + body.iov_len;
  frame_header_init (&header, type, call_id, (guint)n_fds, size);
  {
    const struct iovec parts[]
        = { { &header, sizeof header }, { (gpointer)prefix, prefix_size }, body };

    if (n_fds == 0 && size <= COPY_MAX && g_atomic_int_get (&self->both_have_ring)
        && send_by_ring (self, parts, G_N_ELEMENTS (parts), sizeof header + size))
      return;
    if (self->out_by_ring)
      turn_to_socket (self);
    send_by_socket (self, parts, payload, n_fds > 0 ? fds : NULL);
  }
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
      parts[message.msg_iovlen++].iov_len = MIN (size - chunk->written, CHANNEL_TRANSFER_MAX);
      if (size - chunk->written > CHANNEL_TRANSFER_MAX)
        break;
    }
  return sendmsg (self->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
drop_written (Channel *self, gsize written)
{
  while (written > 0)
    {
      Chunk *chunk = g_queue_peek_head (&self->output);
      gsize n = MIN (written, g_bytes_get_size (chunk->bytes) - chunk->written);

      if (!chunk->is_word)
        self->bytes_written += n;
      chunk->written += n;
      written -= n;
      if (chunk->written == g_bytes_get_size (chunk->bytes))
        chunk_free (g_queue_pop_head (&self->output));
    }
}

void
channel_note_failure (Channel *self)
{
  if (self->failure == 0 && errno != EPIPE && errno != ECONNRESET)
    self->failure = errno;
}

/* Who reads the ring looks at the socket only when it sleeps; what is on its way there wakes it,
 * too.
 */
static void
wake_reader (Channel *self)
{
  if (self->wakes && ring_take_sleeper (&self->ring_out) && !channel_has_output (self))
    send_word (self, FRAME_WAKE, NULL);
  self->wakes = FALSE;
}

void
channel_flush (Channel *self)
{
  wake_reader (self);
  while (channel_has_output (self))
    {
      gssize written = write_chunks (self);

      if (written > 0)
        drop_written (self, (gsize)written);
      else if (errno == EAGAIN || errno == ENOBUFS)
        return;
      else if (errno != EINTR) /* reading may bring the other side's last words, and tells then */
        {
          channel_note_failure (self);
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
channel_shut_down (Channel *self)
{
  shutdown (self->fd, SHUT_RDWR);
}

void
channel_end_output (Channel *self)
{
  self->ending = TRUE;
  channel_flush (self);
}

void
channel_get_mark (Channel *self, ChannelMark *mark)
{
  mark->by_socket = self->bytes_written;
  mark->by_ring = self->ring_out.position;
}

/* What is in the ring may be read as long as the other side lives, which it said when it closed. */
gboolean
channel_has_lost (Channel *self, const ChannelMark *mark)
{
  if (!self->broken || self->bytes_written > mark->by_socket)
    return FALSE;
  if (self->memory == NULL || self->ring_out.position == mark->by_ring)
    return TRUE;
  return !ring_is_closed (&self->ring_out) && ring_get_taken (&self->ring_out) <= mark->by_ring;
}

/* The ring */

gboolean
channel_map_ring (Channel *self, int fd, gboolean is_first)
{
  self->memory = memfd_map (fd, &self->memory_size);
  if (self->memory != NULL && self->memory_size < ring_get_pair_size ())
    {
      memfd_unmap (self->memory, self->memory_size);
      self->memory = NULL;
    }
  if (self->memory != NULL)
    ring_open_pair (self->memory, is_first, &self->ring_in, &self->ring_out);
  return self->memory != NULL;
}

void
channel_offer_ring (Channel *self)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  int fd = memfd_new ("procfun-ring", ring_get_pair_size (), NULL);

  if (fd >= 0 && channel_map_ring (self, fd, TRUE) && g_unix_fd_list_append (fds, fd, NULL) >= 0)
    send_word (self, FRAME_RING, fds);
  fd_clear (&fd);
}

void
channel_accept_ring (Channel *self)
{
  self->accepts_ring = TRUE;
}
