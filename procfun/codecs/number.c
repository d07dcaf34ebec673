/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/number.h"

#include <math.h>

/* Reading follows D. Lemire, “Number Parsing at a Gigabyte per Second” (Software: Practice and
 * Experience 51, 2021), in that it multiplies the digits with a 128 bit power of ten. In place of
 * its case analysis, we round both the least and the greatest value that the product can stand for;
 * where they differ (numbers next to the middle between two doubles) the C library decides.
 *
 * Writing follows R. Giulietti, “The Schubfach way to render doubles” (2021). */

#define FRACTION_BITS 52
#define HIDDEN_BIT (G_GUINT64_CONSTANT (1) << FRACTION_BITS)
#define MIN_EXPONENT (-1022)
#define MAX_EXPONENT 1023
#define INFINITY_BITS (G_GUINT64_CONSTANT (0x7ff) << FRACTION_BITS)

#define MAX_DIGITS 19 /* always fit into 64 bits */

/* Floors of logarithms, by constants that are exact for the exponents that doubles have. */
#define FLOOR_LOG2_OF_10_TO(e) (((e)*1741647) >> 19)
#define FLOOR_LOG10_OF_2_TO(e) (((e)*1262611) >> 22)
#define FLOOR_LOG10_OF_3_4_2_TO(e) (((e)*1262611 - 524031) >> 22)

typedef struct
{
  guint64 high;
  guint64 low;
} Wide;

static inline Wide
multiply (guint64 a, guint64 b)
{
#ifdef __SIZEOF_INT128__
  unsigned __int128 product = (unsigned __int128)a * b;

  return (Wide){ (guint64)(product >> 64), (guint64)product };
#else
  guint64 low = (a & G_MAXUINT32) * (b & G_MAXUINT32);
  guint64 middle = (a >> 32) * (b & G_MAXUINT32) + (low >> 32);
  guint64 other = (a & G_MAXUINT32) * (b >> 32) + (middle & G_MAXUINT32);

  return (Wide){ (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32),
                 (other << 32) | (low & G_MAXUINT32) };
#endif
}

static inline Wide
power_of_ten (int exponent)
{
  const guint64 *power = wire_powers_of_ten[exponent - WIRE_LEAST_POWER];

  return (Wide){ power[0], power[1] };
}

/* 5^55 is the greatest that fits into 128 bits. */
static inline gboolean
power_is_exact (int exponent)
{
  return exponent >= 0 && exponent <= 55;
}

/* Reading: */

static inline gboolean
is_digit (const char *text, const char *end)
{
  return text < end && *text >= '0' && *text <= '9';
}

/* Digits to be taken into account, whose last one stands for 10^0. */
static const char *
scan_digits (Number *self, const char *text, const char *end)
{
  guint64 eight;

  while (self->digits < G_GUINT64_CONSTANT (100000000000) && end - text >= 8
         && number_eight_digits (text, &eight) == 8)
    {
      self->digits = self->digits * 100000000 + eight;
      text += 8;
    }
  for (; is_digit (text, end); text++)
    {
      if (self->digits < G_GUINT64_CONSTANT (1000000000000000000))
        {
          self->digits = self->digits * 10 + (guint64)(*text - '0');
          continue;
        }
      self->exponent++;
      self->cut = self->cut || *text != '0';
    }
  return text;
}

static const char *
scan_exponent (Number *self, const char *text, const char *end)
{
  const gint64 enough = G_GINT64_CONSTANT (1000000000000000);
  gboolean negative = text < end && *text == '-';
  gint64 exponent = 0;

  if (text < end && (*text == '-' || *text == '+'))
    text++;
  if (!is_digit (text, end))
    return NULL;

  for (; is_digit (text, end); text++)
    if (exponent < enough)
      exponent = exponent * 10 + (*text - '0');

  self->scale += negative ? -exponent : exponent;
  self->exponent += negative ? -exponent : exponent;
  return text;
}

