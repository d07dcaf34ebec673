/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/executors/pool.h"

#include "procfun/core/executor.h"
#include "procfun/platform/cpus.h"

/**
 * SECTION:procfun-pool
 * @title: ProcfunPool
 * @short_description: processes that are kept for many calls
 *
 * Runs calls in workers: processes that are forked like those of #ProcfunForkServer, but stay for
 * the next call, which then costs little more than two messages. A call that crashes takes its
 * worker along and nothing else; the next call gets a new one. What a function leaves in its
 * process, such as the values of static variables, the next one in the same worker finds.
 *
 * Workers are started when they are needed, up to #ProcfunPool:max-workers. All calls beyond that
 * wait in a queue, the more urgent ones first (#ProcfunCall:priority). Those that wait in vain for
 * calls end after #ProcfunPool:idle-timeout, but for #ProcfunPool:min-workers.
 *
 * A worker is replaced after #ProcfunPool:calls-per-worker, when it has more memory than
 * #ProcfunPool:memory-per-worker, and when a function has left something behind that would be in
 * the way of the next one: a thread, a descriptor, a blocked signal, another working directory. A
 * call with limits or with a launch context gets a worker that ends with it, since most of these
 * cannot be taken back.
 *
 * A call that waits for a worker which only the thread that waits could set free fails with
 * %PROCFUN_ERROR_NESTED.
 */

/**
 * ProcfunPool:
 *
 * An executor with processes that are kept.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (ProcfunPool, procfun_pool, PROCFUN_TYPE_PROCESS_EXECUTOR)

#define DEFAULT_IDLE_MS 60000

enum
{
  PROP_0,
  PROP_MAX_WORKERS,
  PROP_MIN_WORKERS,
  PROP_CALLS_PER_WORKER,
  PROP_MEMORY_PER_WORKER,
  PROP_MAX_QUEUE_CALLS,
  PROP_MAX_QUEUE_BYTES,
  PROP_CALLS_IN_FLIGHT,
  PROP_IDLE_TIMEOUT,
  PROP_CLOSE_TIMEOUT,
  PROP_MAX_RETRIES,
  PROP_RETRY_ON,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FLAGS_TYPE (ProcfunRetryFlags, procfun_retry_flags,
                     G_DEFINE_ENUM_VALUE (PROCFUN_RETRY_LOST, "lost"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_RETRY_CRASHED, "crashed"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_RETRY_EXITED, "exited"))

/* The object */

static void
procfun_pool_describe (ProcfunExecutor *executor, ProcfunStatistics *statistics)
{
  procfun_executor_check_process (executor);
  scheduler_describe (PROCFUN_POOL (executor)->scheduler, statistics);
}

static void
procfun_pool_dispose (GObject *object)
{
  ProcfunPool *self = PROCFUN_POOL (object);

  procfun_executor_check_process (PROCFUN_EXECUTOR (self));
  if (self->scheduler != NULL)
    scheduler_clear (self->scheduler);

  G_OBJECT_CLASS (procfun_pool_parent_class)->dispose (object);
}

static void
procfun_pool_finalize (GObject *object)
{
  scheduler_unref (PROCFUN_POOL (object)->scheduler);

  G_OBJECT_CLASS (procfun_pool_parent_class)->finalize (object);
}

