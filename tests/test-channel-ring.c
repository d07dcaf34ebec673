/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Frames through shared memory, and what must be the same with it. */

#include "tests/channel-ends.h"
#include "tests/faults.h"
#include "tests/fixture.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/channel.h"
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT ((gsize)1024 * 1024)

typedef struct
{
  Channel *caller;
  Channel *callee;
} Pair;

static void
open_pair (Pair *self)
{
  channel_ends_open_by_ring (&self->caller, &self->callee, LIMIT);
}

static void
close_pair (Pair *self)
{
  channel_free (self->caller);
  channel_free (self->callee);
}

static gboolean
is_readable (Channel *channel)
{
  struct pollfd poll_fd = { .fd = channel->fd, .events = POLLIN };

  return poll (&poll_fd, 1, 0) > 0;
}

static void
assert_nothing (Channel *channel)
{
  g_auto (Frame) frame = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (channel_receive (channel, &frame, &error), ==, CHANNEL_AGAIN);
  g_assert_no_error (error);
}

static void
assert_fails (Channel *channel)
{
  g_auto (Frame) frame = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (channel_receive (channel, &frame, &error), ==, CHANNEL_FAILED);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
}

static void
test_no_system_call (void)
{
  Pair pair;

  open_pair (&pair);
  for (guint32 i = 0; i < 10000; i++) /* many times round */
    {
      channel_ends_say (pair.caller, pair.callee, 2 * i);
      g_assert_false (is_readable (pair.callee));
      channel_ends_say (pair.callee, pair.caller, 2 * i + 1);
      g_assert_false (is_readable (pair.caller));
    }
  close_pair (&pair);
}

/* Sizes that the ring takes, and those that it does not, keep their order. */
static void
test_order (void)
{
  static const gsize sizes[] = { 0, 1, 4096, 4097, 7, 4095, 100000, 5000, 3, RING_SIZE, 4096, 11 };
  Pair pair;

  open_pair (&pair);
  for (guint round = 0; round < 20; round++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
        {
          g_autoptr (GBytes) payload = g_bytes_new_take (g_malloc0 (sizes[i]), sizes[i]);

          channel_send (pair.caller, FRAME_CALL, i, NULL, 0, payload, NULL);
        }
      for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
        {
          g_auto (Frame) frame = { 0 };

          channel_ends_carry (pair.caller, pair.callee, &frame);
          g_assert_cmpuint (frame.call_id, ==, i);
          g_assert_cmpuint (g_bytes_get_size (frame.payload), ==, sizes[i]);
        }
      assert_nothing (pair.callee);
      g_assert_false (!channel_out_is_empty (&pair.caller->out));
    }
  close_pair (&pair);
}

static Channel *leaving; /* (nullable) (owned) */

static void
say_and_leave (void)
{
  channel_send (leaving, FRAME_RESULT, 9, "last word", 9, NULL, NULL);
  channel_out_flush (&leaving->out);
  g_clear_pointer (&leaving, channel_free);
}

/* Frames in the ring come before the end, also where both come between two looks. */
static void
test_last_word (void)
{
  Fault faults[] = { { .call = "recvmsg", .first = 1, .meanwhile = say_and_leave }, { NULL } };
  g_auto (Frame) frame = { 0 };
  g_autoptr (GError) error = NULL;
  Frame nothing = { 0 };
  Pair pair;

  open_pair (&pair);
  leaving = pair.callee;
  faults_set (faults);
  g_assert_cmpint (channel_receive (pair.caller, &frame, &error), ==, CHANNEL_FRAME);
  faults_set (NULL);
  g_assert_null (leaving);
  g_assert_no_error (error);
  g_assert_cmpuint (frame.call_id, ==, 9);
  g_assert_cmpint (channel_receive (pair.caller, &nothing, &error), ==, CHANNEL_END);
  channel_free (pair.caller);
}

/* More than the ring holds, before anybody reads. */
static void
test_full (void)
{
  g_autoptr (GBytes) payload = g_bytes_new_take (g_malloc0 (1000), 1000);
  const guint n = 5 * RING_SIZE / 1000;
  Pair pair;

  open_pair (&pair);
  for (guint round = 0; round < 3; round++)
    {
      for (guint i = 0; i < n; i++)
        channel_send (pair.caller, FRAME_CALL, i, NULL, 0, payload, NULL);
      for (guint i = 0; i < n; i++)
        {
          g_auto (Frame) frame = { 0 };

          channel_ends_carry (pair.caller, pair.callee, &frame);
          g_assert_cmpuint (frame.call_id, ==, i);
        }
    }
  channel_ends_say (pair.caller, pair.callee, n);
  g_assert_true (pair.caller->out.by_ring);
  close_pair (&pair);
}

