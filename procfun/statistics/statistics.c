/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/statistics/statistics.h"

#include "procfun/codecs/json-text.h"
#include "procfun/core/executor.h"

/**
 * SECTION:procfun-statistics
 * @title: ProcfunStatistics
 * @short_description: what an executor has done
 *
 * The calls and processes of an executor until a moment. Immutable.
 */

/**
 * ProcfunStatistics:
 *
 * The calls and processes of an executor until a moment. Immutable.
 *
 * Each #ProcfunExecutor counts its calls and how long they took, always, since that costs less than
 * a microsecond a call. procfun_statistics_new() takes a snapshot of it, which does not change any
 * more. procfun_executor_get_statistics() gives it as a #GVariant, procfun_statistics_to_json() as
 * JSON, and procfun_statistics_to_openmetrics() as what monitoring systems such as Prometheus
 * collect.
 *
 * A call counts as soon as its executor has taken it. What is refused before, because the executor
 * is closed or the arguments have the wrong type, does not. A generator counts as one call, which
 * ends with its last item.
 *
 * Times are those of the caller, from procfun_call_run() to the end: the time in a queue and the
 * start of a process are part of them. They are kept in buckets, so that percentiles are exact to
 * within 2 %; the least, the greatest and the mean are exact.
 *
 * Since: 0.1
 */

G_DEFINE_BOXED_TYPE (ProcfunStatistics, procfun_statistics, procfun_statistics_ref,
                     procfun_statistics_unref)

/**
 * procfun_statistics_new:
 * @executor: a #ProcfunExecutor, which may be closed
 *
 * Looks at what an executor has done until now, from any thread.
 *
 * Returns: (transfer full): the statistics
 *
 * Since: 0.1
 */
