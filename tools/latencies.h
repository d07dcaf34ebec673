/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#define LATENCIES_BUCKETS 10

/* How long calls took, each of them. */
typedef struct
{
  GArray *values; /* (element-type double): in µs; sorted */
} Latencies;

/* Number of calls that took at least @from and less than the next row's; the last row has all
 * longer ones. */
typedef struct
{
  double from; /* in µs */
  guint calls;
} Bucket;

/* (element-type double), in µs, in any order; there is at least one. (transfer full) */
void latencies_take (Latencies *self, GArray *values);
void latencies_clear (Latencies *self);

double latencies_get_percentile (const Latencies *self, guint percent);

/* Even steps from the least to the 95th percentile: without the few that stray, which would make
 * the steps too wide to see anything. */
void latencies_fill_buckets (const Latencies *self, Bucket buckets[LATENCIES_BUCKETS]);

/* Lines, one for each bucket. */
void latencies_append_histogram (const Latencies *self, GString *text);

/* Adds members to an object that is being made. */
void latencies_build_json (const Latencies *self, JsonBuilder *builder);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Latencies, latencies_clear)
