/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Statistics in the text format of OpenMetrics 1.0. */

#include "procfun/statistics/statistics.h"

#include "procfun/codecs/number.h"
#include <inttypes.h>

/* Bounds of the buckets, which are exact: from 16 µs to a minute, doubling. */
#define LEAST_BITS 4
#define GREATEST_BITS 26

/* Family of metrics: @count is its only number, or @append writes them. */
typedef struct
{
  const char *name;
  const char *type;
  const char *unit; /* (nullable): suffix of its name */
  const char *help;
  guint64 (*count) (ProcfunStatistics *self);
  void (*append) (GString *out, const char *name, const char *labels, ProcfunStatistics *self);
} Family;

static void
append_double (GString *out, double value)
{
  char text[NUMBER_MAX_LENGTH];

  g_string_append_len (out, text, (gssize)wire_number_format_double (text, value));
}

static double
get_seconds (guint64 usec)
{
  return (double)usec / G_USEC_PER_SEC;
}

static void
append_causes (GString *out, const char *name, const char *labels, ProcfunStatistics *self)
{
  g_autoptr (GEnumClass) causes = g_type_class_ref (PROCFUN_TYPE_CAUSE);

  for (guint i = 0; i < causes->n_values; i++)
    g_string_append_printf (out, "%s_total{%s,cause=\"%s\"} %" PRIu64 "\n", name, labels,
                            causes->values[i].value_nick,
                            self->counts.failed[causes->values[i].value]);
}

static void
append_histogram (GString *out, const char *name, const char *labels, const Histogram *histogram)
{
  for (guint bits = LEAST_BITS; bits <= GREATEST_BITS; bits++)
    {
      g_string_append_printf (out, "%s_bucket{%s,le=\"", name, labels);
      append_double (out, get_seconds (G_GUINT64_CONSTANT (1) << bits));
      g_string_append_printf (out, "\"} %" PRIu64 "\n", histogram_count_below (histogram, bits));
    }
  g_string_append_printf (out, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", name, labels,
                          histogram->n);
  g_string_append_printf (out, "%s_count{%s} %" PRIu64 "\n", name, labels, histogram->n);
  g_string_append_printf (out, "%s_sum{%s} ", name, labels);
  append_double (out, get_seconds (histogram->sum));
  g_string_append_c (out, '\n');
}

static void
append_latency (GString *out, const char *name, const char *labels, ProcfunStatistics *self)
{
  append_histogram (out, name, labels, &self->counts.latency);
}

static void
append_wait (GString *out, const char *name, const char *labels, ProcfunStatistics *self)
{
  append_histogram (out, name, labels, &self->counts.wait);
}

static void
append_age (GString *out, const char *name, const char *labels, ProcfunStatistics *self)
{
  g_string_append_printf (out, "%s{%s} ", name, labels);
  append_double (out, get_seconds ((guint64)procfun_statistics_get_age (self)));
  g_string_append_c (out, '\n');
}

static void
append_state (GString *out, const char *name, const char *labels, const char *state, guint n)
{
  g_string_append_printf (out, "%s{%s,state=\"%s\"} %u\n", name, labels, state, n);
}

static void
append_workers (GString *out, const char *name, const char *labels, ProcfunStatistics *self)
{
  guint counts[PROCFUN_WORKER_BUSY + 1] = { 0 };

  for (guint i = 0; i < self->workers->len; i++)
    counts[g_array_index (self->workers, Worker, i).state]++;
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    append_state (out, name, labels, statistics_get_nick ((ProcfunWorkerState)i), counts[i]);
}

static void
append_memory (GString *out, const char *name, const char *labels, ProcfunStatistics *self)
{
  for (guint i = 0; i < self->workers->len; i++)
    {
      const Worker *worker = &g_array_index (self->workers, Worker, i);

      g_string_append_printf (out, "%s{%s,pid=\"%d\"} %" PRIu64 "\n", name, labels, worker->pid,
                              worker->memory);
    }
}

static void
append_hosts (GString *out, const char *name, const char *labels, ProcfunStatistics *self)
{
  if (!self->has_hosts)
    return;
  append_state (out, name, labels, "down", self->hosts.n_down);
  append_state (out, name, labels, "starting", self->hosts.n_starting);
  append_state (out, name, labels, "up", self->hosts.n_up);
}

static void
append_slots (GString *out, const char *name, const char *labels, ProcfunStatistics *self)
{
  if (!self->has_hosts)
    return;
  append_state (out, name, labels, "free", self->hosts.n_slots - self->hosts.n_busy);
  append_state (out, name, labels, "busy", self->hosts.n_busy);
}

