/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/json-scanner.h"

#include "procfun/base/intl.h"
#include "procfun/codecs/number.h"
#include "procfun/procfun-error.h"

/* The line, and the character in it, both from 1. */
static void
find_position (const JsonScanner *self, const char *position, gulong *line, gulong *column)
{
  *line = *column = 1;
  for (const char *p = self->start; p < position; p++)
    {
      if (*p == '\n')
        {
          ++*line;
          *column = 1;
        }
      else if ((*p & 0xc0) != 0x80)
        ++*column;
    }
}

gboolean
wire_json_syntax_error (JsonScanner *self, const char *position, const char *format, ...)
{
  g_autofree char *message = NULL;
  gulong line, column;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  find_position (self, position, &line, &column);
  g_set_error (self->error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE, _ ("line %lu, column %lu: %s"),
               line, column, message);
  return FALSE;
}

gboolean
wire_json_unexpected (JsonScanner *self, const char *expected)
{
  const char *at = self->cursor;
  gunichar character;

  if (at == self->end)
    return wire_json_syntax_error (self, at, _ ("expected %s, found the end of the text"),
                                   expected);

  character = *at == '\0' ? 0 : g_utf8_get_char_validated (at, self->end - at);
  if (character >= (gunichar)-2)
    return wire_json_syntax_error (self, at, _ ("invalid UTF-8"));
  if (g_unichar_isgraph (character))
    return wire_json_syntax_error (self, at, _ ("expected %s, found “%.*s”"), expected,
                                   g_unichar_to_utf8 (character, NULL), at);
  return wire_json_syntax_error (self, at, _ ("expected %s, found U+%04X"), expected, character);
}

gboolean
wire_json_scan_word (JsonScanner *self, const char *word)
{
  gsize length = strlen (word);

  if ((gsize)(self->end - self->cursor) < length || memcmp (self->cursor, word, length) != 0)
    return wire_json_syntax_error (self, self->cursor, _ ("this is not “%s”"), word);
  self->cursor += length;
  return TRUE;
}

static const char escapes[] = "\"\\/bfnrt";
static const char escaped[] = "\"\\/\b\f\n\r\t";

/* The four digits after a \u, or -1. */
static int
hex_value (const char *text, const char *end)
{
  int value = 0;

  if (end - text < 4)
    return -1;
  for (guint i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (text[i]);

      if (digit < 0)
        return -1;
      value = value << 4 | digit;
    }
  return value;
}

static gboolean
is_high_surrogate (int value)
{
  return (value & ~0x3ff) == 0xd800;
}

static gboolean
is_low_surrogate (int value)
{
  return (value & ~0x3ff) == 0xdc00;
}

/* The end of the escape at @text, or NULL. */
static const char *
scan_escape (JsonScanner *self, const char *text, JsonString *string)
{
  const char *end = self->end;
  int value;

  string->escaped = TRUE;
  if (end - text >= 2 && text[1] != '\0' && strchr (escapes, text[1]) != NULL)
    return text + 2;

  value = end - text >= 2 && text[1] == 'u' ? hex_value (text + 2, end) : -1;
  if (value < 0)
    {
      wire_json_syntax_error (self, text, _ ("not an escape that JSON knows"));
      return NULL;
    }

  string->nul = string->nul || value == 0;
  if (is_high_surrogate (value) && end - text >= 12 && text[6] == '\\' && text[7] == 'u'
      && is_low_surrogate (hex_value (text + 8, end)))
    return text + 12;
  if (is_high_surrogate (value) || is_low_surrogate (value))
    {
      wire_json_syntax_error (self, text, _ ("half of a surrogate pair"));
      return NULL;
    }
  return text + 6;
}

