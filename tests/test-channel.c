/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/channel-ends.h"
#include "tests/faults.h"
#include "tests/fixture.h"

#include "procfun/platform/fds.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/channel.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define LIMIT ((gsize)1024 * 1024)

static void
write_raw (int fd, gconstpointer data, gsize size)
{
  g_assert_cmpint (write (fd, data, size), ==, size);
}

static void
assert_status (Channel *channel, ChannelStatus expected)
{
  g_auto (Frame) frame = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (channel_receive (channel, &frame, &error), ==, expected);
  if (expected != CHANNEL_FAILED)
    g_assert_no_error (error);
}

static void
assert_fails (Channel *channel, gint code)
{
  g_auto (Frame) frame = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (channel_receive (channel, &frame, &error), ==, CHANNEL_FAILED);
  g_assert_error (error, PROCFUN_ERROR, code);
}

static void
test_sizes (void)
{
  static const gsize sizes[]
      = { 0, 1, 7, 8, 4095, 4096, 4097, 8 * 1024 - 17, 8 * 1024 - 16, 8 * 1024, 65536, LIMIT };
  Channel *a, *b;

  channel_ends_open_both (&a, &b, LIMIT);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) payload = channel_ends_make_payload (sizes[i]);
      g_auto (Frame) frame = { 0 };

      channel_send (a, FRAME_RESULT, (guint32)i, NULL, 0, payload, NULL);
      channel_ends_carry (a, b, &frame);
      g_assert_cmpint (frame.type, ==, FRAME_RESULT);
      g_assert_cmpuint (frame.call_id, ==, i);
      g_assert_true (g_bytes_equal (frame.payload, payload));
      g_assert_null (frame.fds);
      g_assert_false (!channel_out_is_empty (&a->out));
      assert_status (b, CHANNEL_AGAIN);
    }
  channel_free (a);
  channel_free (b);
}

static void
test_prefix (void)
{
  static const gsize sizes[] = { 0, 3, 100000 };
  Channel *a, *b;

  channel_ends_open_both (&a, &b, LIMIT);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) payload = channel_ends_make_payload (sizes[i]);
      g_auto (Frame) frame = { 0 };
      gsize size;
      const guint8 *data;

      channel_send (a, FRAME_CALL, 0, "prefix", 6, sizes[i] > 0 ? payload : NULL, NULL);
      channel_ends_carry (a, b, &frame);
      data = g_bytes_get_data (frame.payload, &size);
      g_assert_cmpuint (size, ==, 6 + sizes[i]);
      g_assert_cmpmem (data, 6, "prefix", 6);
      g_assert_cmpmem (data + 6, size - 6, g_bytes_get_data (payload, NULL), sizes[i]);
    }
  channel_free (a);
  channel_free (b);
}

/* Wherever a frame is cut in two, it is a frame only when its last byte is there. */
static void
test_every_byte (void)
{
  g_autoptr (GBytes) payload = channel_ends_make_payload (20);
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_ERROR, 7, payload);
  int other;
  Channel *channel = channel_ends_open_half (&other, LIMIT);

  for (guint cut = 0; cut < bytes->len; cut++)
    {
      g_auto (Frame) frame = { 0 };

      write_raw (other, bytes->data, cut);
      assert_status (channel, CHANNEL_AGAIN);
      write_raw (other, bytes->data + cut, bytes->len - cut);
      g_assert_cmpint (channel_receive (channel, &frame, NULL), ==, CHANNEL_FRAME);
      g_assert_true (g_bytes_equal (frame.payload, payload));
      g_assert_cmpuint (frame.call_id, ==, 7);
    }
  channel_free (channel);
  close (other);
}

static void
test_byte_by_byte (void)
{
  g_autoptr (GBytes) payload = channel_ends_make_payload (20);
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_ERROR, 7, payload);
  int other;
  Channel *channel = channel_ends_open_half (&other, LIMIT);

  for (guint i = 0; i + 1 < bytes->len; i++)
    {
      write_raw (other, bytes->data + i, 1);
      assert_status (channel, CHANNEL_AGAIN);
    }
  write_raw (other, bytes->data + bytes->len - 1, 1);
  assert_status (channel, CHANNEL_FRAME);
  channel_free (channel);
  close (other);
}

