/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/histogram.h"
#include "procfun/core/recorder.h"
#include "tests/fixture.h"

#define N_VALUES 1000
#define LARGEST ((G_GINT64_CONSTANT (1) << HISTOGRAM_MAX_BITS) - 1)

static const double percentiles[] = { 0, 0.1, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100 };

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *)a;
  gint64 y = *(const gint64 *)b;

  return x < y ? -1 : x > y;
}

/* From 0 to 2^@bits - 1, each power of two as likely as the others. */
static gint64
make_value (guint bits)
{
  guint64 all = (guint64)g_test_rand_int () << 32 | (guint32)g_test_rand_int ();

  return (gint64)(all >> (64 - g_test_rand_int_range (1, (int)bits + 1)));
}

/* The least value that @percentile per cent of the others do not exceed, by its definition. In
 * thousandths, which are integers. */
static gint64
look_up (const gint64 *sorted, guint n, double percentile)
{
  guint64 thousandths = (guint64)(percentile * 1000 + 0.5);
  guint64 rank = (thousandths * n + 99999) / 100000;

  return sorted[MAX (rank, 1) - 1];
}

static void
test_percentiles (void)
{
  for (guint bits = 1; bits <= HISTOGRAM_MAX_BITS; bits++)
    {
      g_autofree Histogram *histogram = g_new0 (Histogram, 1);
      guint n = (guint)g_test_rand_int_range (1, N_VALUES);
      g_autofree gint64 *values = g_new (gint64, n);

      for (guint i = 0; i < n; i++)
        histogram_record (histogram, values[i] = make_value (bits));
      qsort (values, n, sizeof *values, compare);
      g_assert_cmpuint (histogram->n, ==, n);
      g_assert_cmpint (histogram_get_min (histogram), ==, values[0]);
      g_assert_cmpint (histogram_get_max (histogram), ==, values[n - 1]);
      for (gsize i = 0; i < G_N_ELEMENTS (percentiles); i++)
        {
          gint64 exact = look_up (values, n, percentiles[i]);
          gint64 got = (gint64)histogram_get_percentile (histogram, percentiles[i]);

          g_assert_cmpint (ABS (got - exact), <=, exact / 64);
        }
    }
}

static void
test_small_values_are_exact (void)
{
  g_autofree Histogram *histogram = g_new0 (Histogram, 1);

  for (gint64 i = 1; i <= 63; i++)
    histogram_record (histogram, i);
  for (guint64 i = 1; i <= 63; i++)
    g_assert_cmpuint (histogram_get_percentile (histogram, (double)i * 100 / 63), ==, i);
  g_assert_cmpfloat (histogram_get_mean (histogram), ==, 32);
}

static void
test_empty (void)
{
  g_autofree Histogram *histogram = g_new0 (Histogram, 1);

  for (gsize i = 0; i < G_N_ELEMENTS (percentiles); i++)
    g_assert_cmpuint (histogram_get_percentile (histogram, percentiles[i]), ==, 0);
  g_assert_cmpuint (histogram_get_min (histogram), ==, 0);
  g_assert_cmpuint (histogram_get_max (histogram), ==, 0);
  g_assert_cmpfloat (histogram_get_mean (histogram), ==, 0);
  g_assert_cmpuint (histogram_count_below (histogram, HISTOGRAM_MAX_BITS), ==, 0);
}

/* A clock that was set back, or a call that took a year. */
static void
test_out_of_range (void)
{
  static const gint64 values[] = { G_MININT64, -1, 0, LARGEST, LARGEST + 1, G_MAXINT64 };
  g_autofree Histogram *histogram = g_new0 (Histogram, 1);

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    histogram_record (histogram, values[i]);
  g_assert_cmpuint (histogram->n, ==, G_N_ELEMENTS (values));
  g_assert_cmpuint (histogram->buckets[0], ==, 3);
  g_assert_cmpuint (histogram->buckets[HISTOGRAM_N_BUCKETS - 1], ==, 3);
  g_assert_cmpuint (histogram_get_percentile (histogram, 50), ==, 0);
  g_assert_cmpint ((gint64)histogram_get_percentile (histogram, 100), ==, LARGEST);
  g_assert_cmpint ((gint64)histogram_get_percentile (histogram, 1000), ==, LARGEST);
  g_assert_cmpuint (histogram_get_percentile (histogram, -1), ==, 0);
}

