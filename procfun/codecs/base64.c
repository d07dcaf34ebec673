/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define NONE 0x80

/* The 6 bits of each character, or NONE. */
static const guint8 *
get_values (void)
{
  static guint8 values[256];
  static gsize made = 0;

  if (g_once_init_enter (&made))
    {
      memset (values, NONE, sizeof values);
      for (guint8 i = 0; i < 64; i++)
        values[(guint8)alphabet[i]] = i;
      g_once_init_leave (&made, 1);
    }
  return values;
}

void
wire_base64_encode (char *text, const guint8 *data, gsize size)
{
  int state = 0, save = 0;

  text += g_base64_encode_step (data, size, FALSE, text, &state, &save);
  g_base64_encode_close (FALSE, text, &state, &save);
}

/* The four characters of the last group, of which one or two may be padding. */
static gboolean
decode_last (const guint8 *values, guint8 *data, gsize *size, const char *text)
{
  guint n = text[3] != '=' ? 4 : text[2] != '=' ? 3 : 2;
  guint32 bits = 0;
  guint wrong = 0;

  for (guint i = 0; i < n; i++)
    {
      guint8 value = values[(guint8)text[i]];

      wrong |= value;
      bits |= (guint32)(value & 63) << (18 - 6 * i);
    }
  if ((wrong & NONE) != 0 || (n < 4 && (bits & (n == 3 ? 0xff : 0xffff)) != 0))
    return FALSE;

  for (guint i = 0; i < n - 1; i++)
    data[(*size)++] = (guint8)(bits >> (16 - 8 * i));
  return TRUE;
}

gboolean
wire_base64_decode (guint8 *data, gsize *size, const char *text, gsize length)
{
  const guint8 *values = get_values ();
  const guint8 *in = (const guint8 *)text;
  guint8 *out = data;
  guint wrong = 0;

  *size = 0;
  if (length % 4 != 0)
    return FALSE;
  if (length == 0)
    return TRUE;

  for (; length > 4; length -= 4, in += 4, out += 3)
    {
      guint8 a = values[in[0]], b = values[in[1]];
      guint8 c = values[in[2]], d = values[in[3]];
      guint32 bits = (guint32)a << 18 | (guint32)b << 12 | (guint32)c << 6 | d;

      wrong |= a | b | c | d;
      out[0] = (guint8)(bits >> 16);
      out[1] = (guint8)(bits >> 8);
      out[2] = (guint8)bits;
    }
  *size = (gsize)(out - data);
  return (wrong & NONE) == 0 && decode_last (values, data, size, (const char *)in);
}
