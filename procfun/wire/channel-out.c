/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/channel-out.h"

#include "procfun/platform/pages.h"
#include "procfun/values/parts.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A socket takes no more at once. Tools that check memory look at all that a system call is
 * offered, each time. */
#define TRANSFER_MAX ((gsize)1024 * 1024)

#define COPY_MAX                                                                                   \
  ((gsize)4 * 1024) /* payloads up to this size are joined with their header:                      \
                       one write */

/* From so many bytes on, new memory is cheaper than to copy them out of memory that is there. */
#define ALONE_MIN ((gsize)8 * 1024 * 1024)

/* Where the kernel has no memory for a frame, poll() still says that the socket takes more. So each
 * try makes a pause, and the channel is broken when no try has worked for so long. */
#define NO_MEMORY_PAUSE_US 1000
#define NO_MEMORY_MAX_US (2 * G_USEC_PER_SEC)

/* A part of the output: bytes, and the descriptors that go with the first of them. */
typedef struct
{
  GBytes *bytes;
  GUnixFDList *fds; /* (nullable) */
  gsize written;
  gboolean is_word; /* from channel to channel; their users know nothing of it */
} Chunk;

static void
chunk_free (Chunk *self)
{
  g_bytes_unref (self->bytes);
  g_clear_object (&self->fds);
  g_free (self);
}

void
channel_out_init (ChannelOut *self, int fd)
{
  *self = (ChannelOut){ .fd = fd };
  g_queue_init (&self->chunks);
}

void
channel_out_clear (ChannelOut *self)
{
  g_queue_clear_full (&self->chunks, (GDestroyNotify)chunk_free);
  arena_out_clear (&self->arena);
}

static void
push_chunk (ChannelOut *self, GBytes *bytes, GUnixFDList *fds, gboolean is_word)
{
  Chunk *chunk = g_new0 (Chunk, 1);

  chunk->bytes = bytes;
  chunk->fds = fds != NULL ? g_object_ref (fds) : NULL;
  chunk->is_word = is_word;
  g_queue_push_tail (&self->chunks, chunk);
  if (!is_word)
    self->n_queued += g_bytes_get_size (bytes);
}

static void
send_by_socket (ChannelOut *self, const struct iovec parts[2], GBytes *payload, GUnixFDList *fds)
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
  push_chunk (self, g_bytes_new_take (head, head_size), fds, FALSE);
  if (payload_size > joined)
    push_chunk (self, g_bytes_ref (payload), NULL, FALSE);
}

/* With no payload, from channel to channel. */
void
channel_out_send_word (ChannelOut *self, FrameType type, GUnixFDList *fds)
{
  FrameHeader header;

  frame_header_init (&header, type, 0, fds != NULL ? 1 : 0, 0);
  push_chunk (self, g_bytes_new (&header, sizeof header), fds, TRUE);
}

static gboolean
write_to_ring (ChannelOut *self, const struct iovec *parts, guint n_parts, gsize spare)
{
  RingStatus status = ring_write (&self->ring, parts, n_parts, spare);

  self->has_news = TRUE;
  if (status == RING_CLOSED)
    self->is_broken = TRUE;
  return status != RING_FULL;
}

/* There is always room to say so. */
static void
turn_to_socket (ChannelOut *self)
{
  FrameHeader header;
  const struct iovec part = { &header, sizeof header };

  frame_header_init (&header, FRAME_BY_SOCKET, 0, 0, 0);
  if (!write_to_ring (self, &part, 1, 0))
    self->is_broken = TRUE; /* the other side writes nonsense into the ring */
  self->by_ring = FALSE;
}

void
channel_out_turn_to_ring (ChannelOut *self)
{
  channel_out_send_word (self, FRAME_BY_RING, NULL);
  self->by_ring = TRUE;
}

/* FALSE: it has to go by the socket. */
static gboolean
send_by_ring (ChannelOut *self, const struct iovec *parts, guint n_parts, gsize size)
{
  if (!self->by_ring)
    {
      if (!ring_has_room (&self->ring, size + sizeof (FrameHeader)))
        return FALSE;
      channel_out_turn_to_ring (self);
    }
  return write_to_ring (self, parts, n_parts, sizeof (FrameHeader));
}

