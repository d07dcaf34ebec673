/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a pool keeps to. */

#include "procfun/executors/pool.h"

static guint
to_ms (gint64 us)
{
  return (guint)MIN (us / G_TIME_SPAN_MILLISECOND + (us % G_TIME_SPAN_MILLISECOND > 0 ? 1 : 0),
                     G_MAXINT);
}

/**
 * procfun_pool_set_max_workers:
 * @self: a #ProcfunPool
 * @n: how many workers there may be at most; at least 1
 *
 * Sets #ProcfunPool:max-workers.
 *
 * Since: 0.1
 */
void
procfun_pool_set_max_workers (ProcfunPool *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (n >= 1);

  if (SCHEDULER_SET (self->scheduler, max_workers, n))
    g_object_notify (G_OBJECT (self), "max-workers");
}

/**
 * procfun_pool_get_max_workers:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:max-workers.
 *
 * Returns: how many workers there may be at most; at least 1
 *
 * Since: 0.1
 */
guint
procfun_pool_get_max_workers (ProcfunPool *self)
{
  SchedulerConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  scheduler_get_config (self->scheduler, &config);
  return config.max_workers;
}

/**
 * procfun_pool_set_min_workers:
 * @self: a #ProcfunPool
 * @n: how many workers stay when there is nothing to do
 *
 * Sets #ProcfunPool:min-workers.
 *
 * Since: 0.1
 */
void
procfun_pool_set_min_workers (ProcfunPool *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));

  if (SCHEDULER_SET (self->scheduler, min_workers, n))
    g_object_notify (G_OBJECT (self), "min-workers");
}

/**
 * procfun_pool_get_min_workers:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:min-workers.
 *
 * Returns: how many workers stay when there is nothing to do
 *
 * Since: 0.1
 */
guint
procfun_pool_get_min_workers (ProcfunPool *self)
{
  SchedulerConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  scheduler_get_config (self->scheduler, &config);
  return config.min_workers;
}

/**
 * procfun_pool_set_calls_per_worker:
 * @self: a #ProcfunPool
 * @n: after how many calls a worker is replaced; 0: never
 *
 * Sets #ProcfunPool:calls-per-worker.
 *
 * Since: 0.1
 */
void
procfun_pool_set_calls_per_worker (ProcfunPool *self, guint64 n)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));

  if (SCHEDULER_SET (self->scheduler, calls_per_worker, n))
    g_object_notify (G_OBJECT (self), "calls-per-worker");
}

/**
 * procfun_pool_get_calls_per_worker:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:calls-per-worker.
 *
 * Returns: after how many calls a worker is replaced; 0: never
 *
 * Since: 0.1
 */
guint64
procfun_pool_get_calls_per_worker (ProcfunPool *self)
{
  SchedulerConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  scheduler_get_config (self->scheduler, &config);
  return config.calls_per_worker;
}

/**
 * procfun_pool_set_memory_per_worker:
 * @self: a #ProcfunPool
 * @bytes: how much resident memory a worker may have after a call, in bytes; 0: any
 *
 * Sets #ProcfunPool:memory-per-worker.
 *
 * Since: 0.1
 */
void
procfun_pool_set_memory_per_worker (ProcfunPool *self, guint64 bytes)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));

  if (SCHEDULER_SET (self->scheduler, memory_per_worker, bytes))
    g_object_notify (G_OBJECT (self), "memory-per-worker");
}

/**
 * procfun_pool_get_memory_per_worker:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:memory-per-worker.
 *
 * Returns: how much resident memory a worker may have after a call, in bytes; 0: any
 *
 * Since: 0.1
 */
guint64
procfun_pool_get_memory_per_worker (ProcfunPool *self)
{
  SchedulerConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  scheduler_get_config (self->scheduler, &config);
  return config.memory_per_worker;
}

/**
 * procfun_pool_set_max_queue_calls:
 * @self: a #ProcfunPool
 * @n: how many calls may wait for a worker; 0: any number
 *
 * Sets #ProcfunPool:max-queue-calls.
 *
 * Since: 0.1
 */
void
procfun_pool_set_max_queue_calls (ProcfunPool *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));

  if (SCHEDULER_SET (self->scheduler, max_queue_calls, n))
    g_object_notify (G_OBJECT (self), "max-queue-calls");
}

/**
 * procfun_pool_get_max_queue_calls:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:max-queue-calls.
 *
 * Returns: how many calls may wait for a worker; 0: any number
 *
 * Since: 0.1
 */
guint
procfun_pool_get_max_queue_calls (ProcfunPool *self)
{
  SchedulerConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  scheduler_get_config (self->scheduler, &config);
  return config.max_queue_calls;
}

/**
 * procfun_pool_set_max_queue_bytes:
 * @self: a #ProcfunPool
 * @bytes: how many bytes the arguments of waiting calls may take; 0: any number
 *
 * Sets #ProcfunPool:max-queue-bytes.
 *
 * Since: 0.1
 */
void
procfun_pool_set_max_queue_bytes (ProcfunPool *self, guint64 bytes)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));

  if (SCHEDULER_SET (self->scheduler, max_queue_bytes, bytes))
    g_object_notify (G_OBJECT (self), "max-queue-bytes");
}

/**
 * procfun_pool_get_max_queue_bytes:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:max-queue-bytes.
 *
 * Returns: how many bytes the arguments of waiting calls may take; 0: any number
 *
 * Since: 0.1
 */
guint64
procfun_pool_get_max_queue_bytes (ProcfunPool *self)
{
  SchedulerConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  scheduler_get_config (self->scheduler, &config);
  return config.max_queue_bytes;
}

