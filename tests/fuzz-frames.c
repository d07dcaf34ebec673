/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Frames that somebody else wrote: how they come, by a socket with descriptors or by memory that
 * the other side can write, and what is in some of them. */

#include "tests/fuzz-targets.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include "procfun/procfun-error.h"
#include "procfun/values/parts.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/error-frame.h"
#include "procfun/wire/sandbox-frame.h"
#include "procfun/wire/setup.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define PAYLOAD_MAX ((gsize)256 * 1024)

enum
{
  SOCKET_ACCEPTS_RING = 1 << 0,
  SOCKET_SHARES = 1 << 1,
  SOCKET_TRUSTS = 1 << 2,
  SOCKET_OFFERS_RING = 1 << 3,
  SOCKET_HAS_TURNS = 1 << 4,
  SOCKET_TAKES_REST = 1 << 5,
  SOCKET_PEEKS = 1 << 6,
  SOCKET_GIVES_BACK = 1 << 7
};

enum
{
  MEMORY_OF_RING = 1 << 0,  /* as large as that of two rings */
  MEMORY_IS_SEALED = 1 << 1 /* nobody can change it */
};

static void
touch_frame (const Frame *frame)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (frame->payload, &size);

  fuzz_touch (data, size);
  for (guint i = 0; frame->parts != NULL && i < frame->parts->len; i++)
    {
      data = g_bytes_get_data (g_array_index (frame->parts, Part, i).bytes, &size);
      fuzz_touch (data, size);
    }
}

static void
receive_all (Channel *channel, guint8 flags)
{
  ChannelStatus status;

  do
    {
      g_auto (Frame) frame = { 0 };
      g_autoptr (GError) error = NULL;
      FrameHeader header;

      if ((flags & SOCKET_HAS_TURNS) != 0)
        channel_in_begin_turn (&channel->in);
      if ((flags & SOCKET_PEEKS) != 0 && channel_in_peek (&channel->in, &header) == CHANNEL_FRAME)
        {
          g_autofree guint8 *payload = g_malloc (header.size);

          channel_in_peek_payload (&channel->in, &header, payload);
          fuzz_touch (payload, header.size);
        }
      status = channel_receive (channel, &frame, &error);
      g_assert_true ((status == CHANNEL_FAILED) == (error != NULL));
      if (status == CHANNEL_FRAME)
        touch_frame (&frame);
    }
  while (status == CHANNEL_FRAME);
}

/* -1: there is none to have. */
static int
make_memory (guint8 kind, GBytes *content)
{
  const gsize size = g_bytes_get_size (content);
  const struct iovec part = { (gpointer)g_bytes_get_data (content, NULL), size };
  int fd;

  if ((kind & MEMORY_IS_SEALED) != 0)
    return memfd_new_sealed ("fuzz", &part, 1);
  fd = memfd_new ("fuzz", (kind & MEMORY_OF_RING) != 0 ? ring_get_pair_size () : MAX (size, 1),
                  NULL);
  if (fd >= 0 && pwrite (fd, part.iov_base, part.iov_len, 0) < 0)
    fd_clear (&fd);
  return fd;
}

static void
send_piece (int fd, const guint8 *data, gsize size, int *fds, guint n_fds)
{
  union
  {
    struct cmsghdr align;
    char room[CMSG_SPACE (sizeof (int) * 8)];
  } control = { 0 };
  struct iovec part = { (gpointer)data, size };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

  if (n_fds > 0)
    {
      struct cmsghdr *cmsg = &control.align;

      message.msg_control = &control;
      message.msg_controllen = CMSG_SPACE (sizeof (int) * n_fds);
      cmsg->cmsg_level = SOL_SOCKET;
      cmsg->cmsg_type = SCM_RIGHTS;
      cmsg->cmsg_len = CMSG_LEN (sizeof (int) * n_fds);
      memcpy (CMSG_DATA (cmsg), fds, sizeof (int) * n_fds);
    }
  g_assert_cmpint (sendmsg (fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL), !=, 0);
}

/* Pieces of what is left of the input, each with descriptors in front: of the memory, several
 * times. */