static gboolean
has_arena (const ChannelOut *self)
{
  return self->share_mode == SHARE_ARENA || self->share_mode == SHARE_LARGE_OR_ARENA;
}

/* FALSE: there is no memory for it. */
static gboolean
place (ChannelOut *self, const ArenaContent *content, FrameShared *shared, int *fd)
{
  const gboolean is_large = self->share_mode != SHARE_SEALED || content->value != NULL;

  shared->index = ARENA_SEALED;
  *fd = !has_arena (self) || (self->share_mode != SHARE_ARENA && content->size >= ALONE_MIN)
            ? arena_seal (content, is_large)
            : -1;
  if (*fd < 0 && has_arena (self))
    return arena_out_put (&self->arena, content, &shared->index, fd);
  return *fd >= 0;
}

/* (transfer full): @fd, which it takes, and @fds after it. */
static GUnixFDList *
join_fds (int fd, GUnixFDList *fds)
{
  g_autoptr (GUnixFDList) all = g_unix_fd_list_new_from_array (&fd, 1);
  int n = 0;
  const int *others = fds != NULL ? g_unix_fd_list_peek_fds (fds, &n) : NULL;

  for (int i = 0; i < n; i++)
    if (g_unix_fd_list_append (all, others[i], NULL) < 0)
      return NULL;
  return g_steal_pointer (&all);
}

/* FALSE: it has to go as it is. */
static gboolean
send_shared (ChannelOut *self, FrameHeader *header, const ArenaContent *content, GUnixFDList *fds)
{
  FrameShared shared = { .header = *header };
  g_autoptr (GUnixFDList) all = NULL;
  int fd;

  if (header->n_fds == FRAME_MAX_FDS || !place (self, content, &shared, &fd))
    return FALSE;
  if (fd >= 0 && (all = join_fds (fd, fds)) == NULL)
    {
      arena_out_drop (&self->arena, shared.index);
      return FALSE;
    }
  shared.has_memory = fd >= 0;
  channel_out_send (self, FRAME_SHARED, header->call_id, &shared, sizeof shared, NULL,
                    all != NULL ? all : fds);
  return TRUE;
}

/* By the ring, or by the socket. */
static void
send_whole (ChannelOut *self, const FrameHeader *header, gconstpointer prefix, gsize prefix_size,
            GBytes *payload, GUnixFDList *fds)
{
  struct iovec parts[]
      = { { (gpointer)header, sizeof *header }, { (gpointer)prefix, prefix_size }, { NULL, 0 } };

  if (payload != NULL)
    parts[2].iov_base = (gpointer)g_bytes_get_data (payload, &parts[2].iov_len);
  if (header->n_fds == 0 && header->size <= COPY_MAX && g_atomic_int_get (&self->may_use_ring)
      && send_by_ring (self, parts, G_N_ELEMENTS (parts), sizeof *header + header->size))
    return;
  if (self->by_ring)
    turn_to_socket (self);
  send_by_socket (self, parts, payload, header->n_fds > 0 ? fds : NULL);
}

void
channel_out_send (ChannelOut *self, FrameType type, guint32 call_id, gconstpointer prefix,
                  gsize prefix_size, GBytes *payload, GUnixFDList *fds)
{
  const int n_fds = fds != NULL ? g_unix_fd_list_get_length (fds) : 0;
  const gsize size = prefix_size + (payload != NULL ? g_bytes_get_size (payload) : 0);
  FrameHeader header;

  g_return_if_fail (n_fds <= FRAME_MAX_FDS);

  frame_header_init (&header, type, call_id, (guint)n_fds, size);
  if (size >= CHANNEL_SHARE_MIN && self->share_mode != SHARE_NOTHING)
    {
      ArenaContent content = { .parts = { { (gpointer)prefix, prefix_size } }, .size = size };

      if (payload != NULL)
        content.parts[1].iov_base = (gpointer)g_bytes_get_data (payload, &content.parts[1].iov_len);
      if (send_shared (self, &header, &content, n_fds > 0 ? fds : NULL))
        return;
    }
  send_whole (self, &header, prefix, prefix_size, payload, fds);
}