static void
test_descriptors (void)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  Pair pair;

  g_assert_cmpint (g_unix_fd_list_append (fds, STDERR_FILENO, NULL), ==, 0);
  open_pair (&pair);
  for (guint32 i = 0; i < 10; i++)
    {
      g_auto (Frame) frame = { 0 };

      channel_send (pair.caller, FRAME_CALL, i, NULL, 0, NULL, fds);
      channel_send (pair.caller, FRAME_CANCEL, i, NULL, 0, NULL, NULL);
      channel_ends_carry (pair.caller, pair.callee, &frame);
      g_assert_cmpint (g_unix_fd_list_get_length (frame.fds), ==, 1);
      frame_clear (&frame);
      channel_ends_carry (pair.caller, pair.callee, &frame);
      g_assert_cmpint (frame.type, ==, FRAME_CANCEL);
      g_assert_null (frame.fds);
    }
  close_pair (&pair);
}

/* A sleeping reader finds its descriptor readable, once for all that came meanwhile. */
static void
test_wakes (void)
{
  Pair pair;

  open_pair (&pair);
  g_assert_false (channel_fall_asleep (pair.callee));
  for (guint32 i = 0; i < 3; i++)
    {
      channel_send (pair.caller, FRAME_CALL, i, NULL, 0, NULL, NULL);
      channel_out_flush (&pair.caller->out);
      g_assert_true (is_readable (pair.callee));
    }
  g_assert_true (channel_fall_asleep (pair.callee)); /* it need not */
  for (guint32 i = 0; i < 3; i++)
    {
      g_auto (Frame) frame = { 0 };

      channel_ends_carry (pair.caller, pair.callee, &frame);
      g_assert_cmpuint (frame.call_id, ==, i);
    }
  assert_nothing (pair.callee);
  g_assert_false (is_readable (pair.callee));
  g_assert_false (channel_has_spoken (pair.callee));
  close_pair (&pair);
}

/* Words that wake the reader do not use up its last turn, which has ended long ago. */
static void
test_wakes_beyond_a_turn (void)
{
  Pair pair;

  open_pair (&pair);
  channel_in_begin_turn (&pair.callee->in);
  for (guint32 i = 0; i < 5000; i++)
    {
      FrameHeader header;

      g_assert_false (channel_fall_asleep (pair.callee));
      channel_send (pair.caller, FRAME_CALL, i, NULL, 0, NULL, NULL);
      channel_out_flush (&pair.caller->out);
      g_assert_true (channel_in_wake_up (&pair.callee->in));
      g_assert_false (is_readable (pair.callee));
      g_assert_cmpint (channel_in_peek (&pair.callee->in, &header), ==, CHANNEL_FRAME);
      g_assert_cmpuint (header.call_id, ==, i);
      channel_in_take (&pair.callee->in, &header);
    }
  g_assert_false (channel_has_spoken (pair.callee));
  channel_send (pair.caller, FRAME_CALL, 1, NULL, 0, NULL, NULL);
  channel_out_flush (&pair.caller->out);
  g_assert_true (channel_has_spoken (pair.callee));
  close_pair (&pair);
}

/* Written frames stay when the writer has gone. */
static void
test_end (void)
{
  Pair pair;

  open_pair (&pair);
  for (guint32 i = 0; i < 3; i++)
    channel_send (pair.callee, FRAME_RESULT, i, NULL, 0, NULL, NULL);
  g_clear_pointer (&pair.callee, channel_free);
  for (guint32 i = 0; i < 4; i++)
    {
      g_auto (Frame) frame = { 0 };

      g_assert_cmpint (channel_receive (pair.caller, &frame, NULL), ==,
                       i < 3 ? CHANNEL_FRAME : CHANNEL_END);
      g_assert_cmpuint (frame.call_id, ==, i < 3 ? i : 0);
    }
  channel_free (pair.caller);
}

/* A reader that ends its input says which frame was the last one; whether the socket still takes
 * something does not matter. */