ProcfunStatistics *
procfun_statistics_new (ProcfunExecutor *executor)
{
  ProcfunStatistics *self;

  g_return_val_if_fail (PROCFUN_IS_EXECUTOR (executor), NULL);

  self = g_new0 (ProcfunStatistics, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->executor_name = G_OBJECT_TYPE_NAME (executor);
  self->workers = g_array_new (FALSE, FALSE, sizeof (Worker));
  self->taken_at = g_get_monotonic_time ();
  procfun_executor_copy_counts (executor, &self->counts, &self->unfinished, &self->executor_number);
  if (PROCFUN_EXECUTOR_GET_CLASS (executor)->describe != NULL)
    PROCFUN_EXECUTOR_GET_CLASS (executor)->describe (executor, self);
  self->complete = TRUE;
  statistics_read_memory (self);
  return self;
}

/**
 * procfun_statistics_ref:
 * @self: a #ProcfunStatistics
 *
 * Adds a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 0.1
 */
ProcfunStatistics *
procfun_statistics_ref (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * procfun_statistics_unref:
 * @self: (transfer full): a #ProcfunStatistics
 *
 * Drops a reference, and frees @self with the last one.
 *
 * Since: 0.1
 */
void
procfun_statistics_unref (ProcfunStatistics *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_array_unref (self->workers);
  g_free (self);
}

/* Additions of executors */

/**
 * procfun_statistics_set_queue:
 * @self: what the describe() of an executor was given
 * @n_calls: how many of the calls that it has taken do not run yet
 * @n_bytes: the size of their encoded arguments in bytes, or 0 when it is not known
 *
 * Says what waits in the queue of an executor. For #ProcfunExecutorClass.describe alone.
 *
 * Since: 0.1
 */
void
procfun_statistics_set_queue (ProcfunStatistics *self, guint n_calls, guint64 n_bytes)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (!self->complete);

  self->queued = n_calls;
  self->queued_bytes = n_bytes;
}

void
statistics_set_hosts (ProcfunStatistics *self, const StatisticsHosts *hosts)
{
  self->has_hosts = TRUE;
  self->hosts = *hosts;
}

/**
 * procfun_statistics_get_executor_name:
 * @self: a #ProcfunStatistics
 *
 * Gets the name of the executor's type, such as “ProcfunSpawner”.
 *
 * Returns: the name
 *
 * Since: 0.1
 */
const char *
procfun_statistics_get_executor_name (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->executor_name;
}

/**
 * procfun_statistics_get_executor_number:
 * @self: a #ProcfunStatistics
 *
 * Gets which executor of this process it was: they count up from 1 as they are made.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint
procfun_statistics_get_executor_number (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->executor_number;
}

/**
 * procfun_statistics_get_age:
 * @self: a #ProcfunStatistics
 *
 * Gets how long the executor had been there.
 *
 * Returns: microseconds
 *
 * Since: 0.1
 */
gint64
procfun_statistics_get_age (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->taken_at - self->counts.made_at;
}

/**
 * procfun_statistics_get_submitted:
 * @self: a #ProcfunStatistics
 *
 * Gets how many calls the executor had taken.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_statistics_get_submitted (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->counts.submitted;
}

/**
 * procfun_statistics_get_running:
 * @self: a #ProcfunStatistics
 *
 * Gets how many calls were running: taken, not in the queue, and not ended.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint
procfun_statistics_get_running (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->unfinished - MIN (self->queued, self->unfinished);
}

/**
 * procfun_statistics_get_queued:
 * @self: a #ProcfunStatistics
 *
 * Gets how many calls waited in the queue, where the executor has one.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint
procfun_statistics_get_queued (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return MIN (self->queued, self->unfinished);
}

/**
 * procfun_statistics_get_queued_bytes:
 * @self: a #ProcfunStatistics
 *
 * Gets the size of the arguments of the calls in the queue.
 *
 * Returns: bytes, or 0 when it is not known
 *
 * Since: 0.1
 */
guint64
procfun_statistics_get_queued_bytes (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->queued_bytes;
}

/**
 * procfun_statistics_get_succeeded:
 * @self: a #ProcfunStatistics
 *
 * Gets how many calls had succeeded.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_statistics_get_succeeded (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->counts.succeeded;
}

/**
 * procfun_statistics_get_failed:
 * @self: a #ProcfunStatistics
 *
 * Gets how many calls had failed, for whatever cause.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_statistics_get_failed (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return recorder_count_failed (&self->counts);
}

/**
 * procfun_statistics_get_count:
 * @self: a #ProcfunStatistics
 * @cause: a cause
 *
 * Gets how many calls had failed for this cause, as procfun_call_get_failure() tells it.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_statistics_get_count (ProcfunStatistics *self, ProcfunCause cause)
{
  g_return_val_if_fail (self != NULL, 0);
  g_return_val_if_fail ((guint)cause < RECORDER_N_CAUSES, 0);

  return self->counts.failed[cause];
}

/**
 * procfun_statistics_get_rate:
 * @self: a #ProcfunStatistics
 *
 * Gets how many calls ended in a second, over the last ten seconds.
 *
 * Returns: calls per second
 *
 * Since: 0.1
 */
double
procfun_statistics_get_rate (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return recorder_get_rate (&self->counts, self->taken_at);
}

/**
 * procfun_statistics_get_overall_rate:
 * @self: a #ProcfunStatistics
 *
 * Gets how many calls ended in a second, since the executor was made.
 *
 * Returns: calls per second
 *
 * Since: 0.1
 */
double
procfun_statistics_get_overall_rate (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return recorder_get_overall_rate (&self->counts, self->taken_at);
}

/**
 * procfun_statistics_get_percentile:
 * @self: a #ProcfunStatistics
 * @percentile: from 0 to 100; 50 gives the median
 *
 * Gets the time that so many per cent of the calls took at most, from submission to end.
 *
 * Returns: microseconds; 0 when no call has ended
 *
 * Since: 0.1
 */
gint64
procfun_statistics_get_percentile (ProcfunStatistics *self, double percentile)
{
  g_return_val_if_fail (self != NULL, 0);
  g_return_val_if_fail (percentile >= 0 && percentile <= 100, 0);

  return (gint64)histogram_get_percentile (&self->counts.latency, percentile);
}

/**
 * procfun_statistics_get_min:
 * @self: a #ProcfunStatistics
 *
 * Gets the time of the fastest call, from submission to end.
 *
 * Returns: microseconds; 0 when no call has ended
 *
 * Since: 0.1
 */
gint64
procfun_statistics_get_min (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return (gint64)histogram_get_min (&self->counts.latency);
}

/**
 * procfun_statistics_get_max:
 * @self: a #ProcfunStatistics
 *
 * Gets the time of the slowest call, from submission to end.
 *
 * Returns: microseconds; 0 when no call has ended
 *
 * Since: 0.1
 */
gint64
procfun_statistics_get_max (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return (gint64)histogram_get_max (&self->counts.latency);
}

/**
 * procfun_statistics_get_mean:
 * @self: a #ProcfunStatistics
 *
 * Gets the mean time of the calls, from submission to end.
 *
 * Returns: microseconds; 0 when no call has ended
 *
 * Since: 0.1
 */
double
procfun_statistics_get_mean (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return histogram_get_mean (&self->counts.latency);
}

/**
 * procfun_statistics_get_wait_percentile:
 * @self: a #ProcfunStatistics
 * @percentile: from 0 to 100; 50 gives the median
 *
 * Gets the time that so many per cent of the calls waited at most: from submission to
 * #ProcfunCall::started, when a process had the call: the time in the queue and, where no process
 * was there for it, that of the start of one.
 *
 * Returns: microseconds; 0 when no call has started
 *
 * Since: 0.1
 */
gint64
procfun_statistics_get_wait_percentile (ProcfunStatistics *self, double percentile)
{
  g_return_val_if_fail (self != NULL, 0);
  g_return_val_if_fail (percentile >= 0 && percentile <= 100, 0);

  return (gint64)histogram_get_percentile (&self->counts.wait, percentile);
}

/* For programs: as a dictionary, and as JSON */

static void
insert (GVariantBuilder *builder, const char *key, GVariant *value)
{
  g_variant_builder_add (builder, "{sv}", key, value);
}

static void
insert_time (GVariantBuilder *builder, const char *key, guint64 usec)
{
  insert (builder, key, g_variant_new_int64 ((gint64)usec));
}

static GVariant *
make_times (const Histogram *histogram)
{
  static const struct
  {
    const char *key;
    double percentile;
  } percentiles[] = { { "p50", 50 }, { "p90", 90 }, { "p99", 99 }, { "p99.9", 99.9 } };
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  insert (&builder, "count", g_variant_new_uint64 (histogram->n));
  insert_time (&builder, "min", histogram_get_min (histogram));
  insert (&builder, "mean", g_variant_new_double (histogram_get_mean (histogram)));
  for (gsize i = 0; i < G_N_ELEMENTS (percentiles); i++)
    insert_time (&builder, percentiles[i].key,
                 histogram_get_percentile (histogram, percentiles[i].percentile));
  insert_time (&builder, "max", histogram_get_max (histogram));
  return g_variant_builder_end (&builder);
}

static GVariant *
make_causes (ProcfunStatistics *self)
{
  g_autoptr (GEnumClass) causes = g_type_class_ref (PROCFUN_TYPE_CAUSE);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{st}"));
  for (guint i = 0; i < causes->n_values; i++)
    g_variant_builder_add (&builder, "{st}", causes->values[i].value_nick,
                           self->counts.failed[causes->values[i].value]);
  return g_variant_builder_end (&builder);
}

static GVariant *
make_workers (ProcfunStatistics *self)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < self->workers->len; i++)
    {
      const Worker *worker = &g_array_index (self->workers, Worker, i);

      g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
      insert (&builder, "pid", g_variant_new_int32 (worker->pid));
      insert (&builder, "state", g_variant_new_string (statistics_get_nick (worker->state)));
      insert (&builder, "calls", g_variant_new_uint64 (worker->n_calls));
      insert (&builder, "memory", g_variant_new_uint64 (worker->memory));
      insert_time (&builder, "age", (guint64)worker->age);
      g_variant_builder_close (&builder);
    }
  return g_variant_builder_end (&builder);
}