/* Most values need new memory for this, and large pages of it are had much sooner. (transfer full)
 */
static GBytes *
serialise (GVariant *value)
{
  const gsize size = g_variant_get_size (value);
  gpointer data = parts_is_built (value) ? pages_new (size) : NULL;

  if (data == NULL)
    return g_variant_get_data_as_bytes (value);
  g_variant_store (value, data);
  return pages_to_bytes (data, size);
}

void
channel_out_send_value (ChannelOut *self, FrameType type, guint32 call_id, gconstpointer prefix,
                        gsize prefix_size, GVariant *value, GUnixFDList *fds)
{
  const int n_fds = fds != NULL ? g_unix_fd_list_get_length (fds) : 0;
  const ArenaContent content = { .parts = { { (gpointer)prefix, prefix_size } },
                                 .value = value,
                                 .size = prefix_size + g_variant_get_size (value) };
  g_autoptr (GBytes) payload = NULL;
  FrameHeader header;

  frame_header_init (&header, type, call_id, (guint)n_fds, content.size);
  if (self->share_mode != SHARE_NOTHING && send_shared (self, &header, &content, fds))
    return;
  payload = serialise (value);
  if (self->share_mode != SHARE_SEALED)
    send_whole (self, &header, prefix, prefix_size, payload, fds);
  else
    channel_out_send (self, type, call_id, prefix, prefix_size, payload, fds);
}

gboolean
channel_out_send_by_ring (ChannelOut *self, FrameType type, guint32 call_id, gconstpointer prefix,
                          gsize prefix_size, gconstpointer payload, gsize size)
{
  FrameHeader header;
  const struct iovec parts[] = { { &header, sizeof header },
                                 { (gpointer)prefix, prefix_size },
                                 { (gpointer)payload, size } };

  if (!self->by_ring || size > COPY_MAX - prefix_size || !channel_out_is_empty (self))
    return FALSE;
  frame_header_init (&header, type, call_id, 0, prefix_size + size);
  return write_to_ring (self, parts, G_N_ELEMENTS (parts), sizeof header);
}

