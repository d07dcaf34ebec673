/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* The grammar of RFC 8259, without any meaning: the reader moves over the text with it. All
 * functions that can fail return FALSE and set the error. */
typedef struct
{
  const char *start;
  const char *cursor;
  const char *end;
  GError **error;
} JsonScanner;

/* A string as it stands in the text, between its quotes. */
typedef struct
{
  const char *text;
  gsize length;
  gboolean escaped; /* has escapes */
  gboolean nul;     /* one of them is U+0000 */
} JsonString;

/* PROCFUN_ERROR_DECODE with the line and the column of @position. Always FALSE. */
gboolean wire_json_syntax_error (JsonScanner *self, const char *position, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* The error for a character that cannot stand at the cursor; @expected names what can. */
gboolean wire_json_unexpected (JsonScanner *self, const char *expected);

/* @word is true, false or null. */
gboolean wire_json_scan_word (JsonScanner *self, const char *word);

/* Moves the cursor from the opening quote to after the closing one. */
gboolean wire_json_scan_string (JsonScanner *self, JsonString *string);

/* Writes the string without its escapes to @text, which has room for the string's length; adds no
 * NUL. */
gsize wire_json_unescape (const JsonString *string, char *text);

/* Moves over a value of any type. Fails when there are more than @levels of brackets. */
gboolean wire_json_skip_value (JsonScanner *self, guint levels);

/* Whether @text is JSON at all, with at most @levels. */
gboolean wire_json_check (const char *text, gsize length, guint levels, GError **error);

/* The character at the cursor; NUL, which is nowhere allowed, at the end. */
static inline char
json_peek (const JsonScanner *self)
{
  return G_LIKELY (self->cursor < self->end) ? *self->cursor : '\0';
}

static inline void
json_skip_space (JsonScanner *self)
{
  while (self->cursor < self->end
         && (*self->cursor == ' ' || *self->cursor == '\n' || *self->cursor == '\r'
             || *self->cursor == '\t'))
    self->cursor++;
}

/* After an element of an array or an object: TRUE if another follows, and the cursor is at it;
 * otherwise the cursor is at what should be the closing bracket. */
static inline gboolean
json_next_element (JsonScanner *self)
{
  json_skip_space (self);
  if (json_peek (self) != ',')
    return FALSE;
  self->cursor++;
  json_skip_space (self);
  return TRUE;
}

#define JSON_BYTES(byte) (G_GUINT64_CONSTANT (0x0101010101010101) * (byte))

/* The first character of a string that is not to be copied as it is, or not ASCII. Looks at eight
 * bytes at a time: subtraction borrows the top bit of a byte that was less, and otherwise only of
 * bytes after it, so the first byte found is right. */
static inline const char *
json_plain_end (const char *text, const char *end)
{
  for (; end - text >= 8; text += 8)
    {
      guint64 bytes, quotes, backslashes, found;

      memcpy (&bytes, text, sizeof bytes);
      bytes = GUINT64_FROM_LE (bytes);
      quotes = bytes ^ JSON_BYTES ('"');
      backslashes = bytes ^ JSON_BYTES ('\\');
      found = ((bytes - JSON_BYTES (0x20)) | (quotes - JSON_BYTES (1))
               | (backslashes - JSON_BYTES (1)) | bytes)
              & JSON_BYTES (0x80);
      if (found != 0)
        return text + __builtin_ctzll (found) / 8;
    }
  while (text < end && (guchar)*text >= 0x20 && (guchar)*text < 0x80 && *text != '"'
         && *text != '\\')
    text++;
  return text;
}

/* The same as wire_json_scan_string(), without a call where a string has nothing but plain
 * characters. */
static inline gboolean
json_scan_string (JsonScanner *self, JsonString *string)
{
  const char *text = self->cursor + 1;
  const char *quote = json_plain_end (text, self->end);

  if (G_UNLIKELY (quote == self->end || *quote != '"'))
    return wire_json_scan_string (self, string);
  *string = (JsonString){ .text = text, .length = (gsize)(quote - text) };
  self->cursor = quote + 1;
  return TRUE;
}

G_END_DECLS