static void
insert_hosts (GVariantBuilder *builder, const StatisticsHosts *hosts)
{
  insert (builder, "hosts",
          g_variant_new_parsed ("{'down': %u, 'starting': %u, 'up': %u}", hosts->n_down,
                                hosts->n_starting, hosts->n_up));
  insert (builder, "slots",
          g_variant_new_parsed ("{'free': %u, 'busy': %u}", hosts->n_slots - hosts->n_busy,
                                hosts->n_busy));
  insert (builder, "hosts-lost", g_variant_new_uint64 (hosts->n_lost));
}

/**
 * procfun_statistics_to_variant:
 * @self: a #ProcfunStatistics
 *
 * Gives the statistics as a dictionary with these keys: `executor` (`s`, the name of the type),
 * `number` (`u`), `age` (`x`), `submitted` (`t`), `running` and `queued` (`u`), `queued-bytes`,
 * `succeeded` and `failed` (`t`), `causes` (`a{st}`, the nicks of #ProcfunCause), `rate` and
 * `overall-rate` (`d`, calls per second), `latency` and `wait` (`a{sv}`), `workers-started`,
 * `workers-exited` and `workers-recycled` (`t`), and `workers` (`aa{sv}`). A #ProcfunRemotePool
 * also has `hosts` (`a{su}`: how many are `down`, `starting` and `up`), `slots` (`a{su}`: how many
 * of those that are up are `free` and `busy`), and `hosts-lost` (`t`, so far).
 *
 * Times have `count` (`t`), `mean` (`d`), and `min`, `p50`, `p90`, `p99`, `p99.9` and `max` (`x`).
 * Workers have `pid` (`i`), `state` (`s`, a nick of #ProcfunWorkerState), `calls`, `memory` (`t`)
 * and `age` (`x`). All times are in microseconds, all sizes in bytes. Later versions may have more
 * keys.
 *
 * Returns: (transfer full): a dictionary of the type `a{sv}`, which is not floating
 *
 * Since: 0.1
 */