static void
send_pieces (FuzzInput *input, Channel *channel, int other, int memory, guint8 flags)
{
  while (input->size > 0)
    {
      const guint8 how = fuzz_take_byte (input);
      const gsize size = how < 0xf8 ? (gsize)(how >> 3) * (how >> 3) + 1 : G_MAXSIZE;
      g_autoptr (GBytes) piece = fuzz_take_bytes (input, size);
      int fds[8] = { memory, memory, memory, memory, memory, memory, memory, memory };

      if (g_bytes_get_size (piece) > 0)
        send_piece (other, g_bytes_get_data (piece, NULL), g_bytes_get_size (piece), fds,
                    memory >= 0 ? how & 7 : 0);
      receive_all (channel, flags);
    }
}

void
fuzz_socket (const guint8 *data, gsize size)
{
  static const FrameSenders senders[]
      = { FRAME_FROM_ALL, FRAME_FROM_CALLER | FRAME_FROM_CHANNEL,
          FRAME_FROM_CALLEE | FRAME_FROM_CHANNEL, FRAME_FROM_CALLEE };
  FuzzInput input = { data, size };
  const guint8 sender = fuzz_take_byte (&input);
  const guint8 flags = fuzz_take_byte (&input);
  const guint8 kind = fuzz_take_byte (&input);
  g_autoptr (GBytes) content = fuzz_take_bytes (&input, fuzz_take_short (&input));
  g_autoptr (Channel) channel = NULL;
  auto_fd int memory = g_bytes_get_size (content) > 0 ? make_memory (kind, content) : -1;
  int fds[2];

  if (!fds_open_socketpair (fds, NULL))
    return;
  channel = channel_new (fds[0], PAYLOAD_MAX);
  channel_set_senders (channel, senders[sender % G_N_ELEMENTS (senders)]);
  if ((flags & SOCKET_ACCEPTS_RING) != 0)
    channel_accept_ring (channel);
  if ((flags & SOCKET_SHARES) != 0)
    channel_share (channel, SHARE_ARENA, (flags & SOCKET_TRUSTS) != 0);
  if ((flags & SOCKET_OFFERS_RING) != 0)
    channel_offer_ring (channel);
  channel_out_flush (&channel->out);
  send_pieces (&input, channel, fds[1], memory, flags);
  if ((flags & SOCKET_GIVES_BACK) != 0)
    channel_give_back (channel);
  shutdown (fds[1], SHUT_WR);
  if ((flags & SOCKET_TAKES_REST) != 0)
    channel_in_take_rest (&channel->in);
  receive_all (channel, flags);
  close (fds[1]);
}

/* The ring: memory in front of a page that cannot be read. */

static guint8 *ring_memory;
static gsize ring_mapped;
static int ring_fds[2] = { -1, -1 };

