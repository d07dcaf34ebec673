/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* Numbers as JSON writes them. Nothing here depends on the locale or on the rounding mode. */

typedef struct
{
  const char *start;
  const char *end;        /* one past the last character */
  const char *digits_end; /* one past the last before the exponent */
  guint64 digits;         /* the first 19 significant digits */
  gint64 exponent;        /* the value is digits * 10^exponent, or a little more: */
  gboolean cut;           /* not all digits fitted */
  gboolean negative;
  gint64 scale; /* the power of ten of the last digit in the text */
} Number;

typedef enum
{
  NUMBER_INTEGER,
  NUMBER_FRACTION,
  NUMBER_TOO_LARGE
} NumberRange;

/* The room that the two formats below need. They add no NUL, but may write to all of it. */
#define NUMBER_MAX_LENGTH 32

/* Finds the longest number of RFC 8259 at @text; FALSE if there is none. */
gboolean wire_number_scan (Number *self, const char *text, const char *end);

/* To the nearest double, ties to even; FALSE if that is infinite. */
gboolean wire_number_to_double (const Number *self, double *value);

/* The exact absolute value, where it is an integer of 64 bits, however written: 1.5e1 is 15. */
NumberRange wire_number_to_integer (const Number *self, guint64 *magnitude);

/* The fewest digits that read back to the same bits, and among those the nearest; at least one
 * digit after the point, or an exponent. Not for NaN and infinities. */
gsize wire_number_format_double (char *text, double value);

gsize wire_number_format_uint64 (char *text, guint64 value);

/* The first 128 bits, high and low, of 10^WIRE_LEAST_POWER and up, rounded down. */
#define WIRE_LEAST_POWER (-342)
#define WIRE_GREATEST_POWER 324
extern const guint64 wire_powers_of_ten[WIRE_GREATEST_POWER - WIRE_LEAST_POWER + 1][2];

#define NUMBER_BYTES(byte) (G_GUINT64_CONSTANT (0x0101010101010101) * (byte))

/* Counts the digits at the beginning of the next eight characters, and computes their value. All at
 * once: neighbours become numbers of two digits, these of four, and these of eight. */
static inline guint
number_eight_digits (const char *text, guint64 *value)
{
  guint64 bytes, others;
  guint n;

  memcpy (&bytes, text, sizeof bytes);
  bytes = GUINT64_FROM_LE (bytes);
  others = ((bytes - NUMBER_BYTES ('0')) | (bytes + NUMBER_BYTES (0x7f - '9')) | bytes)
           & NUMBER_BYTES (0x80);
  n = others != 0 ? (guint)__builtin_ctzll (others) / 8 : 8;
  if (n == 0)
    return 0;

  bytes = (bytes & NUMBER_BYTES (0x0f)) << (64 - 8 * n);
  bytes = (bytes * 10 + (bytes >> 8)) & G_GUINT64_CONSTANT (0x00ff00ff00ff00ff);
  bytes = (bytes * 100 + (bytes >> 16)) & G_GUINT64_CONSTANT (0x0000ffff0000ffff);
  *value = (bytes * 10000 + (bytes >> 32)) & G_MAXUINT32;
  return n;
}

G_END_DECLS
