/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words of callers and hosts to each other by way of a broker, and those of the broker itself. */

#include "engines/nats/jet-reply.h"
#include "engines/nats/talk.h"
#include "tests/fuzz-targets.h"
#include <string.h>

/* In place of the connection, which has nobody at its other end. */
void
connection_publish (Connection *connection, const char *subject, const char *reply,
                    const char *message_id, GBytes *data)
{
  g_assert_true (g_str_has_prefix (subject, "pf."));
  g_bytes_unref (data);
}

static void
touch (GBytes *bytes)
{
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);

  fuzz_touch (data, size);
}

static void
on_message (const ProcfunMessage *message, gpointer user_data)
{
  const ProcfunMessage answer = { .kind = 1, .payload = message->payload };

  touch (message->head);
  touch (message->payload);
  talk_send (*(Talk **)user_data, &answer);
}

/* Each packet stands behind its size. */
void
fuzz_packet (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  Talk *talk = NULL;
  gsize at;
  gboolean goes_on = TRUE;

  talk = talk_new (NULL, "pf.r.any.0", "pf.c.pool.0", 1, 1024, on_message, &talk, NULL);
  while (input.size > 0 && goes_on)
    {
      const guint16 packet_size = fuzz_take_short (&input);
      g_autoptr (GBytes) bytes = fuzz_take_bytes (&input, packet_size);

      for (at = 0; goes_on && at < packet_size;)
        {
          g_auto (Packet) packet = { 0 };

          if (!packet_read (&packet, bytes, &at))
            break;
          g_assert_nonnull (packet_get_name (packet.from));
          if (packet.type == PACKET_PART || packet.type == PACKET_ACK)
            goes_on = talk_take (talk, &packet);
          talk_advance (talk, 0, TRUE);
        }
    }
  talk_free (talk);
}

/* A subject in the first line, and an answer in the rest. */
void
fuzz_reply (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  g_autofree char *subject = fuzz_take_line (&input);
  g_auto (JetReply) reply = { 0 };
  JetReceipt receipt;

  jet_receipt_read (&receipt, subject);
  jet_reply_read_text (&reply, (const char *)input.data, input.size);
}
