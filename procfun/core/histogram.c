/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/histogram.h"

#define N_SUB (1u << HISTOGRAM_SUB_BITS)
#define MAX_VALUE ((G_GUINT64_CONSTANT (1) << HISTOGRAM_MAX_BITS) - 1)

/* Each value below 2 N_SUB has a bucket; above, the width of a bucket doubles with each power of
 * two. */
static guint
get_index (guint64 value)
{
  guint shift;

  if (value < N_SUB)
    return (guint)value;
  shift = 63 - (guint)__builtin_clzll (value) - HISTOGRAM_SUB_BITS;
  return (shift << HISTOGRAM_SUB_BITS) + (guint)(value >> shift);
}

/* The value in the middle of a bucket. */
static guint64
get_value (guint index)
{
  guint shift;
  guint64 least;

  if (index < N_SUB)
    return index;
  shift = (index >> HISTOGRAM_SUB_BITS) - 1;
  least = (guint64)(index - (shift << HISTOGRAM_SUB_BITS)) << shift;
  return least + ((G_GUINT64_CONSTANT (1) << shift) >> 1);
}

void
histogram_record (Histogram *self, gint64 value)
{
  guint64 clamped = (guint64)CLAMP (value, 0, (gint64)MAX_VALUE);

  self->min = self->n == 0 ? clamped : MIN (self->min, clamped);
  self->max = MAX (self->max, clamped);
  self->n++;
  self->sum += clamped;
  self->buckets[get_index (clamped)]++;
}

/* Rank of the percentile, from 1. Rounding must not raise it by one. */
static guint64
get_rank (guint64 n, double percentile)
{
  double exact = CLAMP (percentile, 0, 100) / 100 * (double)n * (1 - 1e-12);
  guint64 rank = (guint64)exact;

  return CLAMP (rank + (exact > (double)rank), 1, n);
}

guint64
histogram_get_percentile (const Histogram *self, double percentile)
{
  guint64 seen = 0;
  guint64 rank;

  if (self->n == 0)
    return 0;
  rank = get_rank (self->n, percentile);
  if (rank == self->n)
    return self->max;
  for (guint i = 0; i < HISTOGRAM_N_BUCKETS; i++)
    if ((seen += self->buckets[i]) >= rank)
      return CLAMP (get_value (i), self->min, self->max);
  return self->max;
}

guint64
histogram_get_min (const Histogram *self)
{
  return self->n > 0 ? self->min : 0;
}

guint64
histogram_get_max (const Histogram *self)
{
  return self->max;
}

double
histogram_get_mean (const Histogram *self)
{
  return self->n > 0 ? (double)self->sum / (double)self->n : 0;
}

guint64
histogram_count_below (const Histogram *self, guint bits)
{
  guint end = bits < HISTOGRAM_SUB_BITS ? 1u << bits
                                        : (bits - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS;
  guint64 n = 0;

  for (guint i = 0; i < MIN (end, HISTOGRAM_N_BUCKETS); i++)
    n += self->buckets[i];
  return n;
}
