/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/statistics/statistics.h"

#include "procfun/core/executor.h"

/**
 * SECTION:procfun-statistics
 * @title: ProcfunStatistics
 * @short_description: what an executor has done
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

/* What executors add */

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
 * #ProcfunCall::started, when a process had the call. It is the time in a queue or, where each
 * call has a process of its own, that of its start.
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