static void
procfun_pool_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ProcfunPool *self = PROCFUN_POOL (object);

  switch (id)
    {
    case PROP_MAX_WORKERS:
      g_value_set_uint (value, procfun_pool_get_max_workers (self));
      break;
    case PROP_MIN_WORKERS:
      g_value_set_uint (value, procfun_pool_get_min_workers (self));
      break;
    case PROP_CALLS_PER_WORKER:
      g_value_set_uint64 (value, procfun_pool_get_calls_per_worker (self));
      break;
    case PROP_MEMORY_PER_WORKER:
      g_value_set_uint64 (value, procfun_pool_get_memory_per_worker (self));
      break;
    case PROP_MAX_QUEUE_CALLS:
      g_value_set_uint (value, procfun_pool_get_max_queue_calls (self));
      break;
    case PROP_MAX_QUEUE_BYTES:
      g_value_set_uint64 (value, procfun_pool_get_max_queue_bytes (self));
      break;
    case PROP_CALLS_IN_FLIGHT:
      g_value_set_uint (value, procfun_pool_get_calls_in_flight (self));
      break;
    case PROP_IDLE_TIMEOUT:
      g_value_set_int64 (value, procfun_pool_get_idle_timeout (self));
      break;
    case PROP_CLOSE_TIMEOUT:
      g_value_set_int64 (value, procfun_pool_get_close_timeout (self));
      break;
    case PROP_MAX_RETRIES:
      g_value_set_uint (value, procfun_pool_get_max_retries (self));
      break;
    case PROP_RETRY_ON:
      g_value_set_flags (value, procfun_pool_get_retry_on (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_pool_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  ProcfunPool *self = PROCFUN_POOL (object);

  switch (id)
    {
    case PROP_MAX_WORKERS:
      procfun_pool_set_max_workers (self, g_value_get_uint (value));
      break;
    case PROP_MIN_WORKERS:
      procfun_pool_set_min_workers (self, g_value_get_uint (value));
      break;
    case PROP_CALLS_PER_WORKER:
      procfun_pool_set_calls_per_worker (self, g_value_get_uint64 (value));
      break;
    case PROP_MEMORY_PER_WORKER:
      procfun_pool_set_memory_per_worker (self, g_value_get_uint64 (value));
      break;
    case PROP_MAX_QUEUE_CALLS:
      procfun_pool_set_max_queue_calls (self, g_value_get_uint (value));
      break;
    case PROP_MAX_QUEUE_BYTES:
      procfun_pool_set_max_queue_bytes (self, g_value_get_uint64 (value));
      break;
    case PROP_CALLS_IN_FLIGHT:
      procfun_pool_set_calls_in_flight (self, g_value_get_uint (value));
      break;
    case PROP_IDLE_TIMEOUT:
      procfun_pool_set_idle_timeout (self, g_value_get_int64 (value));
      break;
    case PROP_CLOSE_TIMEOUT:
      procfun_pool_set_close_timeout (self, g_value_get_int64 (value));
      break;
    case PROP_MAX_RETRIES:
      procfun_pool_set_max_retries (self, g_value_get_uint (value));
      break;
    case PROP_RETRY_ON:
      procfun_pool_set_retry_on (self, g_value_get_flags (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  /**
   * ProcfunPool:max-workers:
   *
   * How many workers there may be at most.
   *
   * Since: 0.1
   */
  props[PROP_MAX_WORKERS] = g_param_spec_uint ("max-workers", NULL, NULL, 1, G_MAXINT, 1, flags);
  /**
   * ProcfunPool:min-workers:
   *
   * How many workers stay when there is nothing to do.
   *
   * Since: 0.1
   */
  props[PROP_MIN_WORKERS] = g_param_spec_uint ("min-workers", NULL, NULL, 0, G_MAXINT, 0, flags);
  /**
   * ProcfunPool:calls-per-worker:
   *
   * After how many calls a worker is replaced by a new one; 0: never.
   *
   * Since: 0.1
   */
  props[PROP_CALLS_PER_WORKER]
      = g_param_spec_uint64 ("calls-per-worker", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * ProcfunPool:memory-per-worker:
   *
   * A worker that has more resident memory than this after a call, in bytes, is replaced by a new
   * one; 0: none is.
   *
   * Since: 0.1
   */
  props[PROP_MEMORY_PER_WORKER]
      = g_param_spec_uint64 ("memory-per-worker", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * ProcfunPool:max-queue-calls:
   *
   * How many calls may wait for a worker before procfun_pool_submit() waits and
   * procfun_pool_try_submit() refuses; 0: any number.
   *
   * Since: 0.1
   */
  props[PROP_MAX_QUEUE_CALLS]
      = g_param_spec_uint ("max-queue-calls", NULL, NULL, 0, G_MAXUINT, 0, flags);
  /**
   * ProcfunPool:max-queue-bytes:
   *
   * How many bytes the arguments of waiting calls may take before procfun_pool_submit() waits and
   * procfun_pool_try_submit() refuses; 0: any number.
   *
   * Since: 0.1
   */
  props[PROP_MAX_QUEUE_BYTES]
      = g_param_spec_uint64 ("max-queue-bytes", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * ProcfunPool:calls-in-flight:
   *
   * How many asynchronous calls of one main context a worker is sent before it has answered the
   * first: more than 1 keeps it from waiting for the next one, which pays for functions that take
   * microseconds. They run one after the other, and are given to a worker that is busy only when
   * all are. A call that has been sent ahead can be cancelled only when its turn comes, and what
   * one leaves behind in the process, a child even, the next finds, and is looked for when there is
   * a pause, or after 16 calls. The CPU time of a call that follows at once begins with the end of
   * the one before it. When the worker dies, only the call that it
   * ran fails; the others go to another one.
   *
   * Since: 0.1
   */
  props[PROP_CALLS_IN_FLIGHT]
      = g_param_spec_uint ("calls-in-flight", NULL, NULL, 1, G_MAXUINT, 1, flags);
  /**
   * ProcfunPool:idle-timeout:
   *
   * How long a worker beyond #ProcfunPool:min-workers waits for a call before it ends, in µs; 0:
   * for ever.
   *
   * Since: 0.1
   */
  props[PROP_IDLE_TIMEOUT] = g_param_spec_int64 ("idle-timeout", NULL, NULL, 0, G_MAXINT64,
                                                 DEFAULT_IDLE_MS * G_TIME_SPAN_MILLISECOND, flags);
  /**
   * ProcfunPool:close-timeout:
   *
   * How long procfun_executor_close() waits for calls, in µs; 0: until they have ended. What still
   * runs or waits when the time is up is ended at once, whatever its grace period, and fails with
   * %G_IO_ERROR_CANCELLED. If calls are left even then, because nobody runs their main context,
   * closing fails with %PROCFUN_ERROR_TIMED_OUT two seconds later.
   *
   * Since: 0.1
   */
  props[PROP_CLOSE_TIMEOUT]
      = g_param_spec_int64 ("close-timeout", NULL, NULL, 0, G_MAXINT64, 0, flags);
  /**
   * ProcfunPool:max-retries:
   *
   * How often a call of a function that is idempotent is run again, on another worker, when it
   * failed for one of the reasons in #ProcfunPool:retry-on. Not so for generators and sessions.
   *
   * Since: 0.1
   */
  props[PROP_MAX_RETRIES]
      = g_param_spec_uint ("max-retries", NULL, NULL, 0, G_MAXINT - 1, 0, flags);
  /**
   * ProcfunPool:retry-on:
   *
   * For which reasons calls are run again; see #ProcfunPool:max-retries.
   *
   * Since: 0.1
   */
  props[PROP_RETRY_ON] = g_param_spec_flags ("retry-on", NULL, NULL, PROCFUN_TYPE_RETRY_FLAGS,
                                             PROCFUN_RETRY_LOST, flags);
  g_object_class_install_properties (klass, N_PROPS, props);
}

static void
procfun_pool_class_init (ProcfunPoolClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  object_class->dispose = procfun_pool_dispose;
  object_class->finalize = procfun_pool_finalize;
  object_class->get_property = procfun_pool_get_property;
  object_class->set_property = procfun_pool_set_property;
  executor_class->describe = procfun_pool_describe;
  procfun_pool_class_init_run (klass);
  install_properties (object_class);
}

static void
procfun_pool_init (ProcfunPool *self)
{
  const guint max_workers = cpus_count ();
  const guint idle = DEFAULT_IDLE_MS;
  const guint in_flight = 1;

  self->scheduler = scheduler_new (PROCFUN_EXECUTOR (self));
  SCHEDULER_SET (self->scheduler, max_workers, max_workers);
  SCHEDULER_SET (self->scheduler, idle, idle);
  SCHEDULER_SET (self->scheduler, calls_in_flight, in_flight);
  self->retry_on = PROCFUN_RETRY_LOST;
}

/**
 * procfun_pool_new:
 * @max_workers: how many workers there may be at most; 0: as many as this process may use CPUs
 *
 * Makes an executor with processes that are kept. The number of CPUs heeds the affinity of the
 * process and the quota of its control group.
 *
 * Returns: (transfer full): a new #ProcfunPool
 *
 * Since: 0.1
 */
ProcfunPool *
procfun_pool_new (guint max_workers)
{
  ProcfunPool *self = g_object_new (PROCFUN_TYPE_POOL, NULL);

  if (max_workers > 0)
    procfun_pool_set_max_workers (self, max_workers);
  return self;
}