gboolean
wire_number_scan (Number *self, const char *text, const char *end)
{
  *self = (Number){ .start = text, .end = text };

  self->negative = text < end && *text == '-';
  if (self->negative)
    text++;
  if (!is_digit (text, end))
    return FALSE;
  text = *text == '0' ? text + 1 : scan_digits (self, text, end);

  if (text < end && *text == '.')
    {
      const char *point = text;

      if (!is_digit (point + 1, end))
        return FALSE;
      text = scan_digits (self, point + 1, end);
      self->scale -= text - (point + 1);
      self->exponent -= text - (point + 1);
    }

  self->digits_end = text;
  if (text < end && (*text == 'e' || *text == 'E'))
    text = scan_exponent (self, text + 1, end);

  if (text == NULL)
    return FALSE;
  self->end = text;
  return TRUE;
}

/* The bits of @high above the lowest @dropped, rounded to even; @more says that there is something
 * below @high. */
static inline guint64
round_to_even (guint64 high, gboolean more, guint dropped)
{
  guint64 kept = high >> dropped;
  guint64 rest = high & ((G_GUINT64_CONSTANT (1) << dropped) - 1);
  guint64 half = G_GUINT64_CONSTANT (1) << (dropped - 1);

  return kept + (rest > half || (rest == half && (more || (kept & 1) != 0)));
}

/* FALSE if the 128 bits of the power do not decide. @bits may become infinite. */
static gboolean
multiply_to_double (const Number *self, guint64 *bits)
{
  const int power = (int)self->exponent;
  const Wide ten = power_of_ten (power);
  const guint shift = (guint)__builtin_clzll (self->digits);
  const guint64 digits = self->digits << shift;
  const Wide upper = multiply (digits, ten.high);
  const Wide lower = multiply (digits, ten.low);
  guint64 low = lower.low;
  guint64 middle = upper.low + lower.high;
  guint64 high = upper.high + (middle < upper.low);
  const int top_bit = (high >> 63) != 0 ? 63 : 62;
  /* of the first bit: the product is in units of 2^(log2 - 127 - shift), high of 2^128 times that
   */
  const int exponent = top_bit + 1 + FLOOR_LOG2_OF_10_TO (power) - (int)shift;
  const int precision = MIN (exponent - MIN_EXPONENT, 0) + FRACTION_BITS + 1;
  const guint dropped = (guint)(top_bit + 1 - precision);
  guint64 least, greatest, high_before = high;

  if (exponent > MAX_EXPONENT)
    {
      *bits = INFINITY_BITS;
      return TRUE;
    }
  if (precision < 1)
    return FALSE;

  least = round_to_even (high, (middle | low) != 0, dropped);
  if (!power_is_exact (power))
    {
      low += digits;
      middle += low < digits;
      high += low < digits && middle == 0;
    }
  if (self->cut) /* the digits cut are less than one unit of the last digit */
    high += G_GUINT64_CONSTANT (1) << shift;
  greatest = round_to_even (high, (middle | low) != 0, dropped);

  /* The hidden bit counts the exponent up by one, and so does a carry out of the fraction. */
  *bits = least + ((guint64)(MAX (exponent, MIN_EXPONENT) - MIN_EXPONENT) << FRACTION_BITS);
  return least == greatest && high >= high_before;
}

static double
double_by_c_library (const Number *self)
{
  char on_stack[128];
  gsize length = (gsize)(self->end - self->start);
  g_autofree char *allocated = NULL;
  char *text = length < sizeof on_stack ? on_stack : (allocated = g_malloc (length + 1));

  memcpy (text, self->start, length);
  text[length] = '\0';
  return fabs (g_ascii_strtod (text, NULL));
}

gboolean
wire_number_to_double (const Number *self, double *value)
{
  guint64 bits;
  double magnitude = 0.0;

  if (self->digits != 0 && self->exponent > WIRE_GREATEST_POWER)
    return FALSE;

  if (self->digits != 0 && self->exponent >= WIRE_LEAST_POWER)
    {
      if (multiply_to_double (self, &bits))
        memcpy (&magnitude, &bits, sizeof magnitude);
      else
        magnitude = double_by_c_library (self);
    }

  *value = self->negative ? -magnitude : magnitude;
  return !isinf (magnitude);
}