GVariant *
procfun_statistics_to_variant (ProcfunStatistics *self)
{
  GVariantBuilder builder;

  g_return_val_if_fail (self != NULL, NULL);

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  insert (&builder, "executor", g_variant_new_string (self->executor_name));
  insert (&builder, "number", g_variant_new_uint32 (self->executor_number));
  insert_time (&builder, "age", (guint64)procfun_statistics_get_age (self));
  insert (&builder, "submitted", g_variant_new_uint64 (self->counts.submitted));
  insert (&builder, "running", g_variant_new_uint32 (procfun_statistics_get_running (self)));
  insert (&builder, "queued", g_variant_new_uint32 (procfun_statistics_get_queued (self)));
  insert (&builder, "queued-bytes", g_variant_new_uint64 (self->queued_bytes));
  insert (&builder, "succeeded", g_variant_new_uint64 (self->counts.succeeded));
  insert (&builder, "failed", g_variant_new_uint64 (recorder_count_failed (&self->counts)));
  insert (&builder, "causes", make_causes (self));
  insert (&builder, "rate", g_variant_new_double (procfun_statistics_get_rate (self)));
  insert (&builder, "overall-rate",
          g_variant_new_double (procfun_statistics_get_overall_rate (self)));
  insert (&builder, "latency", make_times (&self->counts.latency));
  insert (&builder, "wait", make_times (&self->counts.wait));
  insert (&builder, "workers-started", g_variant_new_uint64 (self->counts.workers_started));
  insert (&builder, "workers-exited", g_variant_new_uint64 (self->counts.workers_exited));
  insert (&builder, "workers-recycled", g_variant_new_uint64 (self->counts.workers_recycled));
  insert (&builder, "workers", make_workers (self));
  if (self->has_hosts)
    insert_hosts (&builder, &self->hosts);
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/**
 * procfun_executor_get_statistics:
 * @self: a #ProcfunExecutor
 *
 * Gives what the executor has done until now, as a dictionary. procfun_statistics_to_variant() says
 * what is in it; procfun_statistics_new() gives the same with more detail.
 *
 * Returns: (transfer full): a dictionary of the type `a{sv}`, which is not floating
 *
 * Since: 0.1
 */
GVariant *
procfun_executor_get_statistics (ProcfunExecutor *self)
{
  g_autoptr (ProcfunStatistics) statistics = NULL;

  g_return_val_if_fail (PROCFUN_IS_EXECUTOR (self), NULL);

  statistics = procfun_statistics_new (self);
  return procfun_statistics_to_variant (statistics);
}

/* JSON for people: the codec would add the types of variants. */

static void append_value (Buffer *out, GVariant *value);

static void
append_string (Buffer *out, GVariant *value)
{
  gsize length;
  const char *text = g_variant_get_string (value, &length);

  wire_json_append_text (out, text, length);
}

static void
append_integer (Buffer *out, guint64 magnitude, gboolean negative)
{
  char *room = (char *)buffer_reserve (out, NUMBER_MAX_LENGTH);

  out->length += (gsize)(json_put_integer (room, magnitude, negative) - room);
}

/* Dictionaries and arrays. */
static void
append_container (Buffer *out, GVariant *container)
{
  gboolean is_object = g_variant_is_of_type (container, G_VARIANT_TYPE_DICTIONARY);
  gsize n = g_variant_n_children (container);

  buffer_append_byte (out, is_object ? '{' : '[');
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (container, i);

      if (i > 0)
        buffer_append_byte (out, ',');
      append_value (out, child);
    }
  buffer_append_byte (out, is_object ? '}' : ']');
}