/**
 * procfun_pool_set_calls_in_flight:
 * @self: a #ProcfunPool
 * @n: how many calls a worker may have been sent; at least 1
 *
 * Sets #ProcfunPool:calls-in-flight.
 *
 * Since: 0.1
 */
void
procfun_pool_set_calls_in_flight (ProcfunPool *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (n >= 1);

  if (SCHEDULER_SET (self->scheduler, calls_in_flight, n))
    g_object_notify (G_OBJECT (self), "calls-in-flight");
}

/**
 * procfun_pool_get_calls_in_flight:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:calls-in-flight.
 *
 * Returns: how many calls a worker may have been sent
 *
 * Since: 0.1
 */
guint
procfun_pool_get_calls_in_flight (ProcfunPool *self)
{
  SchedulerConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 1);

  scheduler_get_config (self->scheduler, &config);
  return config.calls_in_flight;
}

/**
 * procfun_pool_set_idle_timeout:
 * @self: a #ProcfunPool
 * @us: how long a worker waits for a call before it ends, in µs, kept to the millisecond; 0: for
 *   ever
 *
 * Sets #ProcfunPool:idle-timeout, for workers that are started from now on.
 *
 * Since: 0.1
 */
void
procfun_pool_set_idle_timeout (ProcfunPool *self, gint64 us)
{
  guint ms;

  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (us >= 0);

  ms = to_ms (us);
  if (SCHEDULER_SET (self->scheduler, idle, ms))
    g_object_notify (G_OBJECT (self), "idle-timeout");
}

/**
 * procfun_pool_get_idle_timeout:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:idle-timeout.
 *
 * Returns: a time in µs; 0: for ever
 *
 * Since: 0.1
 */
gint64
procfun_pool_get_idle_timeout (ProcfunPool *self)
{
  SchedulerConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  scheduler_get_config (self->scheduler, &config);
  return config.idle * G_TIME_SPAN_MILLISECOND;
}

/**
 * procfun_pool_set_initializer:
 * @self: a #ProcfunPool
 * @function: (nullable): a function of the same module as those that are to be called, or %NULL
 * @args: (nullable): its arguments, a tuple; a floating reference is taken
 *
 * Has each worker that is started from now on run @function before its first call, to load and
 * prepare what the others need. Its result is thrown away. When it fails, the call that the worker
 * was started for fails with %PROCFUN_ERROR_SPAWN.
 *
 * Since: 0.1
 */
void
procfun_pool_set_initializer (ProcfunPool *self, ProcfunFunction *function, GVariant *args)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (function == NULL || PROCFUN_IS_FUNCTION (function));
  g_return_if_fail (function == NULL || args != NULL);

  scheduler_set_initializer (self->scheduler, function, args);
}

/**
 * procfun_pool_set_close_timeout:
 * @self: a #ProcfunPool
 * @us: how long closing waits for calls, in µs, kept to the millisecond; 0: until they have ended
 *
 * Sets #ProcfunPool:close-timeout.
 *
 * Since: 0.1
 */
void
procfun_pool_set_close_timeout (ProcfunPool *self, gint64 us)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (us >= 0);

  if (g_atomic_int_get (&self->close_timeout) == (gint)to_ms (us))
    return;
  g_atomic_int_set (&self->close_timeout, (gint)to_ms (us));
  g_object_notify (G_OBJECT (self), "close-timeout");
}

/**
 * procfun_pool_get_close_timeout:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:close-timeout.
 *
 * Returns: a time in µs; 0: none
 *
 * Since: 0.1
 */
gint64
procfun_pool_get_close_timeout (ProcfunPool *self)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  return g_atomic_int_get (&self->close_timeout) * G_TIME_SPAN_MILLISECOND;
}

/**
 * procfun_pool_set_max_retries:
 * @self: a #ProcfunPool
 * @n: how often a call may be run again; 0: never
 *
 * Sets #ProcfunPool:max-retries.
 *
 * Since: 0.1
 */
void
procfun_pool_set_max_retries (ProcfunPool *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (n < G_MAXINT);

  if (g_atomic_int_get (&self->max_retries) == (gint)n)
    return;
  g_atomic_int_set (&self->max_retries, (gint)n);
  g_object_notify (G_OBJECT (self), "max-retries");
}

/**
 * procfun_pool_get_max_retries:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:max-retries.
 *
 * Returns: how often a call may be run again
 *
 * Since: 0.1
 */
guint
procfun_pool_get_max_retries (ProcfunPool *self)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  return (guint)g_atomic_int_get (&self->max_retries);
}

/**
 * procfun_pool_set_retry_on:
 * @self: a #ProcfunPool
 * @reasons: for which reasons calls are run again
 *
 * Sets #ProcfunPool:retry-on.
 *
 * Since: 0.1
 */
void
procfun_pool_set_retry_on (ProcfunPool *self, ProcfunRetryFlags reasons)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));

  if (g_atomic_int_get (&self->retry_on) == (gint)reasons)
    return;
  g_atomic_int_set (&self->retry_on, (gint)reasons);
  g_object_notify (G_OBJECT (self), "retry-on");
}

/**
 * procfun_pool_get_retry_on:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:retry-on.
 *
 * Returns: the reasons
 *
 * Since: 0.1
 */
ProcfunRetryFlags
procfun_pool_get_retry_on (ProcfunPool *self)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), PROCFUN_RETRY_NONE);

  return (ProcfunRetryFlags)g_atomic_int_get (&self->retry_on);
}
