/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/message.h"

static Message
pack (gint32 a, gint32 b)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new ("(ii)", a, b));
  Message message;

  if (g_variant_get_size (value) != sizeof message)
    g_error ("the value has another size");
  g_variant_store (value, &message);
  return message;
}

static void
unpack (const Message *message, gint32 *a, gint32 *b)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_from_data (
      G_VARIANT_TYPE ("(ii)"), message, sizeof *message, FALSE, NULL, NULL));

  g_variant_get (value, "(ii)", a, b);
}

Message
message_ask (void)
{
  return pack (1, 2);
}

Message
message_answer (const Message *request)
{
  gint32 a, b;

  unpack (request, &a, &b);
  return pack (a + b, a - b);
}

void
message_check (const Message *reply)
{
  gint32 sum, difference;

  unpack (reply, &sum, &difference);
  if (sum != 3 || difference != -1)
    g_error ("this is not the answer");
}