/* Small ones and large ones, in the order in which they were sent, received by one read or by many.
 */
static void
test_many_at_once (void)
{
  Channel *a, *b;

  channel_ends_open_both (&a, &b, LIMIT);
  for (guint i = 0; i < 500; i++)
    {
      g_autoptr (GBytes) payload = channel_ends_make_payload (i % 50 == 0 ? 20000 + i : i % 40);

      channel_send (a, FRAME_RESULT, i, NULL, 0, payload, NULL);
    }
  channel_out_end (&a->out);
  for (guint i = 0; i < 500; i++)
    {
      g_auto (Frame) frame = { 0 };
      g_autoptr (GBytes) payload = channel_ends_make_payload (i % 50 == 0 ? 20000 + i : i % 40);

      channel_ends_carry (a, b, &frame);
      g_assert_cmpuint (frame.call_id, ==, i);
      g_assert_true (g_bytes_equal (frame.payload, payload));
    }
  assert_status (b, CHANNEL_END);
  channel_free (a);
  channel_free (b);
}

/* One write takes several large payloads, where the socket has room for them. */
static void
test_large_buffers (void)
{
  const int room = 16 * 1024 * 1024;
  g_autoptr (GBytes) payload = channel_ends_make_payload (3 * LIMIT);
  Channel *a, *b;

  channel_ends_open_both (&a, &b, 3 * LIMIT);
  /* More than everybody may have: only root gets it. */
  setsockopt (a->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  for (guint i = 0; i < 4; i++)
    channel_send (a, FRAME_RESULT, i, NULL, 0, payload, NULL);
  for (guint i = 0; i < 4; i++)
    {
      g_auto (Frame) frame = { 0 };

      channel_ends_carry (a, b, &frame);
      g_assert_cmpuint (frame.call_id, ==, i);
      g_assert_true (g_bytes_equal (frame.payload, payload));
    }
  channel_free (a);
  channel_free (b);
}

/* Ends while more than the socket holds is under way in both directions. */
#define LARGE ((gsize)64 * 1024 * 1024)

static gboolean
pump (Channel *channel, Frame *frame)
{
  if (frame->payload != NULL && channel_out_is_empty (&channel->out))
    return FALSE;
  channel_out_flush (&channel->out);
  if (frame->payload == NULL)
    g_assert_cmpint (channel_receive (channel, frame, NULL), <=, CHANNEL_AGAIN);
  return TRUE;
}

static void
test_both_directions (void)
{
  g_autoptr (GBytes) payload = channel_ends_make_payload (LARGE);
  g_auto (Frame) at_a = { 0 };
  g_auto (Frame) at_b = { 0 };
  gboolean a_works, b_works;
  Channel *a, *b;

  channel_ends_open_both (&a, &b, LARGE);
  channel_send (a, FRAME_CALL, 1, NULL, 0, payload, NULL);
  channel_send (b, FRAME_RESULT, 2, NULL, 0, payload, NULL);
  do
    {
      a_works = pump (a, &at_a);
      b_works = pump (b, &at_b);
    }
  while (a_works || b_works);
  g_assert_true (g_bytes_equal (at_a.payload, payload));
  g_assert_true (g_bytes_equal (at_b.payload, payload));
  channel_free (a);
  channel_free (b);
}

static gpointer
send_blocking (gpointer user_data)
{
  g_autoptr (GBytes) payload = channel_ends_make_payload (LARGE);

  channel_send (user_data, FRAME_CALL, 1, NULL, 0, payload, NULL);
  channel_flush_blocking (user_data);
  return NULL;
}

static void
test_blocking (void)
{
  g_auto (Frame) frame = { 0 };
  GThread *thread;
  Channel *a, *b;

  channel_ends_open_both (&a, &b, LARGE);
  thread = g_thread_new ("sender", send_blocking, a);
  g_assert_cmpint (channel_receive_blocking (b, &frame, NULL), ==, CHANNEL_FRAME);
  g_assert_cmpuint (g_bytes_get_size (frame.payload), ==, LARGE);
  g_thread_join (thread);
  channel_free (a);
  g_clear_pointer (&frame.payload, g_bytes_unref);
  g_assert_cmpint (channel_receive_blocking (b, &frame, NULL), ==, CHANNEL_END);
  channel_free (b);
}

/* Wherever the other side ends, what is not whole is no frame. */
static void
test_end_in_frame (void)
{
  g_autoptr (GBytes) payload = channel_ends_make_payload (20);
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_RESULT, 7, payload);

  for (guint cut = 0; cut < bytes->len; cut++)
    {
      int other;
      Channel *channel = channel_ends_open_half (&other, LIMIT);

      write_raw (other, bytes->data, bytes->len);
      write_raw (other, bytes->data, cut);
      close (other);
      assert_status (channel, CHANNEL_FRAME);
      assert_status (channel, CHANNEL_END);
      assert_status (channel, CHANNEL_END);
      channel_free (channel);
    }
}

