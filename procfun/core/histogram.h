/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How often which value came, in a fixed size: log-linear, as HdrHistogram is. Each power of two is
 * divided into 32 buckets, so that values below 64 are exact and all others within 1/64. What is
 * out of range counts as the nearest that is in it. { 0 } is an empty one; it has no lock. */

#define HISTOGRAM_SUB_BITS 5
#define HISTOGRAM_MAX_BITS 40 /* of µs: nearly 13 days */
#define HISTOGRAM_N_BUCKETS ((HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

typedef struct
{
  guint64 n;
  guint64 sum;
  guint64 min; /* exact, as are the others; only with @n > 0 */
  guint64 max;
  guint64 buckets[HISTOGRAM_N_BUCKETS];
} Histogram;

void histogram_record (Histogram *self, gint64 value);

/* All 0 for an empty one. @percentile is from 0 to 100: the least value that at least so many per
 * cent of the values do not exceed. */
guint64 histogram_get_percentile (const Histogram *self, double percentile);
guint64 histogram_get_min (const Histogram *self);
guint64 histogram_get_max (const Histogram *self);
double histogram_get_mean (const Histogram *self);

/* How many values are less than 2^@bits, exactly; @bits is at most HISTOGRAM_MAX_BITS. */
guint64 histogram_count_below (const Histogram *self, guint bits);

G_END_DECLS