static void
test_count_below (void)
{
  g_autofree Histogram *histogram = g_new0 (Histogram, 1);

  for (guint bits = 0; bits < HISTOGRAM_MAX_BITS; bits++)
    {
      histogram_record (histogram, G_GINT64_CONSTANT (1) << bits);
      histogram_record (histogram, (G_GINT64_CONSTANT (1) << (bits + 1)) - 1);
    }
  for (guint bits = 0; bits <= HISTOGRAM_MAX_BITS; bits++)
    g_assert_cmpuint (histogram_count_below (histogram, bits), ==, 2 * bits);
}

/* Rates */

static void
end_calls (Recorder *recorder, gint64 at, guint n)
{
  const Ending ending = { .submitted_at = at - 5, .ended_at = at, .succeeded = TRUE };

  for (guint i = 0; i < n; i++)
    recorder_end (recorder, &ending);
}

static void
test_rates (void)
{
  const gint64 start = 1000 * G_USEC_PER_SEC;
  const gint64 second = G_USEC_PER_SEC;
  g_autofree Recorder *recorder = recorder_new (start);

  g_assert_cmpfloat (recorder_get_rate (recorder, start), ==, 0);
  g_assert_cmpfloat (recorder_get_overall_rate (recorder, start), ==, 0);
  end_calls (recorder, start, 10);
  g_assert_cmpfloat (recorder_get_rate (recorder, start + second / 2), ==, 20);

  for (gint64 i = 1; i < 30; i++)
    end_calls (recorder, start + i * second, 10);
  g_assert_cmpfloat_with_epsilon (recorder_get_rate (recorder, start + 30 * second - 1), 10, 1e-4);
  g_assert_cmpfloat (recorder_get_overall_rate (recorder, start + 30 * second), ==, 10);

  /* Then nothing happens. */
  g_assert_cmpfloat_with_epsilon (recorder_get_rate (recorder, start + 35 * second - 1), 5, 1e-4);
  g_assert_cmpfloat (recorder_get_rate (recorder, start + 40 * second), ==, 0);
  g_assert_cmpfloat (recorder_get_rate (recorder, start + 4000 * second), ==, 0);
  g_assert_cmpfloat (recorder_get_overall_rate (recorder, start + 60 * second), ==, 5);

  /* And an old slot is used again. */
  end_calls (recorder, start + (29 + RATE_SLOTS) * second, 7);
  g_assert_cmpfloat_with_epsilon (
      recorder_get_rate (recorder, start + (30 + RATE_SLOTS) * second - 1), 0.7, 1e-4);
}

/* A cause that a later version of the library might have. */
static void
test_causes (void)
{
  g_autofree Recorder *recorder = recorder_new (0);
  g_autoptr (GEnumClass) causes = g_type_class_ref (PROCFUN_TYPE_CAUSE);
  Ending ending = { .cause = (ProcfunCause)1000 };

  g_assert_cmpint (causes->minimum, ==, 0);
  g_assert_cmpint (causes->maximum, ==, RECORDER_N_CAUSES - 1);
  g_assert_cmpuint (causes->n_values, ==, RECORDER_N_CAUSES);
  recorder_end (recorder, &ending);
  ending.cause = PROCFUN_CAUSE_ERROR;
  recorder_end (recorder, &ending);
  g_assert_cmpuint (recorder->failed[RECORDER_N_CAUSES - 1], ==, 1);
  g_assert_cmpuint (recorder->failed[PROCFUN_CAUSE_ERROR], ==, 1);
  g_assert_cmpuint (recorder_count_failed (recorder), ==, 2);
}

/* Not the middle of their bucket. */
static void
test_one_value (void)
{
  for (gint64 value = 1; value < LARGEST / 3; value = 3 * value + 1)
    {
      g_autofree Histogram *histogram = g_new0 (Histogram, 1);

      histogram_record (histogram, value);
      histogram_record (histogram, value);
      g_assert_cmpint ((gint64)histogram_get_percentile (histogram, 10), ==, value);
    }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/histogram/percentiles-are-within-a-64th", test_percentiles);
  fixture_add_func ("/histogram/percentiles-are-values-that-were-there", test_one_value);
  fixture_add_func ("/histogram/small-values-are-exact", test_small_values_are_exact);
  fixture_add_func ("/histogram/an-empty-histogram-is-zero", test_empty);
  fixture_add_func ("/histogram/values-out-of-range-are-clamped", test_out_of_range);
  fixture_add_func ("/histogram/counts-below-powers-of-two-are-exact", test_count_below);
  fixture_add_func ("/recorder/rates-are-of-the-last-seconds", test_rates);
  fixture_add_func ("/recorder/an-unknown-cause-is-counted", test_causes);
  return fixture_run ();
}