static void
test_closed (void)
{
  ChannelMark before, after;
  g_auto (Frame) frame = { 0 };
  Pair pair;

  open_pair (&pair);
  g_assert_false (channel_fall_asleep (pair.callee));
  channel_out_get_mark (&pair.caller->out, &before);
  channel_send (pair.caller, FRAME_CALL, 7, NULL, 0, NULL, NULL);
  channel_in_end (&pair.callee->in);
  channel_out_get_mark (&pair.caller->out, &after);
  channel_send (pair.caller, FRAME_CALL, 8, NULL, 0, NULL, NULL);
  channel_out_flush (&pair.caller->out);
  g_assert_false (channel_out_has_lost (&pair.caller->out, &before));
  g_assert_true (channel_out_has_lost (&pair.caller->out, &after));
  g_assert_cmpint (channel_receive (pair.callee, &frame, NULL), ==, CHANNEL_FRAME);
  g_assert_cmpuint (frame.call_id, ==, 7);
  frame_clear (&frame);
  g_assert_cmpint (channel_receive (pair.callee, &frame, NULL), ==, CHANNEL_END);
  close_pair (&pair);
}

/* A reader that dies in its sleep has not read the frame. */
static void
test_lost (void)
{
  ChannelMark taken, lost;
  Pair pair;

  open_pair (&pair);
  channel_out_get_mark (&pair.caller->out, &taken);
  channel_ends_say (pair.caller, pair.callee, 4);
  g_assert_false (channel_fall_asleep (pair.callee));
  g_clear_pointer (&pair.callee, channel_free);
  channel_out_get_mark (&pair.caller->out, &lost);
  channel_send (pair.caller, FRAME_CALL, 5, NULL, 0, NULL, NULL);
  channel_out_flush (&pair.caller->out);
  g_assert_true (channel_out_has_lost (&pair.caller->out, &lost));
  g_assert_false (channel_out_has_lost (&pair.caller->out, &taken));
  channel_free (pair.caller);
}

/* Without a reader that accepts the ring, all goes by the socket. */
static void
test_not_accepted (void)
{
  Channel *a, *b;
  int fds[2];

  g_assert_true (fds_open_socketpair (fds, NULL));
  a = channel_new (fds[0], LIMIT);
  b = channel_new (fds[1], LIMIT);
  channel_ends_say (a, b, 1);
  g_assert_false (a->out.by_ring);
  channel_offer_ring (a);
  channel_out_flush (&a->out);
  assert_fails (b); /* a caller takes no memory from a callee, which could take it away */
  channel_free (a);
  channel_free (b);
}

/* Neither end trusts what the other one writes. */
static void
test_nonsense (void)
{
  guint8 garbage[64];
  const struct iovec part = { garbage, sizeof garbage };
  FrameHeader long_one;
  const struct iovec header = { &long_one, sizeof long_one };
  const guint64 far_away = (guint64)1 << 40;
  Pair pair;

  memset (garbage, 0x5a, sizeof garbage);
  open_pair (&pair);
  g_assert_cmpint (ring_write (&pair.callee->out.ring, &part, 1, 0), ==, RING_WRITTEN);
  assert_fails (pair.caller);
  close_pair (&pair);

  frame_header_init (&long_one, FRAME_RESULT, 1, 0, 100); /* of which nothing is there */
  open_pair (&pair);
  g_assert_cmpint (ring_write (&pair.callee->out.ring, &header, 1, 0), ==, RING_WRITTEN);
  assert_fails (pair.caller);
  close_pair (&pair);

  open_pair (&pair);
  memcpy (pair.callee->out.ring.memory, &far_away, sizeof far_away); /* "written" is the first */
  assert_fails (pair.caller);
  close_pair (&pair);

  open_pair (&pair);
  frame_header_init (&long_one, FRAME_RESULT, 1, 0, 0); /* by the socket, where none is to come */
  g_assert_cmpint (write (pair.callee->fd, &long_one, sizeof long_one), ==, sizeof long_one);
  assert_fails (pair.caller);
  close_pair (&pair);
}

/* A ring comes once, and only then it can be turned to. */
static void
test_second_ring (void)
{
  g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
  auto_fd int fd = memfd_new ("ring", ring_get_pair_size (), NULL);
  Channel *a, *b;
  int fds[2];

  g_assert_cmpint (g_unix_fd_list_append (list, fd, NULL), ==, 0);
  g_assert_true (fds_open_socketpair (fds, NULL));
  a = channel_new (fds[0], LIMIT);
  b = channel_new (fds[1], LIMIT);
  channel_accept_ring (b);
  channel_offer_ring (a);
  channel_out_flush (&a->out);
  assert_nothing (b);
  channel_out_send_word (&a->out, FRAME_RING, list);
  channel_out_flush (&a->out);
  assert_fails (b);
  channel_free (a);
  channel_free (b);
}