static guint8 *
get_ring (void)
{
  const gsize page = (gsize)sysconf (_SC_PAGESIZE);
  const gsize pages = (ring_get_pair_size () + page - 1) / page * page;

  if (ring_memory == NULL)
    {
      ring_mapped = pages + page;
      ring_memory
          = mmap (NULL, ring_mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      g_assert_true (ring_memory != MAP_FAILED);
      g_assert_cmpint (mprotect (ring_memory + pages, page, PROT_NONE), ==, 0);
      g_assert_true (fds_open_socketpair (ring_fds, NULL));
    }
  return ring_memory + pages - ring_get_pair_size ();
}

void
fuzz_ring_clear (void)
{
  if (ring_memory != NULL)
    munmap (ring_memory, ring_mapped);
  ring_memory = NULL;
  fd_clear (&ring_fds[0]);
  fd_clear (&ring_fds[1]);
}

/* Of a ring, without its data. */
static gsize
get_head_size (void)
{
  return ring_get_pair_size () / 2 - RING_SIZE;
}

static void
fill_head (FuzzInput *input, guint8 *ring)
{
  g_autoptr (GBytes) head = fuzz_take_bytes (input, get_head_size ());

  memset (ring, 0, get_head_size ());
  if (g_bytes_get_size (head) > 0)
    memcpy (ring, g_bytes_get_data (head, NULL), g_bytes_get_size (head));
}

/* From a position on, which is one in an endless row of bytes. */
static void
fill_data (FuzzInput *input, guint8 *ring, guint64 position)
{
  guint8 *data = ring + get_head_size ();

  memset (data, 0, 64);
  while (input->size > 0)
    data[position++ & (RING_SIZE - 1)] = fuzz_take_byte (input);
}

static void
receive_by_ring (ChannelIn *in, gboolean peeks)
{
  ChannelStatus status;

  do
    {
      g_auto (Frame) frame = { 0 };
      g_autoptr (GError) error = NULL;
      FrameHeader header;

      if (peeks && channel_in_peek (in, &header) == CHANNEL_FRAME)
        {
          g_autofree guint8 *payload = g_malloc (header.size);

          channel_in_peek_payload (in, &header, payload);
          channel_in_take (in, &header);
          status = CHANNEL_FRAME;
          continue;
        }
      status = channel_in_receive (in, TRUE, &frame, &error);
      g_assert_true ((status == CHANNEL_FAILED) == (error != NULL));
    }
  while (status == CHANNEL_FRAME);
}

static void
write_to_ring (RingEnd *out, GBytes *content)
{
  const struct iovec part
      = { (gpointer)g_bytes_get_data (content, NULL), g_bytes_get_size (content) };

  if (ring_write (out, &part, part.iov_len > 0 ? 1 : 0, sizeof (FrameHeader)) == RING_WRITTEN)
    ring_take_sleeper (out);
  ring_get_taken (out);
  ring_is_closed (out);
}

void
fuzz_ring (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  guint8 *ring = get_ring ();
  const guint8 flags = fuzz_take_byte (&input);
  g_autoptr (GBytes) content = fuzz_take_bytes (&input, fuzz_take_byte (&input));
  ChannelIn in;
  RingEnd out;

  channel_in_init (&in, ring_fds[0], PAYLOAD_MAX);
  ring_open_pair (ring, TRUE, &in.ring, &out);
  in.by_ring = TRUE;
  in.ring.position = fuzz_take_word (&input);
  out.position = fuzz_take_word (&input);
  fill_head (&input, ring + ring_get_pair_size () / 2); /* of what it reads */
  fill_head (&input, ring);
  fill_data (&input, ring + ring_get_pair_size () / 2, in.ring.position);
  write_to_ring (&out, content);
  if ((flags & 1) != 0)
    channel_in_begin_turn (&in);
  if ((flags & 2) != 0)
    channel_in_take_rest (&in);
  receive_by_ring (&in, (flags & 4) != 0);
  if ((flags & 8) != 0)
    ring_fall_asleep (&in.ring);
  ring_get_cpu (&in.ring);
  ring_close (&in.ring);
  channel_in_clear (&in);
}

/* Contents of frames */

static void
check_setup (const Setup *setup)
{
  g_autoptr (GBytes) bytes = setup_to_bytes (setup);
  g_autoptr (GVariant) holder = NULL;
  g_auto (Setup) again = { 0 };

  g_assert_true (setup_from_bytes (&again, bytes, &holder, NULL));
  g_assert_cmpstr (again.codec, ==, setup->codec);
  g_assert_cmpstr (again.identity, ==, setup->identity);
  g_assert_cmpstr (again.folder, ==, setup->folder);
  g_assert_cmpstr (again.locale, ==, setup->locale);
  g_assert_cmpstr (again.name, ==, setup->name);
  g_assert_cmpuint (again.depth, ==, setup->depth);
  g_assert_cmpuint (again.max_payload, ==, setup->max_payload);
  g_assert_true ((again.limits == NULL) == (setup->limits == NULL));
  g_assert_true (setup->limits == NULL || procfun_limits_equal (again.limits, setup->limits));
  g_assert_true ((again.context == NULL) == (setup->context == NULL));
}

void
fuzz_setup (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GVariant) holder = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Setup) setup = { 0 };

  if (setup_from_bytes (&setup, bytes, &holder, &error))
    check_setup (&setup);
  else
    g_assert_nonnull (error);
}

void
fuzz_error (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) error = error_from_bytes (bytes);
  g_autoptr (GBytes) again_bytes = error_to_bytes (error);
  g_autoptr (GError) again = error_from_bytes (again_bytes);

  g_assert_cmpint (again->code, ==, error->code);
  g_assert_cmpuint (again->domain, ==, error->domain);
  g_assert_cmpstr (again->message, ==, error->message);
}

static void
touch_paths (const char *const *paths)
{
  for (; paths != NULL && *paths != NULL; paths++)
    fuzz_touch (*paths, strlen (*paths) + 1);
}

void
fuzz_sandbox (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;
  SandboxOrder order;

  if (sandbox_from_bytes (&order, bytes, &error))
    {
      g_assert_cmpint (order.level, <=, PROCFUN_SANDBOX_PURE_COMPUTE);
      g_assert_nonnull (order.writable);
      if (order.filter != NULL)
        fuzz_touch (order.filter, order.filter_size);
      touch_paths (order.writable);
      touch_paths (order.readable);
      sandbox_order_clear (&order);
    }
  else
    g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
}
