/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include "procfun/codecs/number.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Natural numbers of up to 2048 bits, to check the table with. */
typedef struct
{
  guint32 words[64]; /* lowest first */
} Natural;

static void
natural_multiply (Natural *self, guint32 factor)
{
  guint64 carry = 0;

  for (guint i = 0; i < G_N_ELEMENTS (self->words); i++)
    {
      carry += (guint64)self->words[i] * factor;
      self->words[i] = (guint32)carry;
      carry >>= 32;
    }
  g_assert_cmpuint (carry, ==, 0);
}

static void
natural_shift (Natural *self, guint bits)
{
  for (; bits >= 16; bits -= 16)
    natural_multiply (self, 1 << 16);
  natural_multiply (self, 1u << bits);
}

static int
natural_compare (const Natural *a, const Natural *b)
{
  for (guint i = G_N_ELEMENTS (a->words); i-- > 0;)
    if (a->words[i] != b->words[i])
      return a->words[i] < b->words[i] ? -1 : 1;
  return 0;
}

static guint
natural_length (const Natural *self)
{
  for (guint i = G_N_ELEMENTS (self->words); i-- > 0;)
    if (self->words[i] != 0)
      return i * 32 + g_bit_storage (self->words[i]);
  return 0;
}

static Natural
natural_from_entry (const guint64 *entry, guint64 plus)
{
  guint64 low = entry[1] + plus;
  guint64 high = entry[0] + (low < plus);

  return (Natural){ { (guint32)low, low >> 32, (guint32)high, high >> 32 } };
}

/* entry <= 5^power, scaled to 128 bits, < entry + 1; with negative powers, entry * 5^-power <= a
 * power of two < (entry + 1) * 5^-power. */
static void
test_powers_of_ten (void)
{
  for (int power = WIRE_LEAST_POWER; power <= WIRE_GREATEST_POWER; power++)
    {
      const guint64 *entry = wire_powers_of_ten[power - WIRE_LEAST_POWER];
      Natural least = natural_from_entry (entry, 0);
      Natural more = natural_from_entry (entry, 1);
      Natural exact = { { 1 } };
      guint length;

      g_assert_cmpuint (entry[0] >> 63, ==, 1);
      for (int i = 0; i < power; i++)
        natural_multiply (&exact, 5);
      for (int i = 0; i > power; i--)
        {
          natural_multiply (&least, 5);
          natural_multiply (&more, 5);
        }

      length = MAX (natural_length (&least), natural_length (&exact));
      if (power < 0)
        natural_shift (&exact, natural_length (&more) - 1);
      else
        {
          natural_shift (&exact, length - natural_length (&exact));
          natural_shift (&least, length - 128);
          natural_shift (&more, length - 128);
        }
      g_assert_cmpint (natural_compare (&least, &exact), <=, 0);
      g_assert_cmpint (natural_compare (&more, &exact), >, 0);
    }
}

static double
parse (const char *text)
{
  Number number;
  double value;

  g_assert_true (wire_number_scan (&number, text, text + strlen (text)));
  g_assert_true (number.end == text + strlen (text));
  g_assert_true (wire_number_to_double (&number, &value));
  return value;
}

static void
assert_same_bits (double a, double b)
{
  guint64 bits_a, bits_b;

  memcpy (&bits_a, &a, sizeof a);
  memcpy (&bits_b, &b, sizeof b);
  if (bits_a != bits_b)
    g_error ("%.17g is not %.17g", a, b);
}

static char *
format (double value)
{
  char *text = g_malloc (NUMBER_MAX_LENGTH + 1);

  text[wire_number_format_double (text, value)] = '\0';
  return text;
}

static guint
count_digits (const char *text)
{
  guint n = 0;
  guint zeros = 0;

  for (; *text != '\0' && *text != 'e'; text++)
    {
      if (!g_ascii_isdigit (*text) || (n == 0 && *text == '0'))
        continue;
      n++;
      zeros = *text == '0' ? zeros + 1 : 0;
    }
  return n - zeros;
}

