/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Counts of values in a fixed size, log-linear like HdrHistogram: each power of two has 32 buckets,
 * so that values below 64 are exact and others within 1/64. A value out of range counts as the
 * nearest in range. { 0 } is empty. No lock. */

#define HISTOGRAM_SUB_BITS 5
#define HISTOGRAM_MAX_BITS 40 /* in µs, nearly 13 days */
#define HISTOGRAM_N_BUCKETS ((HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

typedef struct
{
  guint64 n;
  guint64 sum;
  guint64 min; /* exact, as @max and @sum; valid only with @n > 0 */
  guint64 max;
  guint64 buckets[HISTOGRAM_N_BUCKETS];
} Histogram;

void histogram_record (Histogram *self, gint64 value);

/* 0 for an empty histogram. @percentile is from 0 to 100. */
guint64 histogram_get_percentile (const Histogram *self, double percentile);
guint64 histogram_get_min (const Histogram *self);
guint64 histogram_get_max (const Histogram *self);
double histogram_get_mean (const Histogram *self);

/* Number of values below 2^@bits, exact; @bits is at most HISTOGRAM_MAX_BITS. */
guint64 histogram_count_below (const Histogram *self, guint bits);

G_END_DECLS
