/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/codecs/number.h"
#include "procfun/values/byte-buffer.h"

G_BEGIN_DECLS

/* Numbers and strings as JSON text. */

#define JSON_LITERAL(out, text) buffer_append ((out), (text), sizeof (text) - 1)

/* A number; NaN and the infinities as strings. */
void wire_json_append_double (Buffer *out, double value);

/* In quotes; @text is UTF-8 without U+0000. */
void wire_json_append_text (Buffer *out, const char *text, gsize length);

/* Integers that a double can't hold are written so that no reader rounds them. Takes at most
 * NUMBER_MAX_LENGTH, and returns the end. */
static inline char *
json_put_integer (char *text, guint64 magnitude, gboolean negative)
{
  const gboolean quoted = magnitude > G_GUINT64_CONSTANT (1) << 53;

  if (G_UNLIKELY (quoted))
    *text++ = '"';
  *text = '-';
  text += negative;
  text += wire_number_format_uint64 (text, magnitude);
  if (G_UNLIKELY (quoted))
    *text++ = '"';
  return text;
}

G_END_DECLS
