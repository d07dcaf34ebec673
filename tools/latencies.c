/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/latencies.h"

#include "tools/values.h"

#define BAR_WIDTH 40
#define BLOCK "█"

static int
compare (gconstpointer a, gconstpointer b)
{
  double one = *(const double *)a, other = *(const double *)b;

  return (one > other) - (one < other);
}

void
latencies_take (Latencies *self, GArray *values)
{
  self->values = values;
  g_array_sort (values, compare);
}

void
latencies_clear (Latencies *self)
{
  g_clear_pointer (&self->values, g_array_unref);
}

static double
get_value (const Latencies *self, guint i)
{
  return g_array_index (self->values, double, i);
}

double
latencies_get_percentile (const Latencies *self, guint percent)
{
  return get_value (self, MIN (self->values->len * percent / 100, self->values->len - 1));
}

void
latencies_fill_buckets (const Latencies *self, Bucket buckets[LATENCIES_BUCKETS])
{
  double least = get_value (self, 0);
  double step = (latencies_get_percentile (self, 95) - least) / (LATENCIES_BUCKETS - 1);
  guint bucket = 0;

  for (guint i = 0; i < LATENCIES_BUCKETS; i++)
    buckets[i] = (Bucket){ least + i * step, 0 };
  for (guint i = 0; i < self->values->len; i++)
    {
      while (bucket + 1 < LATENCIES_BUCKETS && get_value (self, i) >= buckets[bucket + 1].from)
        bucket++;
      buckets[bucket].calls++;
    }
}

/* At least a little where there is something at all. */
static void
append_bar (GString *text, guint calls, guint most)
{
  guint width = (calls * BAR_WIDTH + most - 1) / most;

  for (guint i = 0; i < width; i++)
    g_string_append (text, BLOCK);
  g_string_append_printf (text, "%s%u\n", width > 0 ? " " : "", calls);
}

void
latencies_append_histogram (const Latencies *self, GString *text)
{
  Bucket buckets[LATENCIES_BUCKETS];
  guint most = 1;

  latencies_fill_buckets (self, buckets);
  for (guint i = 0; i < LATENCIES_BUCKETS; i++)
    most = MAX (most, buckets[i].calls);
  for (guint i = 0; i < LATENCIES_BUCKETS; i++)
    {
      g_autofree char *from = value_describe_time (buckets[i].from);

      g_string_append_printf (text, "%*s%s  ", (int)MAX (0, 12 - g_utf8_strlen (from, -1)), "",
                              from);
      append_bar (text, buckets[i].calls, most);
    }
}

static void
add_time (JsonBuilder *builder, const char *name, double us)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, us);
}

void
latencies_build_json (const Latencies *self, JsonBuilder *builder)
{
  Bucket buckets[LATENCIES_BUCKETS];

  latencies_fill_buckets (self, buckets);
  add_time (builder, "least", get_value (self, 0));
  add_time (builder, "median", latencies_get_percentile (self, 50));
  add_time (builder, "p99", latencies_get_percentile (self, 99));
  json_builder_set_member_name (builder, "histogram");
  json_builder_begin_array (builder);
  for (guint i = 0; i < LATENCIES_BUCKETS; i++)
    {
      json_builder_begin_object (builder);
      add_time (builder, "from", buckets[i].from);
      json_builder_set_member_name (builder, "calls");
      json_builder_add_int_value (builder, buckets[i].calls);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}