static void
test_end_of_output (void)
{
  Channel *a, *b;

  channel_ends_open_both (&a, &b, LIMIT);
  channel_send (a, FRAME_CALL, 0, NULL, 0, NULL, NULL);
  channel_out_end (&a->out);
  assert_status (b, CHANNEL_FRAME);
  assert_status (b, CHANNEL_END);
  /* The way back is open. */
  channel_send (b, FRAME_RESULT, 0, NULL, 0, NULL, NULL);
  channel_out_flush (&b->out);
  assert_status (a, CHANNEL_FRAME);
  assert_status (a, CHANNEL_AGAIN);
  channel_free (a);
  channel_free (b);
}

/* A write without a reader raises no SIGPIPE, and frames that the other side had written before
 * still come. */
static void
test_nobody_reads (void)
{
  g_autoptr (GBytes) payload = channel_ends_make_payload (LIMIT);
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_ERROR, 1, NULL);
  int other;
  Channel *channel = channel_ends_open_half (&other, LIMIT);

  write_raw (other, bytes->data, bytes->len);
  close (other);
  channel_send (channel, FRAME_CALL, 0, NULL, 0, payload, NULL);
  channel_out_flush (&channel->out);
  g_assert_false (!channel_out_is_empty (&channel->out));
  assert_status (channel, CHANNEL_FRAME);
  assert_status (channel, CHANNEL_END);
  channel_free (channel);
}

/* Bytes that the socket does not take at once follow, in order. */
static void
test_at_once (void)
{
  guint8 payload[3000] = { 1, 2, 3 };
  const guint32 prefix = 77;
  guint32 n = 0;
  Channel *a, *b;

  channel_ends_open_both (&a, &b, LIMIT);
  channel_out_send_now (&a->out, FRAME_CALL, n++, &prefix, sizeof prefix, NULL, 0);
  g_assert_false (!channel_out_is_empty (&a->out));
  while (channel_out_is_empty (&a->out))
    channel_out_send_now (&a->out, FRAME_CALL, n++, &prefix, sizeof prefix, payload,
                          sizeof payload);
  channel_out_send_now (&a->out, FRAME_CALL, n++, NULL, 0, payload, sizeof payload);
  channel_send (a, FRAME_CALL, n++, NULL, 0, NULL, NULL);
  for (guint32 i = 0; i < n; i++)
    {
      g_auto (Frame) frame = { 0 };

      channel_ends_carry (a, b, &frame);
      g_assert_cmpuint (frame.call_id, ==, i);
      if (i > 0 && i < n - 2)
        g_assert_cmpmem ((const guint8 *)g_bytes_get_data (frame.payload, NULL) + sizeof prefix,
                         g_bytes_get_size (frame.payload) - sizeof prefix, payload, sizeof payload);
    }
  g_assert_false (!channel_out_is_empty (&a->out));
  assert_status (b, CHANNEL_AGAIN);
  channel_free (b);
  channel_free (a);
}