static void
test_no_ring (void)
{
  Channel *a, *b;
  int fds[2];

  g_assert_true (fds_open_socketpair (fds, NULL));
  a = channel_new (fds[0], LIMIT);
  b = channel_new (fds[1], LIMIT);
  channel_out_send_word (&a->out, FRAME_BY_RING, NULL);
  channel_out_flush (&a->out);
  assert_fails (b);
  channel_free (a);
  channel_free (b);
}

/* Of a process that has died, what was there counts; what others that have its end write later does
 * not. */
static void
test_rest (void)
{
  FrameHeader header;
  g_auto (Frame) frame = { 0 };
  Pair pair;

  open_pair (&pair);
  channel_send (pair.callee, FRAME_RESULT, 5, NULL, 0, NULL, NULL);
  channel_out_flush (&pair.callee->out);
  channel_in_take_rest (&pair.caller->in);
  channel_send (pair.callee, FRAME_RESULT, 6, NULL, 0, NULL, NULL);
  channel_out_flush (&pair.callee->out);
  g_assert_cmpint (channel_in_peek (&pair.caller->in, &header), ==, CHANNEL_FAILED);
  g_assert_cmpint (channel_receive (pair.caller, &frame, NULL), ==, CHANNEL_FRAME);
  g_assert_cmpuint (frame.call_id, ==, 5);
  frame_clear (&frame);
  g_assert_cmpint (channel_receive (pair.caller, &frame, NULL), ==, CHANNEL_END);
  close_pair (&pair);
}

/* Bytes beside the ring that are no frame yet. */
static void
test_disturbed (void)
{
  Pair pair;

  open_pair (&pair);
  g_assert_false (channel_is_disturbed (pair.caller, FALSE));
  g_assert_cmpint (write (pair.callee->fd, "abc", 3), ==, 3);
  assert_nothing (pair.caller);
  g_assert_true (channel_is_disturbed (pair.caller, FALSE));
  close_pair (&pair);
}

typedef struct
{
  const char *name;
  gsize size;     /* that the header announces */
  guint n_fds;    /* likewise */
  gint64 shifted; /* what is added to the number of bytes that were written */
} FalseFrame;

/* Each is a frame but for one thing, so that nothing else refuses it. */
static const FalseFrame false_frames[] = {
  { "more-than-the-ring-holds", 0, 0, (gint64)1 << 40 },
  { "one-round-more", 0, 0, RING_SIZE },
  { "no-whole-header", 0, 0, -1 },
  { "no-whole-payload", 1, 0, 0 },
  { "descriptors", 0, 1, 0 },
};

static void
test_false_frame (gconstpointer data)
{
  const FalseFrame *attack = data;
  FrameHeader header, seen;
  const struct iovec part = { &header, sizeof header };
  guint64 *written;
  Pair pair;

  open_pair (&pair);
  frame_header_init (&header, FRAME_RESULT, 1, attack->n_fds, attack->size);
  g_assert_cmpint (ring_write (&pair.callee->out.ring, &part, 1, 0), ==, RING_WRITTEN);
  written = (gpointer)pair.callee->out.ring.memory; /* its first field */
  *written += (guint64)attack->shifted;
  g_assert_cmpint (channel_in_peek (&pair.caller->in, &seen), ==, CHANNEL_FAILED);
  assert_fails (pair.caller);
  close_pair (&pair);
}

#define N_SENT 20000

/* Each side in a thread of its own, and each sleeps now and then. */
static gpointer
answer (gpointer user_data)
{
  Channel *channel = user_data;

  for (guint32 i = 0; i < N_SENT; i++)
    {
      g_autoptr (GError) error = NULL;
      g_auto (Frame) frame = { 0 };

      g_assert_cmpint (channel_receive_blocking (channel, &frame, &error), ==, CHANNEL_FRAME);
      g_assert_no_error (error);
      g_assert_cmpuint (frame.call_id, ==, i);
      channel_send (channel, FRAME_RESULT, i, NULL, 0, frame.payload, NULL);
      channel_flush_blocking (channel);
    }
  return NULL;
}