static void
append_lost (GString *out, const char *name, const char *labels, ProcfunStatistics *self)
{
  if (self->has_hosts)
    g_string_append_printf (out, "%s_total{%s} %" PRIu64 "\n", name, labels, self->hosts.n_lost);
}

static guint64
get_running (ProcfunStatistics *self)
{
  return procfun_statistics_get_running (self);
}

static guint64
get_queued (ProcfunStatistics *self)
{
  return procfun_statistics_get_queued (self);
}

static const Family families[] = {
  { "procfun_executor_age_seconds", "gauge", "seconds", "How long the executor has been there.",
    NULL, append_age },
  { "procfun_calls_submitted", "counter", NULL, "Calls that the executor has taken.",
    procfun_statistics_get_submitted, NULL },
  { "procfun_calls_succeeded", "counter", NULL, "Calls that have succeeded.",
    procfun_statistics_get_succeeded, NULL },
  { "procfun_calls_failed", "counter", NULL, "Calls that have failed, by cause.", NULL,
    append_causes },
  { "procfun_calls_running", "gauge", NULL, "Calls that run.", get_running, NULL },
  { "procfun_calls_queued", "gauge", NULL, "Calls that wait in the queue.", get_queued, NULL },
  { "procfun_calls_queued_bytes", "gauge", "bytes", "Arguments of the calls in the queue.",
    procfun_statistics_get_queued_bytes, NULL },
  { "procfun_call_duration_seconds", "histogram", "seconds",
    "Time of calls from submission to end.", NULL, append_latency },
  { "procfun_call_wait_seconds", "histogram", "seconds",
    "Time of calls from submission until a process has them.", NULL, append_wait },
  { "procfun_workers_started", "counter", NULL, "Processes started to be kept.",
    procfun_statistics_get_workers_started, NULL },
  { "procfun_workers_exited", "counter", NULL, "Processes that were kept and have ended.",
    procfun_statistics_get_workers_exited, NULL },
  { "procfun_workers_recycled", "counter", NULL, "Processes ended to replace them.",
    procfun_statistics_get_workers_recycled, NULL },
  { "procfun_workers", "gauge", NULL, "Processes that are kept, by state.", NULL, append_workers },
  { "procfun_worker_memory_bytes", "gauge", "bytes", "Resident memory of a process.", NULL,
    append_memory },
  { "procfun_hosts", "gauge", NULL, "Hosts of the executor, by state.", NULL, append_hosts },
  { "procfun_slots", "gauge", NULL, "Calls that the hosts that are up can run, by state.", NULL,
    append_slots },
  { "procfun_hosts_lost", "counter", NULL, "Hosts that were up and were lost.", NULL, append_lost },
};

/* Type names need no escaping. */
static char *
make_labels (ProcfunStatistics *self)
{
  return g_strdup_printf ("executor=\"%s\",number=\"%u\"", self->executor_name,
                          self->executor_number);
}

static void
append_family (GString *out, const Family *family, ProcfunStatistics *const *statistics, gsize n)
{
  g_string_append_printf (out, "# TYPE %s %s\n", family->name, family->type);
  if (family->unit != NULL)
    g_string_append_printf (out, "# UNIT %s %s\n", family->name, family->unit);
  g_string_append_printf (out, "# HELP %s %s\n", family->name, family->help);
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *labels = make_labels (statistics[i]);

      if (family->append != NULL)
        family->append (out, family->name, labels, statistics[i]);
      else
        g_string_append_printf (out, "%s%s{%s} %" PRIu64 "\n", family->name,
                                g_str_equal (family->type, "counter") ? "_total" : "", labels,
                                family->count (statistics[i]));
    }
}

char *
statistics_list_to_openmetrics (ProcfunStatistics *const *statistics, gsize n)
{
  GString *out = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (families); i++)
    append_family (out, &families[i], statistics, n);
  g_string_append (out, "# EOF\n");
  return g_string_free (out, FALSE);
}

/**
 * procfun_statistics_to_openmetrics:
 * @self: a #ProcfunStatistics
 *
 * Gives the statistics in the text format of OpenMetrics 1.0, as Prometheus and others collect it:
 * counters and gauges, and the times as histograms. Each metric has the labels `executor`, the name
 * of the type, and `number`, which tells executors of a type apart.
 *
 * Its media type is `application/openmetrics-text; version=1.0.0; charset=utf-8`.
 *
 * Returns: (transfer full): the text, which ends with `# EOF`
 *
 * Since: 0.1
 */
char *
procfun_statistics_to_openmetrics (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return statistics_list_to_openmetrics (&self, 1);
}