static void
test_peek (void)
{
  g_autoptr (GBytes) payload = channel_ends_make_payload (100);
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_RESULT, 5, payload);
  guint8 seen[100];
  FrameHeader header;
  int other;
  Channel *channel = channel_ends_open_half (&other, LIMIT);

  g_assert_cmpint (channel_in_peek (&channel->in, &header), ==, CHANNEL_AGAIN);
  write_raw (other, bytes->data, 50);
  g_assert_true (channel_in_wake_up (&channel->in));
  g_assert_cmpint (channel_in_peek (&channel->in, &header), ==, CHANNEL_FAILED);
  g_assert_true (channel_in_is_filled (&channel->in));
  write_raw (other, bytes->data + 50, bytes->len - 50);
  write_raw (other, bytes->data, bytes->len);
  assert_status (channel, CHANNEL_FRAME);
  g_assert_true (channel_in_wake_up (&channel->in));
  g_assert_cmpint (channel_in_peek (&channel->in, &header), ==, CHANNEL_FRAME);
  g_assert_cmpuint (header.call_id, ==, 5);
  channel_in_peek_payload (&channel->in, &header, seen);
  g_assert_cmpmem (seen, sizeof seen, g_bytes_get_data (payload, NULL), sizeof seen);
  channel_in_take (&channel->in, &header);
  g_assert_false (channel_in_is_filled (&channel->in));
  assert_status (channel, CHANNEL_AGAIN);
  close (other);
  channel_free (channel);
}

static guint
count_flushes (Channel *channel, guint max)
{
  guint n = 0;

  for (; !channel_out_is_empty (&channel->out) && n < max; n++)
    channel_out_flush (&channel->out);
  return n;
}

/* poll() says that such a socket takes more. */
static void
test_no_buffers (void)
{
  Fault faults[] = { { "sendmsg", ENOBUFS, 1, TRUE }, { NULL } };
  g_auto (Frame) frame = { 0 };
  g_autoptr (GError) error = NULL;
  Channel *a;
  Channel *b;

  channel_ends_open_both (&a, &b, LIMIT);
  channel_send (a, FRAME_CALL, 0, NULL, 0, NULL, NULL);
  faults_set (faults);
  g_assert_cmpuint (count_flushes (a, 10000), <, 10000);
  faults_set (NULL);
  assert_status (b, CHANNEL_END);
  channel_free (b);
  g_assert_cmpint (channel_receive (a, &frame, &error), ==, CHANNEL_FAILED);
  g_assert_nonnull (strstr (error->message, g_strerror (ENOBUFS)));
  channel_free (a);
}

static void
test_buffers_again (void)
{
  Fault faults[] = { { "sendmsg", ENOBUFS, 1 }, { NULL } };
  Channel *a;
  Channel *b;

  channel_ends_open_both (&a, &b, LIMIT);
  channel_send (a, FRAME_CALL, 0, NULL, 0, NULL, NULL);
  faults_set (faults);
  g_assert_cmpuint (count_flushes (a, 10), <, 10);
  faults_set (NULL);
  assert_status (b, CHANNEL_FRAME);
  channel_free (a);
  channel_free (b);
}

static void
test_reset (void)
{
  int other;
  Channel *channel = channel_ends_open_half (&other, LIMIT);

  /* Unread bytes at the end of a socket make the kernel say ECONNRESET, which is an end, too. */
  channel_send (channel, FRAME_CALL, 0, NULL, 0, NULL, NULL);
  channel_out_flush (&channel->out);
  close (other);
  assert_status (channel, CHANNEL_END);
  channel_free (channel);
}

/* Headers that are none, or not ours. */
static const struct
{
  const char *name;
  FrameHeader header;
  gint code;
} bad_headers[] = {
  { "magic", { 0x7f, 1, 1, 0, 0, 0 }, PROCFUN_ERROR_PROTOCOL },
  { "text", { 'H', 'T', 'T', 'P', 0x302e3120, 0 }, PROCFUN_ERROR_PROTOCOL },
  { "zeroes", { 0, 0, 0, 0, 0, 0 }, PROCFUN_ERROR_PROTOCOL },
  { "version-0", { 0xf5, 0, 1, 0, 0, 0 }, PROCFUN_ERROR_MISMATCH },
  { "version-2", { 0xf5, 2, 1, 0, 0, 0 }, PROCFUN_ERROR_MISMATCH },
  { "type-0", { 0xf5, 1, 0, 0, 0, 0 }, PROCFUN_ERROR_PROTOCOL },
  { "type-unknown", { 0xf5, 1, 0xee, 0, 0, 0 }, PROCFUN_ERROR_PROTOCOL },
  { "type-255", { 0xf5, 1, 255, 0, 0, 0 }, PROCFUN_ERROR_PROTOCOL },
  { "too-large", { 0xf5, 1, 1, 0, 0, LIMIT + 1 }, PROCFUN_ERROR_LIMIT },
  { "enormous", { 0xf5, 1, 1, 0, 0, G_MAXUINT64 }, PROCFUN_ERROR_LIMIT },
  { "descriptors", { 0xf5, 1, 1, 1, 0, 0 }, PROCFUN_ERROR_PROTOCOL },
};