/* Reads back, and no shorter text would. */
static void
check_double (double value)
{
  g_autofree char *text = format (value);
  char other[64];

  assert_same_bits (parse (text), value);
  assert_same_bits (g_ascii_strtod (text, NULL), value);

  for (int digits = 1; digits <= 17; digits++)
    {
      g_snprintf (other, sizeof other, "%.*e", digits - 1, value);
      if (g_ascii_strtod (other, NULL) != value)
        continue;
      g_assert_cmpuint (count_digits (text), <=, count_digits (other));
      assert_same_bits (parse (other), value);
      /* of the same length, C's is the nearest */
      if (count_digits (text) == count_digits (other))
        assert_same_bits (parse (text), parse (other));
      break;
    }
}

static void
test_double_text (void)
{
  static const struct
  {
    double value;
    const char *text;
  } cases[] = { { 0.0, "0.0" },
                { -0.0, "-0.0" },
                { 1.0, "1.0" },
                { -1.5, "-1.5" },
                { 0.1, "0.1" },
                { 0.3, "0.3" },
                { 0.1 + 0.2, "0.30000000000000004" },
                { 100.0, "100.0" },
                { 1234567.125, "1234567.125" },
                { 0.0001, "0.0001" },
                { 0.00001, "1e-5" },
                { 0.000012345, "1.2345e-5" },
                { 1e15, "1000000000000000.0" },
                { 9007199254740993.0, "9007199254740992.0" },
                { 1e16, "1e16" },
                { 1e21, "1e21" },
                { 1e22, "1e22" },
                { 1e23, "1e23" },
                { 1.7976931348623157e308, "1.7976931348623157e308" },
                { 2.2250738585072014e-308, "2.2250738585072014e-308" },
                { 2.225073858507201e-308, "2.225073858507201e-308" },
                { 4.9406564584124654e-324, "5e-324" },
                { 9.5367431640625e-07, "9.5367431640625e-7" },
                { 2.0, "2.0" },
                { 5.0e-324 * 3, "1.5e-323" },
                { 2251799813685248.5, "2251799813685248.5" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = format (cases[i].value);

      g_assert_cmpstr (text, ==, cases[i].text);
      check_double (cases[i].value);
    }
}

static void
test_double_powers (void)
{
  for (int exponent = -1074; exponent <= 1023; exponent++)
    {
      double value = ldexp (1.0, exponent);

      check_double (value);
      check_double (nextafter (value, 0.0));
      check_double (nextafter (value, DBL_MAX));
    }
  for (int exponent = -323; exponent <= 308; exponent++)
    {
      g_autofree char *text = g_strdup_printf ("1e%d", exponent);
      double value = g_ascii_strtod (text, NULL);

      check_double (value);
      check_double (nextafter (value, 0.0));
      check_double (nextafter (value, DBL_MAX));
    }
}

static void
test_double_random (void)
{
  const guint n = g_test_slow () ? 10000000 : 50000;

  for (guint i = 0; i < n; i++)
    {
      guint64 bits = (guint64)g_test_rand_int () << 32 | (guint32)g_test_rand_int ();
      double value;

      if (i % 4 == 0) /* few digits */
        value = g_test_rand_int_range (-100000, 100000) / 1000.0;
      else
        memcpy (&value, &bits, sizeof value);
      if (isfinite (value))
        check_double (value);
    }
}

/* Texts that are hard to round, against the C library. */
static void
check_text (const char *text)
{
  assert_same_bits (parse (text), g_ascii_strtod (text, NULL));
}

static void
test_read_hard (void)
{
  static const char *const texts[]
      = { "9007199254740993",
          "9007199254740993.00000000000000000000000000000000000000000001",
          "9007199254740992.99999999999999999999999999999999999999999999",
          "4503599627370496.5",
          "4503599627370497.5",
          "0.500000000000000166533453693773481063544750213623046875",
          "3.518437208883201171875e13",
          "62.5364939768271845828",
          "8.10109172351e-10",
          "1.50000000000000011102230246251565",
          "9007199254740991.4999999999999999999999999999999995",
          "1e-400",
          "0.0000001e-999999999999999999999999",
          "0e999999999999999999999999",
          "0.00e-5",
          "-0",
          "-0.0",
          "-0e-10",
          "2.4703282292062327e-324",
          "2.4703282292062328e-324",
          "2.47032822920623272088284396434110686182e-324",
          "2.47032822920623272088284396434110686183e-324",
          "7.4109846876186981626485318930233205854758970392148714663837852375e-324",
          "2.2250738585072011e-308",
          "2.2250738585072012e-308",
          "2.22507385850720113605740979670913197593e-308",
          "1.7976931348623158e308",
          "1.797693134862315807937e308",
          "179769313486231580793728971405301e276",
          "1234567890123456789012345678901234567890",
          "0.000000000000000000000000000000000000000000001234567890123456789012345678901234567890",
          "12345678901234567890e-20",
          "9999999999999999999999e-22",
          "18446744073709551615",
          "18446744073709551616",
          "10000000000000000000000000000000000000000000000000000000000000000001e-40",
          "1E5",
          "1e+5",
          "1.0e-005" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    check_text (texts[i]);
}

/* The exact middle between two doubles, a hair below and a hair above. */
static void
test_read_middles (void)
{
  const guint n = g_test_slow () ? 1000000 : 5000;

  for (guint i = 0; i < n; i++)
    {
      guint64 bits = (guint64)g_test_rand_int () << 32 | (guint32)g_test_rand_int ();
      double value;
      char text[1200];
      gsize length;

      memcpy (&value, &bits, sizeof value);
      value = fabs (value);
      if (i % 2 == 0)
        value = ldexp (1.0 + g_test_rand_double (), g_test_rand_int_range (-80, 120));
      if (!isfinite (value) || value > 1e300)
        continue;

#if LDBL_MANT_DIG >= 64 && LDBL_MAX_EXP > DBL_MAX_EXP
      g_snprintf (text, sizeof text, "%.1100Le",
                  ((long double)value + (long double)nextafter (value, DBL_MAX)) / 2);
#else
      g_snprintf (text, sizeof text, "%.1100e", value);
#endif
      check_text (text);
      length = strchr (text, 'e') - text;
      text[length - 1] = '1';
      check_text (text);
      if (strstr (text, "5000000") != NULL)
        {
          char *five = strstr (text, "5000000");

          memcpy (five, "4999999", 7);
          check_text (text);
        }
    }
}

static void
test_read_random (void)
{
  const guint n = g_test_slow () ? 10000000 : 100000;

  for (guint i = 0; i < n; i++)
    {
      guint64 digits = (guint64)g_test_rand_int () << 32 | (guint32)g_test_rand_int ();
      char text[64];

      g_snprintf (text, sizeof text, "%s%" G_GUINT64_FORMAT "%se%d", g_test_rand_bit () ? "-" : "",
                  digits >> g_test_rand_int_range (0, 64), g_test_rand_bit () ? "" : ".25",
                  g_test_rand_int_range (-345, 288));
      check_text (text);
    }
}

static void
test_overflow (void)
{
  static const char *const texts[]
      = { "1e309", "1.7976931348623159e308", "1e400", "-1e999999999999999999999", "10000e305" };
  Number number;
  double value;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_assert_true (wire_number_scan (&number, texts[i], texts[i] + strlen (texts[i])));
      g_assert_false (wire_number_to_double (&number, &value));
    }
}

static void
test_grammar (void)
{
  static const struct
  {
    const char *text;
    int length; /* of the number in it, -1 if there is none */
  } cases[] = { { "0", 1 },    { "-0", 2 },    { "01", 1 },    { "12x", 2 },     { "1.5", 3 },
                { "1e5", 3 },  { "1E+5", 4 },  { "1e-05", 5 }, { "-1.50e1", 7 }, { "", -1 },
                { "-", -1 },   { "+1", -1 },   { ".5", -1 },   { "1.", -1 },     { "1.e5", -1 },
                { "1e", -1 },  { "1e+", -1 },  { "-x", -1 },   { "NaN", -1 },    { "--1", -1 },
                { "0x10", 1 }, { "1.5.5", 3 }, { "1e5e5", 3 } };
  const char *digits = "123";
  Number number;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *text = cases[i].text;
      gboolean found = wire_number_scan (&number, text, text + strlen (text));

      g_assert_cmpint (found ? number.end - text : -1, ==, cases[i].length);
    }

  /* nothing behind the end counts */
  g_assert_false (wire_number_scan (&number, digits, digits));
}

