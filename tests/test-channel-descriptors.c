/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/channel-ends.h"
#include "tests/fixture.h"

#include "procfun/procfun-error.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define LIMIT ((gsize)1024 * 1024)

/* (transfer full) @n descriptors of files that differ. */
static GUnixFDList *
open_descriptors (guint n)
{
  GUnixFDList *list = g_unix_fd_list_new ();

  for (guint i = 0; i < n; i++)
    {
      int ends[2];

      g_assert_no_errno (pipe2 (ends, O_CLOEXEC));
      g_assert_cmpint (g_unix_fd_list_append (list, ends[0], NULL), >=, 0);
      close (ends[0]);
      close (ends[1]);
    }
  return list;
}

static void
assert_same_files (GUnixFDList *a, GUnixFDList *b)
{
  int n_a, n_b;
  const int *fds_a = g_unix_fd_list_peek_fds (a, &n_a);
  const int *fds_b = g_unix_fd_list_peek_fds (b, &n_b);

  g_assert_cmpint (n_a, ==, n_b);
  for (int i = 0; i < n_a; i++)
    {
      struct stat stat_a, stat_b;

      g_assert_cmpint (fds_a[i], !=, fds_b[i]);
      g_assert_no_errno (fstat (fds_a[i], &stat_a));
      g_assert_no_errno (fstat (fds_b[i], &stat_b));
      g_assert_cmpuint (stat_a.st_ino, ==, stat_b.st_ino);
      g_assert_cmpint (fcntl (fds_b[i], F_GETFD), ==, FD_CLOEXEC);
    }
}

static void
test_descriptors (void)
{
  static const guint numbers[] = { 1, 0, 3, 0, 0, FRAME_MAX_FDS, 2 };
  static const gsize sizes[] = { 0, 5, 50000, 0, 50000, 1, 5000 };
  GUnixFDList *lists[G_N_ELEMENTS (numbers)];
  Channel *a, *b;

  channel_ends_open_both (&a, &b, LIMIT);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autoptr (GBytes) payload = channel_ends_make_payload (sizes[i]);

      lists[i] = open_descriptors (numbers[i]);
      channel_send (a, FRAME_CALL, 0, NULL, 0, payload, lists[i]);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_auto (Frame) frame = { 0 };

      channel_ends_carry (a, b, &frame);
      g_assert_cmpuint (g_bytes_get_size (frame.payload), ==, sizes[i]);
      if (numbers[i] > 0)
        assert_same_files (lists[i], frame.fds);
      else
        g_assert_null (frame.fds);
      g_object_unref (lists[i]);
    }
  channel_free (a);
  channel_free (b);
}

static void
send_raw_fds (int fd, gconstpointer data, gsize size, int passed, guint n)
{
  union
  {
    struct cmsghdr align;
    char room[CMSG_SPACE (sizeof (int) * FRAME_MAX_FDS)];
  } control = { 0 };
  struct iovec part = { (gpointer)data, size };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control };
  struct cmsghdr *cmsg;

  message.msg_controllen = CMSG_SPACE (sizeof (int) * n);
  cmsg = CMSG_FIRSTHDR (&message);
  cmsg->cmsg_level = SOL_SOCKET;
  cmsg->cmsg_type = SCM_RIGHTS;
  cmsg->cmsg_len = CMSG_LEN (sizeof (int) * n);
  for (guint i = 0; i < n; i++)
    memcpy (CMSG_DATA (cmsg) + i * sizeof (int), &passed, sizeof (int));
  g_assert_cmpint (sendmsg (fd, &message, MSG_NOSIGNAL), ==, size);
}