static void
test_both_at_once (void)
{
  guint32 n_sent = 0;
  GThread *thread;
  Pair pair;

  open_pair (&pair);
  thread = g_thread_new ("answer", answer, pair.callee);
  for (guint32 i = 0; i < N_SENT; i++)
    {
      g_autoptr (GError) error = NULL;
      g_auto (Frame) frame = { 0 };

      for (; n_sent < MIN (i + 1 + i % 97, N_SENT); n_sent++)
        channel_send (pair.caller, FRAME_CALL, n_sent, "0123456789", n_sent % 11, NULL, NULL);
      channel_out_flush (&pair.caller->out);
      g_assert_cmpint (channel_receive_blocking (pair.caller, &frame, &error), ==, CHANNEL_FRAME);
      g_assert_no_error (error);
      g_assert_cmpuint (frame.call_id, ==, i);
      g_assert_cmpuint (g_bytes_get_size (frame.payload), ==, i % 11);
    }
  g_thread_join (thread);
  close_pair (&pair);
}

/* Memory that could be made smaller would end its reader by SIGBUS. */
static void
test_unsealed (void)
{
  const gsize size = ring_get_pair_size ();
  const struct
  {
    gsize size;
    int seals;
  } memories[] = { { size, 0 },
                   { size, F_SEAL_GROW },
                   { size - 1, F_SEAL_SHRINK },
                   { size, F_SEAL_SHRINK | F_SEAL_WRITE } };

  for (guint i = 0; i < G_N_ELEMENTS (memories); i++)
    {
      g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
      auto_fd int fd = memfd_create ("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
      g_autoptr (GError) error = NULL;
      g_auto (Frame) frame = { 0 };
      Pair pair;
      int fds[2];

      g_assert_no_errno (ftruncate (fd, (off_t)memories[i].size));
      g_assert_no_errno (fcntl (fd, F_ADD_SEALS, memories[i].seals));
      g_assert_cmpint (g_unix_fd_list_append (list, fd, NULL), ==, 0);
      g_assert_true (fds_open_socketpair (fds, NULL));
      pair.caller = channel_new (fds[0], LIMIT);
      pair.callee = channel_new (fds[1], LIMIT);
      channel_accept_ring (pair.callee);
      channel_out_send_word (&pair.caller->out, FRAME_RING, list);
      channel_out_flush (&pair.caller->out);
      g_assert_cmpint (channel_receive (pair.callee, &frame, &error), ==, CHANNEL_FAILED);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
      close_pair (&pair);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/channel-ring/last-word-comes-before-the-end", test_last_word);
  fixture_add_func ("/channel-ring/frames-go-without-system-call", test_no_system_call);
  fixture_add_func ("/channel-ring/frames-keep-their-order", test_order);
  fixture_add_func ("/channel-ring/full-ring-turns-to-socket", test_full);
  fixture_add_func ("/channel-ring/descriptors-go-by-socket", test_descriptors);
  fixture_add_func ("/channel-ring/sleeping-reader-is-woken-once", test_wakes);
  fixture_add_func ("/channel-ring/wake-ups-do-not-use-up-a-turn", test_wakes_beyond_a_turn);
  fixture_add_func ("/channel-ring/frames-outlive-their-writer", test_end);
  fixture_add_func ("/channel-ring/closing-reader-says-which-frame-was-last", test_closed);
  fixture_add_func ("/channel-ring/frame-for-a-dead-reader-is-lost", test_lost);
  fixture_add_func ("/channel-ring/without-ring-all-goes-by-socket", test_not_accepted);
  fixture_add_func ("/channel-ring/nonsense-of-other-side-harms-nobody", test_nonsense);
  fixture_add_func ("/channel-ring/a-second-ring-is-refused", test_second_ring);
  fixture_add_func ("/channel-ring/without-ring-none-can-be-turned-to", test_no_ring);
  fixture_add_func ("/channel-ring/what-comes-after-the-rest-is-not-read", test_rest);
  fixture_add_func ("/channel-ring/bytes-beside-the-ring-are-noticed", test_disturbed);
  for (gsize i = 0; i < G_N_ELEMENTS (false_frames); i++)
    {
      g_autofree char *path = g_strdup_printf ("/channel-ring/false/%s", false_frames[i].name);

      fixture_add_data_func (path, &false_frames[i], test_false_frame);
    }
  fixture_add_func ("/channel-ring/both-sides-send-at-once", test_both_at_once);
  fixture_add_func ("/channel-ring/memory-that-could-shrink-is-refused", test_unsealed);
  return fixture_run ();
}