static void
append_entry (Buffer *out, GVariant *entry)
{
  g_autoptr (GVariant) key = g_variant_get_child_value (entry, 0);
  g_autoptr (GVariant) value = g_variant_get_child_value (entry, 1);

  append_value (out, key);
  buffer_append_byte (out, ':');
  append_value (out, value);
}

static void
append_variant (Buffer *out, GVariant *variant)
{
  g_autoptr (GVariant) value = g_variant_get_variant (variant);

  append_value (out, value);
}

static void
append_signed (Buffer *out, gint64 value)
{
  append_integer (out, value < 0 ? -(guint64)value : (guint64)value, value < 0);
}

/* For the types in the dictionary. */
static void
append_value (Buffer *out, GVariant *value)
{
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_VARIANT:
      append_variant (out, value);
      break;
    case G_VARIANT_CLASS_DICT_ENTRY:
      append_entry (out, value);
      break;
    case G_VARIANT_CLASS_STRING:
      append_string (out, value);
      break;
    case G_VARIANT_CLASS_INT32:
      append_signed (out, g_variant_get_int32 (value));
      break;
    case G_VARIANT_CLASS_UINT32:
      append_integer (out, g_variant_get_uint32 (value), FALSE);
      break;
    case G_VARIANT_CLASS_INT64:
      append_signed (out, g_variant_get_int64 (value));
      break;
    case G_VARIANT_CLASS_UINT64:
      append_integer (out, g_variant_get_uint64 (value), FALSE);
      break;
    case G_VARIANT_CLASS_DOUBLE:
      wire_json_append_double (out, g_variant_get_double (value));
      break;
    default:
      append_container (out, value);
    }
}

void
statistics_append_json (ProcfunStatistics *self, Buffer *out)
{
  g_autoptr (GVariant) dictionary = procfun_statistics_to_variant (self);

  append_value (out, dictionary);
}

/**
 * procfun_statistics_to_json:
 * @self: a #ProcfunStatistics
 *
 * Gives the statistics as a JSON object in a line, with the members that
 * procfun_statistics_to_variant() names.
 *
 * Returns: (transfer full): the text
 *
 * Since: 0.1
 */
char *
procfun_statistics_to_json (ProcfunStatistics *self)
{
  g_auto (Buffer) out = { 0 };

  g_return_val_if_fail (self != NULL, NULL);

  statistics_append_json (self, &out);
  return g_strndup ((const char *)out.data, out.length);
}