NumberRange
wire_number_to_integer (const Number *self, guint64 *magnitude)
{
  gint64 scale = self->scale;
  guint64 value = 0;
  const char *last = self->digits_end - 1;

  /* Digits after the point must be zeros. */
  for (; scale < 0 && last >= self->start; last--)
    {
      if (*last == '.')
        continue;
      if (*last != '0')
        break;
      scale++;
    }
  if (self->digits == 0)
    {
      *magnitude = 0;
      return NUMBER_INTEGER;
    }
  if (scale < 0)
    return NUMBER_FRACTION;

  for (const char *p = self->start; p <= last; p++)
    if (*p != '.' && *p != '-'
        && (!g_uint64_checked_mul (&value, value, 10)
            || !g_uint64_checked_add (&value, value, (guint64)(*p - '0'))))
      return NUMBER_TOO_LARGE;

  for (; scale > 0; scale--)
    if (!g_uint64_checked_mul (&value, value, 10))
      return NUMBER_TOO_LARGE;

  *magnitude = value;
  return NUMBER_INTEGER;
}

/* Writing: */

/* digits * power, in units of 2^128 of it, rounded to odd: a number between two integers becomes
 * the odd one, so later comparisons with an even number keep their direction. */
static inline guint64
multiply_to_odd (Wide power, guint64 digits)
{
  Wide lower = multiply (digits, power.low);
  Wide upper = multiply (digits, power.high);
  guint64 middle = upper.low + lower.high;
  guint64 high = upper.high + (middle < upper.low);

  return high | (middle > 1);
}

/* The shortest decimal in the interval of numbers that round to this double, which is
 * @significand * 2^@exponent; @uneven if the double below is only half as far as the one above. */
static guint64
shortest_digits (guint64 significand, int exponent, gboolean uneven, int *decimal_exponent)
{
  const int k = uneven ? FLOOR_LOG10_OF_3_4_2_TO (exponent) : FLOOR_LOG10_OF_2_TO (exponent);
  const int shift = exponent + FLOOR_LOG2_OF_10_TO (-k) + 1;
  const guint64 odd = significand & 1; /* then the ends of the interval round to the neighbours */
  Wide power = power_of_ten (-k);
  guint64 below, value, above, shorter, digits;
  gboolean lower_fits, upper_fits;

  if (!power_is_exact (-k))
    {
      power.low++;
      power.high += power.low == 0;
    }

  /* all of them times four, in units of 10^k */
  below = multiply_to_odd (power, (4 * significand - 2 + (guint64)uneven) << shift) + odd;
  value = multiply_to_odd (power, (4 * significand) << shift);
  above = multiply_to_odd (power, (4 * significand + 2) << shift) - odd;

  digits = value / 4;
  shorter = digits / 10;
  if (shorter != 0)
    {
      lower_fits = below <= 40 * shorter;
      upper_fits = 40 * shorter + 40 <= above;
      if (lower_fits != upper_fits)
        {
          *decimal_exponent = k + 1;
          return shorter + (guint64)upper_fits;
        }
    }

  *decimal_exponent = k;
  lower_fits = below <= 4 * digits;
  upper_fits = 4 * digits + 4 <= above;
  if (lower_fits != upper_fits)
    return digits + (guint64)upper_fits;
  return digits + (value > 4 * digits + 2 || (value == 4 * digits + 2 && (digits & 1) != 0));
}

static guint64
drop_zeros (guint64 digits, int *exponent)
{
  for (; digits % 100000000 == 0; *exponent += 8)
    digits /= 100000000;
  for (; digits % 10 == 0; *exponent += 1)
    digits /= 10;
  return digits;
}

/* Eight digits, the first in the lowest byte: the halves of four, then the pairs, then the digits,
 * all divided at once. The factors are 2^20 / 100 and 2^10 / 10, exact for so few digits. */
