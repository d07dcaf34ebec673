/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/json-text.h"

#include "procfun/codecs/json-scanner.h"

#include <math.h>

void
wire_json_append_double (Buffer *out, double value)
{
  if (isnan (value))
    JSON_LITERAL (out, "\"NaN\"");
  else if (isinf (value) && value > 0)
    JSON_LITERAL (out, "\"Infinity\"");
  else if (isinf (value))
    JSON_LITERAL (out, "\"-Infinity\"");
  else
    out->length
        += wire_number_format_double ((char *)buffer_reserve (out, NUMBER_MAX_LENGTH), value);
}

static void
write_escape (Buffer *out, guchar c)
{
  static const char letters[] = "btn\0fr"; /* for 8 to 13 */
  static const char hex[] = "0123456789abcdef";
  char *room = (char *)buffer_reserve (out, 6);
  char letter = c >= 8 && c <= 13 ? letters[c - 8] : c < 0x20 ? '\0' : (char)c;

  room[0] = '\\';
  if (letter != '\0')
    {
      room[1] = letter;
      out->length += 2;
      return;
    }
  memcpy (room + 1, "u00", 3);
  room[4] = hex[c >> 4];
  room[5] = hex[c & 15];
  out->length += 6;
}

void
wire_json_append_text (Buffer *out, const char *text, gsize length)
{
  const char *end = text + length;

  buffer_reserve (out, length + 2);
  buffer_append_byte (out, '"');
  while (text < end)
    {
      const char *plain = json_plain_end (text, end);

      /* Characters outside ASCII are UTF-8, and stay as they are. */
      while (plain < end && (guchar)*plain >= 0x80)
        plain++;
      buffer_append (out, text, (gsize)(plain - text));
      text = plain;
      if (text < end && ((guchar)*text < 0x20 || *text == '"' || *text == '\\'))
        write_escape (out, (guchar)*text++);
    }
  buffer_append_byte (out, '"');
}