static void
test_too_many_descriptors (void)
{
  g_autoptr (GUnixFDList) most = open_descriptors (FRAME_MAX_FDS);
  g_autoptr (GUnixFDList) too_many = open_descriptors (FRAME_MAX_FDS + 1);
  g_autoptr (GError) error = NULL;

  g_assert_true (channel_check_fds (NULL, &error));
  g_assert_true (channel_check_fds (most, &error));
  g_assert_no_error (error);
  g_assert_false (channel_check_fds (too_many, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT);
}

/* Descriptors that no frame announces are closed, at the latest with the channel; and there can't
 * be many. */
static void
test_unannounced_descriptors (void)
{
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_RESULT, 0, NULL);
  g_autoptr (GError) error = NULL;
  ChannelStatus status = CHANNEL_FRAME;
  int other;
  Channel *channel = channel_ends_open_half (&other, LIMIT);
  guint before = fixture_count_descriptors ();
  guint n_frames;

  for (n_frames = 0; n_frames < 10 && status == CHANNEL_FRAME; n_frames++)
    {
      g_auto (Frame) frame = { 0 };

      send_raw_fds (other, bytes->data, bytes->len, other, 200);
      status = channel_receive (channel, &frame, &error);
      if (status == CHANNEL_FRAME)
        g_assert_null (frame.fds);
    }
  g_assert_cmpint (status, ==, CHANNEL_FAILED);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
  g_assert_cmpuint (n_frames, <, 10);
  channel_free (channel);
  g_assert_cmpuint (fixture_count_descriptors (), ==, before - 1);
  close (other);
}

/* @n bytes of a frame without payload, with descriptors that it does not announce. */
static ChannelStatus
send_some (Channel *channel, int other, const GByteArray *bytes, gsize at, gsize n, guint n_fds)
{
  g_auto (Frame) frame = { 0 };
  g_autoptr (GError) error = NULL;
  ChannelStatus status;

  send_raw_fds (other, bytes->data + at, n, other, n_fds);
  status = channel_receive (channel, &frame, &error);
  if (status == CHANNEL_FAILED)
    g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
  return status;
}

static void
test_single_unannounced (void)
{
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_RESULT, 0, NULL);
  int other;
  Channel *channel = channel_ends_open_half (&other, LIMIT);

  g_assert_cmpint (send_some (channel, other, bytes, 0, bytes->len, 1), ==, CHANNEL_FAILED);
  channel_free (channel);
  close (other);
}

/* The header is not even there, so that nothing else refuses them. */
static void
test_many_before_header (void)
{
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_RESULT, 0, NULL);
  int other;
  Channel *channel = channel_ends_open_half (&other, LIMIT);
  guint before = fixture_count_descriptors ();

  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (send_some (channel, other, bytes, i, 1, FRAME_MAX_FDS), ==, CHANNEL_AGAIN);
  g_assert_cmpuint (fixture_count_descriptors (), ==, before + 2 * FRAME_MAX_FDS);
  g_assert_cmpint (send_some (channel, other, bytes, 2, 1, 1), ==, CHANNEL_FAILED);
  g_assert_cmpuint (fixture_count_descriptors (), ==, before);
  channel_free (channel);
  close (other);
}

static void
test_with_payload (void)
{
  g_autoptr (GBytes) payload = channel_ends_make_payload (10);
  g_autoptr (GByteArray) bytes = channel_ends_make_frame (FRAME_RESULT, 0, payload);
  int other;
  Channel *channel = channel_ends_open_half (&other, LIMIT);
  g_auto (Frame) frame = { 0 };

  g_assert_cmpint (write (other, bytes->data, bytes->len - 10), ==, bytes->len - 10);
  g_assert_cmpint (channel_receive (channel, &frame, NULL), ==, CHANNEL_AGAIN);
  g_assert_cmpint (send_some (channel, other, bytes, bytes->len - 10, 10, 1), ==, CHANNEL_FAILED);
  channel_free (channel);
  close (other);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/channel/descriptors-arrive-with-their-frame", test_descriptors);
  fixture_add_func ("/channel/too-many-descriptors-are-refused", test_too_many_descriptors);
  fixture_add_func ("/channel/unannounced-descriptors-are-closed", test_unannounced_descriptors);
  fixture_add_func ("/channel/a-single-unannounced-descriptor-is-refused", test_single_unannounced);
  fixture_add_func ("/channel/many-descriptors-before-a-header-are-closed",
                    test_many_before_header);
  fixture_add_func ("/channel/descriptors-within-a-payload-are-refused", test_with_payload);
  return fixture_run ();
}