static inline guint64
split_digits (guint32 value)
{
  guint64 fours = value / 10000 | (guint64)(value % 10000) << 32;
  guint64 hundreds = fours * 10486 >> 20 & G_GUINT64_CONSTANT (0x0000007f0000007f);
  guint64 pairs = hundreds | (fours - hundreds * 100) << 16;
  guint64 tens = pairs * 103 >> 10 & G_GUINT64_CONSTANT (0x000f000f000f000f);

  return tens | (pairs - tens * 10) << 8;
}

static inline void
put_digits (char *text, guint64 digits)
{
  digits = GUINT64_TO_LE (digits + NUMBER_BYTES ('0'));
  memcpy (text, &digits, sizeof digits);
}

#define EIGHT_DIGITS 100000000

/* Without leading zeros. */
static inline gsize
put_small (char *text, guint32 value)
{
  const guint64 digits = split_digits (value);
  const guint zeros = (guint)__builtin_ctzll (digits | G_GUINT64_CONSTANT (1) << 56) / 8;

  put_digits (text, digits >> (8 * zeros));
  return 8 - zeros;
}

static G_GNUC_NO_INLINE gsize
put_large (char *text, guint64 value)
{
  const guint64 rest = value / EIGHT_DIGITS;
  gsize before = rest < EIGHT_DIGITS ? put_small (text, (guint32)rest) : put_large (text, rest);

  put_digits (text + before, split_digits ((guint32)(value % EIGHT_DIGITS)));
  return before + 8;
}

gsize
wire_number_format_uint64 (char *text, guint64 value)
{
  return value < EIGHT_DIGITS ? put_small (text, (guint32)value) : put_large (text, value);
}

/* Like Python: plain between 0.0001 and 1e16, otherwise with an exponent. */
static gsize
format_digits (char *text, const char *digits, int n_digits, int exponent)
{
  const int point = n_digits + exponent; /* digits before the point, if positive */
  char *start = text;

  if (point < -3 || point > 16)
    {
      *text++ = digits[0];
      if (n_digits > 1)
        {
          *text++ = '.';
          memcpy (text, digits + 1, (gsize)n_digits - 1);
          text += n_digits - 1;
        }
      *text++ = 'e';
      if (point < 1)
        *text++ = '-';
      text += wire_number_format_uint64 (text, (guint64)ABS (point - 1));
      return (gsize)(text - start);
    }

  if (point <= 0)
    {
      memcpy (text, "0.000", 5);
      memcpy (text + 2 - point, digits, (gsize)n_digits);
      return (gsize)(2 - point + n_digits);
    }

  if (exponent >= 0)
    {
      memcpy (text, digits, (gsize)n_digits);
      memset (text + n_digits, '0', (gsize)exponent);
      memcpy (text + point, ".0", 2);
      return (gsize)point + 2;
    }

  memcpy (text, digits, (gsize)point);
  text[point] = '.';
  memcpy (text + point + 1, digits + point, (gsize)(n_digits - point));
  return (gsize)n_digits + 1;
}

gsize
wire_number_format_double (char *text, double value)
{
  char digits[NUMBER_MAX_LENGTH];
  guint64 bits, fraction, shortest;
  int exponent, n_digits;
  gsize sign;

  memcpy (&bits, &value, sizeof bits);
  fraction = bits & (HIDDEN_BIT - 1);
  exponent = (int)(bits >> FRACTION_BITS & 0x7ff);
  sign = bits >> 63;

  *text = '-';
  text += sign;
  if (fraction == 0 && exponent == 0)
    {
      memcpy (text, "0.0", 3);
      return sign + 3;
    }

  if (exponent == 0)
    shortest = shortest_digits (fraction, MIN_EXPONENT - FRACTION_BITS, FALSE, &exponent);
  else
    shortest = shortest_digits (fraction | HIDDEN_BIT, exponent - 1 + MIN_EXPONENT - FRACTION_BITS,
                                fraction == 0 && exponent > 1, &exponent);
  shortest = drop_zeros (shortest, &exponent);
  n_digits = (int)wire_number_format_uint64 (digits, shortest);
  return sign + format_digits (text, digits, n_digits, exponent);
}
