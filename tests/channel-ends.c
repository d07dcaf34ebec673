/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/channel-ends.h"

#include "procfun/platform/fds.h"

Channel *
channel_ends_open_half (int *other, gsize limit)
{
  int fds[2];

  g_assert_true (fds_open_socketpair (fds, NULL));
  *other = fds[1];
  return channel_new (fds[0], limit);
}

void
channel_ends_open_both (Channel **a, Channel **b, gsize limit)
{
  int other;

  *a = channel_ends_open_half (&other, limit);
  *b = channel_new (other, limit);
}

GBytes *
channel_ends_make_payload (gsize size)
{
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)(i % 253);
  return g_bytes_new_take (data, size);
}

GByteArray *
channel_ends_make_frame (FrameType type, guint32 call_id, GBytes *payload)
{
  GByteArray *bytes = g_byte_array_new ();
  FrameHeader header;
  gsize size = 0;
  const guint8 *data = payload != NULL ? g_bytes_get_data (payload, &size) : NULL;

  frame_header_init (&header, type, call_id, 0, size);
  g_byte_array_append (bytes, (const guint8 *)&header, sizeof header);
  if (size > 0)
    g_byte_array_append (bytes, data, (guint)size);
  return bytes;
}

void
channel_ends_carry (Channel *from, Channel *to, Frame *frame)
{
  for (;;)
    {
      g_autoptr (GError) error = NULL;
      ChannelStatus status;

      channel_out_flush (&from->out);
      status = channel_receive (to, frame, &error);
      g_assert_no_error (error);
      if (status == CHANNEL_FRAME)
        return;
      g_assert_cmpint (status, ==, CHANNEL_AGAIN);
    }
}

void
channel_ends_say (Channel *from, Channel *to, guint32 call_id)
{
  g_auto (Frame) frame = { 0 };

  channel_send (from, FRAME_CALL, call_id, "word", 4, NULL, NULL);
  channel_ends_carry (from, to, &frame);
  g_assert_cmpuint (frame.call_id, ==, call_id);
  g_assert_cmpmem (g_bytes_get_data (frame.payload, NULL), g_bytes_get_size (frame.payload), "word",
                   4);
}

void
channel_ends_open_by_ring (Channel **caller, Channel **callee, gsize limit)
{
  int fds[2];

  g_assert_true (fds_open_socketpair (fds, NULL));
  *caller = channel_new (fds[0], limit);
  *callee = channel_new (fds[1], limit);
  channel_accept_ring (*callee);
  channel_offer_ring (*caller);
  channel_ends_say (*caller, *callee, 1);
  channel_ends_say (*callee, *caller, 2);
  channel_ends_say (*caller, *callee, 3);
  g_assert_true ((*caller)->in.by_ring && (*caller)->out.by_ring);
  g_assert_true ((*callee)->in.by_ring && (*callee)->out.by_ring);
}