gboolean
wire_json_scan_string (JsonScanner *self, JsonString *string)
{
  const char *text = self->cursor + 1;
  const char *invalid;
  gboolean ascii = TRUE;

  *string = (JsonString){ .text = text };
  for (;;)
    {
      text = json_plain_end (text, self->end);
      if (text == self->end)
        return wire_json_syntax_error (self, text, _ ("the text ends within a string"));

      if (*text == '"')
        break;
      if (*text == '\\')
        text = scan_escape (self, text, string);
      else if ((guchar)*text < 0x20)
        return wire_json_syntax_error (self, text, _ ("a control character within a string"));
      else
        {
          ascii = FALSE;
          while (text < self->end && (guchar)*text >= 0x80)
            text++;
        }
      if (text == NULL)
        return FALSE;
    }

  string->length = (gsize)(text - string->text);
  if (!ascii && !g_utf8_validate_len (string->text, string->length, &invalid))
    return wire_json_syntax_error (self, invalid, _ ("invalid UTF-8"));
  self->cursor = text + 1;
  return TRUE;
}

gsize
wire_json_unescape (const JsonString *string, char *text)
{
  const char *from = string->text;
  const char *end = from + string->length;
  char *to = text;

  while (from < end)
    {
      const char *backslash = memchr (from, '\\', (gsize)(end - from));
      gsize plain = (gsize)((backslash != NULL ? backslash : end) - from);
      int value;

      memcpy (to, from, plain);
      to += plain;
      from += plain;
      if (backslash == NULL)
        break;

      if (from[1] != 'u')
        {
          *to++ = escaped[strchr (escapes, from[1]) - escapes];
          from += 2;
          continue;
        }

      value = hex_value (from + 2, end);
      from += 6;
      if (is_high_surrogate (value))
        {
          value = 0x10000 + ((value & 0x3ff) << 10 | (hex_value (from + 2, end) & 0x3ff));
          from += 6;
        }
      to += g_unichar_to_utf8 ((gunichar)value, to);
    }
  return (gsize)(to - text);
}

static gboolean
skip_number (JsonScanner *self)
{
  Number number;

  if (!wire_number_scan (&number, self->cursor, self->end))
    return wire_json_syntax_error (self, self->cursor, _ ("not a number that JSON knows"));
  self->cursor = number.end;
  return TRUE;
}

static gboolean
skip_name (JsonScanner *self)
{
  JsonString string;

  if (json_peek (self) != '"')
    return wire_json_unexpected (self, _ ("a name in quotes"));
  if (!wire_json_scan_string (self, &string))
    return FALSE;
  json_skip_space (self);
  if (json_peek (self) != ':')
    return wire_json_unexpected (self, "“:”");
  self->cursor++;
  json_skip_space (self);
  return TRUE;
}

static gboolean
skip_container (JsonScanner *self, guint levels, gboolean object)
{
  const char close = object ? '}' : ']';

  if (levels == 0)
    return wire_json_syntax_error (self, self->cursor, _ ("too many levels of brackets"));

  self->cursor++;
  json_skip_space (self);
  if (json_peek (self) != close)
    do
      if ((object && !skip_name (self)) || !wire_json_skip_value (self, levels - 1))
        return FALSE;
    while (json_next_element (self));

  if (json_peek (self) != close)
    return wire_json_unexpected (self, object ? _ ("“,” or “}”") : _ ("“,” or “]”"));
  self->cursor++;
  return TRUE;
}

gboolean
wire_json_skip_value (JsonScanner *self, guint levels)
{
  JsonString string;

  switch (json_peek (self))
    {
    case '{':
      return skip_container (self, levels, TRUE);
    case '[':
      return skip_container (self, levels, FALSE);
    case '"':
      return wire_json_scan_string (self, &string);
    case 't':
      return wire_json_scan_word (self, "true");
    case 'f':
      return wire_json_scan_word (self, "false");
    case 'n':
      return wire_json_scan_word (self, "null");
    case '-':
    case '0' ... '9':
      return skip_number (self);
    default:
      return wire_json_unexpected (self, _ ("a value"));
    }
}

gboolean
wire_json_check (const char *text, gsize length, guint levels, GError **error)
{
  const char *start = text != NULL ? text : ""; /* GBytes without bytes have no data */
  JsonScanner self = { start, start, start + length, error };

  json_skip_space (&self);
  if (!wire_json_skip_value (&self, levels))
    return FALSE;
  json_skip_space (&self);
  return self.cursor == self.end || wire_json_unexpected (&self, _ ("the end of the text"));
}