static void
test_bad_header (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  int other;
  Channel *channel = channel_ends_open_half (&other, LIMIT);

  write_raw (other, &bad_headers[i].header, sizeof (FrameHeader));
  assert_fails (channel, bad_headers[i].code);
  channel_free (channel);
  close (other);
}

/* The limit is the user's; memory may have another. */
static void
test_no_memory (void)
{
  const FrameHeader header = { 0xf5, 1, FRAME_RESULT, 0, 0, (guint64)1 << 60 };
  int other;
  Channel *channel = channel_ends_open_half (&other, G_MAXINT64);

  write_raw (other, &header, sizeof header);
  assert_fails (channel, PROCFUN_ERROR_LIMIT);
  channel_free (channel);
  close (other);
}

static void
assert_turn (Channel *channel, guint n_expected, gboolean has_more)
{
  ChannelStatus status = CHANNEL_FRAME;
  guint n = 0;

  channel_in_begin_turn (&channel->in);
  for (; status == CHANNEL_FRAME; n++)
    {
      g_auto (Frame) frame = { 0 };

      status = channel_receive (channel, &frame, NULL);
    }
  g_assert_cmpint (status, ==, CHANNEL_AGAIN);
  g_assert_cmpuint (n - 1, ==, n_expected);
  g_assert_cmpint (channel->in.has_more, ==, has_more);
}

/* A turn takes so many frames, and so many bytes, and says that there is more. */
static void
test_turn_of_frames (void)
{
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_RESULT, 0, NULL);
  int other;
  Channel *channel = channel_ends_open_half (&other, 1000);

  for (guint i = 0; i < 100; i++)
    write_raw (other, bytes->data, bytes->len);
  for (guint turn = 0; turn < 2; turn++)
    assert_turn (channel, turn == 0 ? 64 : 36, turn == 0);
  channel_free (channel);
  close (other);
}

static void
test_turn_of_bytes (void)
{
  g_autoptr (GBytes) payload = channel_ends_make_payload (45000);
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_RESULT, 7, payload);
  int other;
  Channel *channel = channel_ends_open_half (&other, 45000);

  for (guint i = 0; i < 3; i++)
    write_raw (other, bytes->data, bytes->len);
  for (guint turn = 0; turn < 2; turn++)
    assert_turn (channel, turn == 0 ? 2 : 1, turn == 0); /* 64 KiB are within the second one */
  channel_free (channel);
  close (other);
}

/* A limit is raised, and never lowered. */
static void
test_raised_limit (void)
{
  static const struct
  {
    gsize limit, size;
  } steps[] = { { 10, 1000 }, { 2000, 2000 }, { 1999, 2000 } };
  int other;
  Channel *channel = channel_ends_open_half (&other, 1000);

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_autoptr (GBytes) payload = channel_ends_make_payload (steps[i].size);
      g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_RESULT, i, payload);
      g_auto (Frame) frame = { 0 };

      channel_raise_limit (channel, steps[i].limit);
      write_raw (other, bytes->data, bytes->len);
      g_assert_cmpint (channel_receive (channel, &frame, NULL), ==, CHANNEL_FRAME);
      g_assert_true (g_bytes_equal (frame.payload, payload));
    }
  channel_free (channel);
  close (other);
}

