/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define NONE 0x80

typedef struct
{
  char pairs[4096][2]; /* the two characters for 12 bits */
  guint8 values[256];  /* the 6 bits of a character, or NONE */
} Tables;

static const Tables *
get_tables (void)
{
  static Tables tables;
  static gsize made = 0;

  if (g_once_init_enter (&made))
    {
      for (guint i = 0; i < G_N_ELEMENTS (tables.pairs); i++)
        {
          tables.pairs[i][0] = alphabet[i >> 6];
          tables.pairs[i][1] = alphabet[i & 63];
        }
      for (guint i = 0; i < G_N_ELEMENTS (tables.values); i++)
        tables.values[i] = NONE;
      for (guint8 i = 0; i < 64; i++)
        tables.values[(guint8)alphabet[i]] = i;
      g_once_init_leave (&made, 1);
    }
  return &tables;
}

void
wire_base64_encode (char *text, const guint8 *data, gsize size)
{
  const Tables *tables = get_tables ();

  for (; size >= 3; size -= 3, data += 3, text += 4)
    {
      guint32 bits = (guint32)data[0] << 16 | (guint32)data[1] << 8 | data[2];
      const char *first = tables->pairs[bits >> 12];
      const char *second = tables->pairs[bits & 0xfff];

      text[0] = first[0];
      text[1] = first[1];
      text[2] = second[0];
      text[3] = second[1];
    }

  if (size > 0)
    {
      guint32 bits = (guint32)data[0] << 16 | (size > 1 ? (guint32)data[1] << 8 : 0);

      text[0] = alphabet[bits >> 18];
      text[1] = alphabet[bits >> 12 & 63];
      text[2] = size > 1 ? alphabet[bits >> 6 & 63] : '=';
      text[3] = '=';
    }
}

/* The four characters of the last group, of which one or two may be padding. */
static gboolean
decode_last (const Tables *tables, guint8 *data, gsize *size, const char *text)
{
  guint n = text[3] != '=' ? 4 : text[2] != '=' ? 3 : 2;
  guint32 bits = 0;
  guint wrong = 0;

  for (guint i = 0; i < n; i++)
    {
      guint8 value = tables->values[(guint8)text[i]];

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
  const Tables *tables = get_tables ();
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
      guint8 a = tables->values[in[0]], b = tables->values[in[1]];
      guint8 c = tables->values[in[2]], d = tables->values[in[3]];
      guint32 bits = (guint32)a << 18 | (guint32)b << 12 | (guint32)c << 6 | d;

      wrong |= a | b | c | d;
      out[0] = (guint8)(bits >> 16);
      out[1] = (guint8)(bits >> 8);
      out[2] = (guint8)bits;
    }
  *size = (gsize)(out - data);
  return (wrong & NONE) == 0 && decode_last (tables, data, size, (const char *)in);
}
