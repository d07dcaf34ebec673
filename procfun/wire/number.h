/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

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

/* Enough for any of the two formats below; they add no NUL. */
#define NUMBER_MAX_LENGTH 32

/* The longest number of RFC 8259 at @text; FALSE if there is none. */
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

G_END_DECLS