/* How much is there of a frame that has begun. */
static void
test_begun (void)
{
  g_autoptr (GBytes) payload = channel_ends_make_payload (100);
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_RESULT, 7, payload);
  const gsize head = bytes->len - 100;
  int other;
  Channel *channel = channel_ends_open_half (&other, 1000);
  g_auto (Frame) frame = { 0 };

  g_assert_cmpuint (channel_in_get_begun (&channel->in, FRAME_RESULT, 7), ==, 0);
  write_raw (other, bytes->data, head + 10);
  g_assert_cmpint (channel_receive (channel, &frame, NULL), ==, CHANNEL_AGAIN);
  g_assert_cmpuint (channel_in_get_begun (&channel->in, FRAME_RESULT, 7), ==, head + 10);
  g_assert_cmpuint (channel_in_get_begun (&channel->in, FRAME_RESULT, 8), ==, 0);
  g_assert_cmpuint (channel_in_get_begun (&channel->in, FRAME_ITEM, 7), ==, 0);
  write_raw (other, bytes->data + head + 10, 90);
  g_assert_cmpint (channel_receive (channel, &frame, NULL), ==, CHANNEL_FRAME);
  g_assert_cmpuint (channel_in_get_begun (&channel->in, FRAME_RESULT, 7), ==, 0);
  channel_free (channel);
  close (other);
}

/* Anything at all may come: it is a frame, or an end, or an error, and always ends. */
static void
test_garbage (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < 5000; i++)
    {
      g_autoptr (GBytes) payload
          = channel_ends_make_payload ((gsize)g_rand_int_range (random, 0, 60));
      g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_RESULT, i, payload);
      ChannelStatus status = CHANNEL_FRAME;
      int other;
      Channel *channel = channel_ends_open_half (&other, 200);

      for (gint n = g_rand_int_range (random, 0, 4); n > 0; n--)
        bytes->data[g_rand_int_range (random, 0, (gint)bytes->len)] = (guint8)g_rand_int (random);
      write_raw (other, bytes->data, bytes->len);
      write_raw (other, bytes->data, (gsize)g_rand_int_range (random, 0, (gint)bytes->len));
      close (other);
      while (status == CHANNEL_FRAME)
        {
          g_auto (Frame) frame = { 0 };

          status = channel_receive (channel, &frame, NULL);
        }
      g_assert_cmpint (status, !=, CHANNEL_AGAIN);
      channel_free (channel);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/channel/payload-of-any-size-arrives", test_sizes);
  fixture_add_func ("/channel/prefix-precedes-payload", test_prefix);
  fixture_add_func ("/channel/payload-may-have-any-byte", test_every_byte);
  fixture_add_func ("/channel/frame-arrives-byte-by-byte", test_byte_by_byte);
  fixture_add_func ("/channel/many-frames-arrive-at-once", test_many_at_once);
  fixture_add_func ("/channel/payload-exceeds-buffers-of-socket", test_large_buffers);
  fixture_add_func ("/channel/both-sides-send-at-once", test_both_directions);
  fixture_add_func ("/channel/blocking-forms-wait-for-each-other", test_blocking);
  fixture_add_func ("/channel/end-within-frame-is-an-error", test_end_in_frame);
  fixture_add_func ("/channel/end-of-output-leaves-input-open", test_end_of_output);
  fixture_add_func ("/channel/last-words-arrive-after-end", test_nobody_reads);
  fixture_add_func ("/channel/reset-is-an-end", test_reset);
  fixture_add_func ("/channel/frame-sent-at-once-keeps-its-place", test_at_once);
  fixture_add_func ("/channel/frame-that-was-read-can-be-looked-at", test_peek);
  fixture_add_func ("/channel/lack-of-buffers-ends-in-time", test_no_buffers);
  fixture_add_func ("/channel/lack-of-buffers-may-pass", test_buffers_again);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_headers); i++)
    {
      g_autofree char *path = g_strconcat ("/channel/bad/", bad_headers[i].name, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_bad_header);
    }
  fixture_add_func ("/channel/lack-of-memory-for-payload-is-an-error", test_no_memory);
  fixture_add_func ("/channel/turn-has-so-many-frames", test_turn_of_frames);
  fixture_add_func ("/channel/turn-has-so-many-bytes", test_turn_of_bytes);
  fixture_add_func ("/channel/limit-is-never-lowered", test_raised_limit);
  fixture_add_func ("/channel/frame-that-has-begun-is-counted", test_begun);
  fixture_add_func ("/channel/garbage-is-an-error", test_garbage);
  return fixture_run ();
}