static void
test_integers (void)
{
  static const struct
  {
    const char *text;
    NumberRange range;
    guint64 magnitude;
  } cases[] = { { "0", NUMBER_INTEGER, 0 },
                { "-0", NUMBER_INTEGER, 0 },
                { "-0.000", NUMBER_INTEGER, 0 },
                { "0e99999999999999999999", NUMBER_INTEGER, 0 },
                { "1.0", NUMBER_INTEGER, 1 },
                { "1e2", NUMBER_INTEGER, 100 },
                { "1.5e1", NUMBER_INTEGER, 15 },
                { "1500e-2", NUMBER_INTEGER, 15 },
                { "1500.000e-2", NUMBER_INTEGER, 15 },
                { "-120", NUMBER_INTEGER, 120 },
                { "18446744073709551615", NUMBER_INTEGER, G_MAXUINT64 },
                { "1844674407370955161.5e1", NUMBER_INTEGER, G_MAXUINT64 },
                { "18446744073709551615000e-3", NUMBER_INTEGER, G_MAXUINT64 },
                { "1.5", NUMBER_FRACTION, 0 },
                { "1e-1", NUMBER_FRACTION, 0 },
                { "1500e-3", NUMBER_FRACTION, 0 },
                { "1e-99999999999999999999", NUMBER_FRACTION, 0 },
                { "0.1", NUMBER_FRACTION, 0 },
                { "18446744073709551616", NUMBER_TOO_LARGE, 0 },
                { "1e20", NUMBER_TOO_LARGE, 0 },
                { "1e99999999999999999999", NUMBER_TOO_LARGE, 0 },
                { "99999999999999999999999999999", NUMBER_TOO_LARGE, 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *text = cases[i].text;
      Number number;
      guint64 magnitude = 0;

      g_assert_true (wire_number_scan (&number, text, text + strlen (text)));
      g_assert_cmpint (wire_number_to_integer (&number, &magnitude), ==, cases[i].range);
      if (cases[i].range == NUMBER_INTEGER)
        g_assert_cmpuint (magnitude, ==, cases[i].magnitude);
    }
}

static void
test_integer_text (void)
{
  guint64 power = 1;
  char text[NUMBER_MAX_LENGTH];
  char expected[NUMBER_MAX_LENGTH];

  for (guint i = 0; i < 20; i++, power *= 10)
    for (int around = -1; around <= 1; around++)
      {
        text[wire_number_format_uint64 (text, power + (guint64)around)] = '\0';
        g_snprintf (expected, sizeof expected, "%" G_GUINT64_FORMAT, power + (guint64)around);
        g_assert_cmpstr (text, ==, expected);
      }
  text[wire_number_format_uint64 (text, G_MAXUINT64)] = '\0';
  g_assert_cmpstr (text, ==, "18446744073709551615");
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/number/powers-of-ten-are-exact", test_powers_of_ten);
  fixture_add_func ("/number/double/has-shortest-text", test_double_text);
  fixture_add_func ("/number/double/powers-survive", test_double_powers);
  fixture_add_func ("/number/double/random-survive", test_double_random);
  fixture_add_func ("/number/double/overflow-is-refused", test_overflow);
  fixture_add_func ("/number/read/hard-cases-round-right", test_read_hard);
  fixture_add_func ("/number/read/middles-round-to-even", test_read_middles);
  fixture_add_func ("/number/read/random-agrees-with-strtod", test_read_random);
  fixture_add_func ("/number/grammar-is-that-of-json", test_grammar);
  fixture_add_func ("/number/integer/is-read-however-written", test_integers);
  fixture_add_func ("/number/integer/is-written-exactly", test_integer_text);

  return fixture_run ();
}