gboolean
channel_out_is_empty (const ChannelOut *self)
{
  return self->chunks.length == 0;
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
write_chunks (ChannelOut *self)
{
  union
  {
    struct cmsghdr align;
    char room[CMSG_SPACE (sizeof (int) * FRAME_MAX_FDS)];
  } control = { 0 };
  struct iovec parts[16];
  struct msghdr message = { .msg_iov = parts };

  for (GList *l = self->chunks.head; l != NULL && message.msg_iovlen < G_N_ELEMENTS (parts);
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
drop_written (ChannelOut *self, gsize written)
{
  while (written > 0)
    {
      Chunk *chunk = g_queue_peek_head (&self->chunks);
      gsize n = MIN (written, g_bytes_get_size (chunk->bytes) - chunk->written);

      if (!chunk->is_word)
        self->n_written += n;
      chunk->written += n;
      written -= n;
      if (chunk->written == g_bytes_get_size (chunk->bytes))
        chunk_free (g_queue_pop_head (&self->chunks));
    }
}

/* Written at once if nothing is queued. What the socket does not take is queued as the rest of a
 * chunk, and so is all of it when that fails: the next channel_out_flush() tells why. */
static void
write_or_queue (ChannelOut *self, struct iovec *parts, guint n_parts, gboolean is_word)
{
  const struct msghdr message = { .msg_iov = parts, .msg_iovlen = n_parts };
  gsize size = 0;
  gssize written = 0;
  guint8 *data, *end;

  for (guint i = 0; i < n_parts; i++)
    size += parts[i].iov_len;
  if (channel_out_is_empty (self) && !self->is_broken)
    written = sendmsg (self->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  written = MAX (written, 0);
  if (!is_word)
    self->n_written += (gsize)written;
  if ((gsize)written == size)
    {
      if (!is_word)
        self->n_queued += size;
      return;
    }
  data = end = g_malloc (size);
  for (guint i = 0; i < n_parts; i++)
    if (parts[i].iov_len > 0)
      end = mempcpy (end, parts[i].iov_base, parts[i].iov_len);
  push_chunk (self, g_bytes_new_take (data, size), NULL, is_word);
  ((Chunk *)g_queue_peek_tail (&self->chunks))->written = (gsize)written;
}

void
channel_out_send_now (ChannelOut *self, FrameType type, guint32 call_id, gconstpointer prefix,
                      gsize prefix_size, gconstpointer payload, gsize size)
{
  FrameHeader header;
  struct iovec parts[] = { { &header, sizeof header },
                           { (gpointer)prefix, prefix_size },
                           { (gpointer)payload, size } };

  g_return_if_fail (!self->by_ring);

  frame_header_init (&header, type, call_id, 0, prefix_size + size);
  write_or_queue (self, parts, G_N_ELEMENTS (parts), FALSE);
}

/* The reader of the ring looks at the socket only when it sleeps; chunks on their way there wake
 * it, too. */
static void
wake_reader (ChannelOut *self)
{
  FrameHeader header;
  struct iovec part = { &header, sizeof header };

  if (self->has_news && ring_take_sleeper (&self->ring) && channel_out_is_empty (self))
    {
      frame_header_init (&header, FRAME_WAKE, 0, 0, 0);
      write_or_queue (self, &part, 1, TRUE);
    }
  self->has_news = FALSE;
}

/* FALSE: there has been none for too long. */
static gboolean
await_memory (ChannelOut *self)
{
  const gint64 now = g_get_monotonic_time ();

  if (self->held_up == 0)
    self->held_up = now;
  if (now - self->held_up > NO_MEMORY_MAX_US)
    return FALSE;
  g_usleep (NO_MEMORY_PAUSE_US);
  return TRUE;
}

/* Reading may bring the last words of the other side, and tells of the failure then. */
static void
break_off (ChannelOut *self, int failure)
{
  if (self->failure == 0 && failure != EPIPE && failure != ECONNRESET)
    self->failure = failure;
  self->is_broken = TRUE;
  g_queue_clear_full (&self->chunks, (GDestroyNotify)chunk_free);
  shutdown (self->fd, SHUT_WR); /* the other side need not wait for the rest */
}

void
channel_out_flush (ChannelOut *self)
{
  wake_reader (self);
  while (!channel_out_is_empty (self))
    {
      gssize written = write_chunks (self);
      int failure = written > 0 ? 0 : errno;

      if (failure != ENOBUFS)
        self->held_up = 0;
      if (written > 0)
        drop_written (self, (gsize)written);
      else if (failure == EAGAIN || (failure == ENOBUFS && await_memory (self)))
        return;
      else if (failure != EINTR)
        break_off (self, failure);
    }
  if (self->is_ending)
    shutdown (self->fd, SHUT_WR);
  self->is_ending = FALSE;
}

void
channel_out_end (ChannelOut *self)
{
  self->is_ending = TRUE;
  channel_out_flush (self);
}

void
channel_out_get_mark (const ChannelOut *self, ChannelMark *mark)
{
  mark->by_socket = self->n_queued;
  mark->by_ring = self->ring.position;
}

static gboolean
has_taken (ChannelOut *self, const ChannelMark *mark)
{
  return self->n_written > mark->by_socket
         || (self->ring.memory != NULL && ring_get_taken (&self->ring) > mark->by_ring);
}

/* Frames in the ring may be read as long as the other side lives, and it says so when it closes. */
gboolean
channel_out_has_lost (ChannelOut *self, const ChannelMark *mark)
{
  if (!self->is_broken || has_taken (self, mark))
    return FALSE;
  return self->ring.memory == NULL || self->ring.position == mark->by_ring
         || !ring_is_closed (&self->ring);
}

gboolean
channel_out_has_lost_at_death (ChannelOut *self, const ChannelMark *mark)
{
  return !has_taken (self, mark);
}
