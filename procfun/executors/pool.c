/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/executors/pool.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/platform/cpus.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/setup.h"

/**
 * SECTION:procfun-pool
 * @title: ProcfunPool
 * @short_description: processes that are kept for many calls
 *
 * An executor with processes that are kept.
 */

/**
 * ProcfunPool:
 *
 * An executor with processes that are kept.
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
 * the way of the next one: a descriptor, or a thread, but for #ProcfunPool:kept-threads. An alarm,
 * the signal mask, the umask, the floating-point mode and the working directory are restored after
 * each call. What the initializer leaves stays. A call with a launch context, or with limits on
 * memory, files or processes, gets a worker that ends with it, since these cannot be taken back.
 *
 * A call that waits for a worker which only the thread that waits could set free fails with
 * %PROCFUN_ERROR_NESTED.
 *
 * An asynchronous call has its worker until its main context has taken the result. The workers of a
 * main context that nobody has run for two seconds do not count to #ProcfunPool:max-workers while
 * other calls wait. Its calls end when it is run again.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (ProcfunPool, procfun_pool, PROCFUN_TYPE_PROCESS_EXECUTOR)

#define DEFAULT_IDLE_MS 60000

/* Closing has a deadline of its own, at which all calls are killed. Calls in a grace period from
 * before are killed so much later; when calls are still there after the second time, nobody runs
 * their main context. */
#define KILL_AFTER_US (G_USEC_PER_SEC / 10)
#define GIVE_UP_AFTER_US (2 * G_USEC_PER_SEC)

enum
{
  PROP_0,
  PROP_MAX_WORKERS,
  PROP_MIN_WORKERS,
  PROP_CALLS_PER_WORKER,
  PROP_MEMORY_PER_WORKER,
  PROP_CALLS_IN_FLIGHT,
  N_NUMBERS,
  PROP_IDLE_TIMEOUT = N_NUMBERS,
  PROP_ARENA_IDLE,
  PROP_CLOSE_TIMEOUT,
  PROP_MAX_RETRIES,
  PROP_RETRY_ON,
  PROP_KEPT_THREADS,
  PROP_WORKER_LIMITS,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

/* A number that the scheduler keeps as it is: a guint or a guint64. */
typedef struct
{
  const char *name;
  gsize offset; /* in SchedulerConfig */
  gsize size;
  guint64 minimum;
  guint64 maximum;
  guint64 default_value;
} Number;

#define FIELD(name) G_STRUCT_OFFSET (SchedulerConfig, name), G_SIZEOF_MEMBER (SchedulerConfig, name)

static const Number numbers[N_NUMBERS] = {
  /**
   * ProcfunPool:max-workers:
   *
   * The greatest number of workers. By default, it is the number of CPUs that this process
   * may use when the pool is made.
   *
   * Since: 0.1
   */
  [PROP_MAX_WORKERS] = { "max-workers", FIELD (max_workers), 1, G_MAXINT, 0 },
  /**
   * ProcfunPool:min-workers:
   *
   * Number of workers that stay when there is nothing to do.
   *
   * Since: 0.1
   */
  [PROP_MIN_WORKERS] = { "min-workers", FIELD (min_workers), 0, G_MAXINT, 0 },
  /**
   * ProcfunPool:calls-per-worker:
   *
   * After how many calls a worker is replaced by a new one; 0: never.
   *
   * Since: 0.1
   */
  [PROP_CALLS_PER_WORKER] = { "calls-per-worker", FIELD (calls_per_worker), 0, G_MAXUINT64, 0 },
  /**
   * ProcfunPool:memory-per-worker:
   *
   * A worker that has more resident memory than this after a call, in bytes, is replaced by a
   * new one; 0: none is.
   *
   * Since: 0.1
   */
  [PROP_MEMORY_PER_WORKER] = { "memory-per-worker", FIELD (memory_per_worker), 0, G_MAXUINT64, 0 },
  /**
   * ProcfunPool:calls-in-flight:
   *
   * Number of asynchronous calls of one main context that a worker may have been sent without
   * having answered them. More than 1 keeps it from waiting for the next one, which pays for
   * functions that take microseconds. They run one after the other, and are given to a worker
   * that is busy only when all are. A call that has been sent ahead can be cancelled only
   * when its turn comes, and what one leaves behind in the process, a child even, the next
   * finds, and is looked for when there is a pause, or after 16 calls. The CPU time of a call
   * that follows at once begins with the end of the one before it. When the worker dies, only
   * the call that it ran fails; the others go to another one. Text that a function prints is told
   * of a call before it whose answer was not told by then.
   *
   * Since: 0.1
   */
  [PROP_CALLS_IN_FLIGHT] = { "calls-in-flight", FIELD (calls_in_flight), 1, G_MAXUINT, 1 },
};

G_DEFINE_FLAGS_TYPE (ProcfunRetryFlags, procfun_retry_flags,
                     G_DEFINE_ENUM_VALUE (PROCFUN_RETRY_LOST, "lost"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_RETRY_CRASHED, "crashed"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_RETRY_EXITED, "exited"))

G_DEFINE_ENUM_TYPE (ProcfunKeptThreads, procfun_kept_threads,
                    G_DEFINE_ENUM_VALUE (PROCFUN_KEPT_THREADS_NONE, "none"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_KEPT_THREADS_FIRST_CALL, "first-call"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_KEPT_THREADS_ANY, "any"))

#define PARENT_CLASS PROCFUN_EXECUTOR_CLASS (procfun_pool_parent_class)

/* Calls */

static GVariant *
procfun_pool_run (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                  GError **error)
{
  return retry_run (&PROCFUN_POOL (executor)->retry, PARENT_CLASS, executor, call, cancellable,
                    error);
}

static void
procfun_pool_run_then (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
                       ProcfunExecutorFunc func, gpointer user_data)
{
  retry_run_then (&PROCFUN_POOL (executor)->retry, PARENT_CLASS, executor, call, context, func,
                  user_data);
}

/* Closing */

static gboolean
procfun_pool_close_progress (ProcfunExecutor *executor, gint64 closing_since, gboolean blocks,
                             gint64 *next, GError **error)
{
  ProcfunPool *self = PROCFUN_POOL (executor);
  gint64 timeout = procfun_pool_get_close_timeout (self);
  gint64 end = closing_since + timeout;
  gint64 now = g_get_monotonic_time ();

  if (!PARENT_CLASS->close_progress (executor, closing_since, blocks, next, error))
    return FALSE;
  if (closing_since == 0 || timeout == 0)
    return TRUE;
  if (now >= end + GIVE_UP_AFTER_US)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                           _ ("the pool cannot be closed: nobody runs the main contexts of its "
                              "calls"));
      return FALSE;
    }
  if (now >= end)
    scheduler_abort (self->scheduler);
  if (now >= end + KILL_AFTER_US)
    scheduler_kill (self->scheduler);
  *next = now < end                   ? end
          : now < end + KILL_AFTER_US ? end + KILL_AFTER_US
                                      : end + GIVE_UP_AFTER_US;
  return TRUE;
}

static void
procfun_pool_begin_anew (ProcfunExecutor *executor)
{
  PARENT_CLASS->begin_anew (executor);
  PROCFUN_POOL (executor)->scheduler
      = procfun_process_executor_get_scheduler (PROCFUN_PROCESS_EXECUTOR (executor));
}

/* The object */

static guint64
get_number (ProcfunPool *self, guint id)
{
  const Number *number = &numbers[id];
  SchedulerConfig config;

  scheduler_get_config (self->scheduler, &config);
  return number->size == sizeof (guint) ? G_STRUCT_MEMBER (guint, &config, number->offset)
                                        : G_STRUCT_MEMBER (guint64, &config, number->offset);
}

static void
set_number (ProcfunPool *self, guint id, guint64 value)
{
  const Number *number = &numbers[id];
  const guint narrow = (guint)value;
  gconstpointer field = number->size == sizeof narrow ? (gconstpointer)&narrow : &value;

  if (!scheduler_set_config (self->scheduler, number->offset, number->size, field))
    return;
  g_object_notify_by_pspec (G_OBJECT (self), props[id]);
  if (id == PROP_MAX_WORKERS)
    g_object_notify (G_OBJECT (self), "max-processes");
}

static void
procfun_pool_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ProcfunPool *self = PROCFUN_POOL (object);

  switch (id)
    {
    case PROP_IDLE_TIMEOUT:
      g_value_set_int64 (value, procfun_pool_get_idle_timeout (self));
      break;
    case PROP_ARENA_IDLE:
      g_value_set_int64 (value, procfun_pool_get_arena_idle (self));
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
    case PROP_KEPT_THREADS:
      g_value_set_enum (value, (gint)procfun_pool_get_kept_threads (self));
      break;
    case PROP_WORKER_LIMITS:
      g_value_take_boxed (value, procfun_pool_get_worker_limits (self));
      break;
    default:
      if (id == PROP_0 || id >= N_NUMBERS)
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      else if (G_VALUE_HOLDS_UINT (value))
        g_value_set_uint (value, (guint)get_number (self, id));
      else
        g_value_set_uint64 (value, get_number (self, id));
    }
}

static void
procfun_pool_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  ProcfunPool *self = PROCFUN_POOL (object);

  switch (id)
    {
    case PROP_IDLE_TIMEOUT:
      procfun_pool_set_idle_timeout (self, g_value_get_int64 (value));
      break;
    case PROP_ARENA_IDLE:
      procfun_pool_set_arena_idle (self, g_value_get_int64 (value));
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
    case PROP_KEPT_THREADS:
      procfun_pool_set_kept_threads (self, (ProcfunKeptThreads)g_value_get_enum (value));
      break;
    case PROP_WORKER_LIMITS:
      procfun_pool_set_worker_limits (self, g_value_get_boxed (value));
      break;
    default:
      if (id == PROP_0 || id >= N_NUMBERS)
        G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      else if (G_VALUE_HOLDS_UINT (value))
        set_number (self, id, g_value_get_uint (value));
      else
        set_number (self, id, g_value_get_uint64 (value));
    }
}

static GParamSpec *
make_spec (const Number *number, guint64 default_value)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  return number->size == sizeof (guint)
             ? g_param_spec_uint (number->name, NULL, NULL, (guint)number->minimum,
                                  (guint)number->maximum, (guint)default_value, flags)
             : g_param_spec_uint64 (number->name, NULL, NULL, number->minimum, number->maximum,
                                    default_value, flags);
}

static void
make_number_specs (void)
{
  for (guint id = PROP_0 + 1; id < N_NUMBERS; id++)
    props[id] = make_spec (&numbers[id],
                           id == PROP_MAX_WORKERS ? cpus_count () : numbers[id].default_value);
}

static void
make_time_specs (GParamFlags flags)
{
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
   * ProcfunPool:arena-idle:
   *
   * How long a worker that has no call keeps the memory by which large arguments and results go, in
   * µs; 0: for ever. Then it gives that memory back, and what it has mapped of
   * procfun_bytes_new(); the next large call takes a little longer.
   *
   * Since: 0.1
   */
  props[PROP_ARENA_IDLE]
      = g_param_spec_int64 ("arena-idle", NULL, NULL, 0, G_MAXINT64,
                            SETUP_ARENA_IDLE_MS * G_TIME_SPAN_MILLISECOND, flags);
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
}

static void
make_retry_specs (GParamFlags flags)
{
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
}

static void
make_worker_specs (GParamFlags flags)
{
  /**
   * ProcfunPool:kept-threads:
   *
   * Which threads a call may leave in its worker. Libraries such as GIO and OpenMP keep threads
   * for later. A worker with other threads is replaced.
   *
   * Since: 0.1
   */
  props[PROP_KEPT_THREADS]
      = g_param_spec_enum ("kept-threads", NULL, NULL, PROCFUN_TYPE_KEPT_THREADS,
                           PROCFUN_KEPT_THREADS_FIRST_CALL, flags);
  /**
   * ProcfunPool:worker-limits:
   *
   * Limits of each call, which a worker sets once, so that a call costs what it costs without.
   * Where a call has limits of its own, too, the stricter of each counts. A call that goes over
   * one fails as if the limit were its own, and its worker is replaced.
   *
   * Memory is counted from what the worker has when the call begins. What calls leave behind is
   * looked at after the first calls of a worker, when its memory has grown, and otherwise once in
   * 10 ms; until then it counts to the calls that follow. The initializer has no limits. Without a
   * control group, a limit on processes makes each call count all processes of the user, and a
   * function can raise the other limits for itself: they are for faults, and not for functions
   * that nobody trusts.
   *
   * When this is changed, workers with the limits from before are replaced, each when it has ended
   * its call.
   *
   * Since: 0.1
   */
  props[PROP_WORKER_LIMITS]
      = g_param_spec_boxed ("worker-limits", NULL, NULL, PROCFUN_TYPE_LIMITS, flags);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  make_number_specs ();
  make_time_specs (flags);
  make_retry_specs (flags);
  make_worker_specs (flags);
  g_object_class_install_properties (klass, N_PROPS, props);
}

static void
procfun_pool_class_init (ProcfunPoolClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  object_class->get_property = procfun_pool_get_property;
  object_class->set_property = procfun_pool_set_property;
  executor_class->run = procfun_pool_run;
  executor_class->run_then = procfun_pool_run_then;
  executor_class->run_plain = procfun_pool_run_plain;
  executor_class->close_progress = procfun_pool_close_progress;
  executor_class->begin_anew = procfun_pool_begin_anew;
  install_properties (object_class);
}

/* FrameLeftovers for which no worker is replaced */
static const guint64 tolerated[]
    = { [PROCFUN_KEPT_THREADS_NONE] = 0,
        [PROCFUN_KEPT_THREADS_FIRST_CALL] = FRAME_LEFT_FIRST_THREADS,
        [PROCFUN_KEPT_THREADS_ANY] = FRAME_LEFT_FIRST_THREADS | FRAME_LEFT_THREADS };

static void
procfun_pool_init (ProcfunPool *self)
{
  const guint max_workers = cpus_count ();
  const guint idle = DEFAULT_IDLE_MS;
  const guint in_flight = 1;
  const guint arena_idle = SETUP_ARENA_IDLE_MS;

  self->scheduler = scheduler_new (PROCFUN_EXECUTOR (self), TRUE, NULL);
  procfun_process_executor_take_scheduler (PROCFUN_PROCESS_EXECUTOR (self), self->scheduler,
                                           max_workers);
  SCHEDULER_SET (self->scheduler, idle, idle);
  SCHEDULER_SET (self->scheduler, calls_in_flight, in_flight);
  SCHEDULER_SET (self->scheduler, arena_idle, arena_idle);
  self->retry.reasons = PROCFUN_RETRY_LOST;
  self->kept_threads = PROCFUN_KEPT_THREADS_FIRST_CALL;
  SCHEDULER_SET (self->scheduler, tolerated, tolerated[self->kept_threads]);
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

/* Settings */

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

  set_number (self, PROP_MAX_WORKERS, n);
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
  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  return (guint)get_number (self, PROP_MAX_WORKERS);
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

  set_number (self, PROP_MIN_WORKERS, n);
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
  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  return (guint)get_number (self, PROP_MIN_WORKERS);
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

  set_number (self, PROP_CALLS_PER_WORKER, n);
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
  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  return get_number (self, PROP_CALLS_PER_WORKER);
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

  set_number (self, PROP_MEMORY_PER_WORKER, bytes);
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
  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  return get_number (self, PROP_MEMORY_PER_WORKER);
}

/**
 * procfun_pool_set_max_queue_calls:
 * @self: a #ProcfunPool
 * @n: how many calls may wait for a worker; 0: any number
 *
 * Sets #ProcfunProcessExecutor:max-queue-calls.
 *
 * Since: 0.1
 */
void
procfun_pool_set_max_queue_calls (ProcfunPool *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));

  procfun_process_executor_set_max_queue_calls (PROCFUN_PROCESS_EXECUTOR (self), n);
}

/**
 * procfun_pool_get_max_queue_calls:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunProcessExecutor:max-queue-calls.
 *
 * Returns: how many calls may wait for a worker; 0: any number
 *
 * Since: 0.1
 */
guint
procfun_pool_get_max_queue_calls (ProcfunPool *self)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  return procfun_process_executor_get_max_queue_calls (PROCFUN_PROCESS_EXECUTOR (self));
}

/**
 * procfun_pool_set_max_queue_bytes:
 * @self: a #ProcfunPool
 * @bytes: how many bytes the arguments of waiting calls may take; 0: any number
 *
 * Sets #ProcfunProcessExecutor:max-queue-bytes.
 *
 * Since: 0.1
 */
void
procfun_pool_set_max_queue_bytes (ProcfunPool *self, guint64 bytes)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));

  procfun_process_executor_set_max_queue_bytes (PROCFUN_PROCESS_EXECUTOR (self), bytes);
}

/**
 * procfun_pool_get_max_queue_bytes:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunProcessExecutor:max-queue-bytes.
 *
 * Returns: how many bytes the arguments of waiting calls may take; 0: any number
 *
 * Since: 0.1
 */
guint64
procfun_pool_get_max_queue_bytes (ProcfunPool *self)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  return procfun_process_executor_get_max_queue_bytes (PROCFUN_PROCESS_EXECUTOR (self));
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

  set_number (self, PROP_CALLS_IN_FLIGHT, n);
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
  g_return_val_if_fail (PROCFUN_IS_POOL (self), 1);

  return (guint)get_number (self, PROP_CALLS_IN_FLIGHT);
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
 * procfun_pool_set_arena_idle:
 * @self: a #ProcfunPool
 * @us: how long a worker without a call keeps memory for large arguments and results, in µs, kept
 *   to the millisecond; 0: for ever
 *
 * Sets #ProcfunPool:arena-idle, for workers that are started from now on.
 *
 * Since: 0.1
 */
void
procfun_pool_set_arena_idle (ProcfunPool *self, gint64 us)
{
  guint ms;

  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (us >= 0);

  ms = to_ms (us);
  if (SCHEDULER_SET (self->scheduler, arena_idle, ms))
    g_object_notify (G_OBJECT (self), "arena-idle");
}

/**
 * procfun_pool_get_arena_idle:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:arena-idle.
 *
 * Returns: a time in µs; 0: for ever
 *
 * Since: 0.1
 */
gint64
procfun_pool_get_arena_idle (ProcfunPool *self)
{
  SchedulerConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  scheduler_get_config (self->scheduler, &config);
  return config.arena_idle * G_TIME_SPAN_MILLISECOND;
}

/**
 * procfun_pool_set_initializer:
 * @self: a #ProcfunPool
 * @function: (nullable): a function of the same module as those that are to be called, or %NULL
 * @args: (nullable): its arguments, a tuple, or %NULL for none; a floating reference is taken
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

  if (function != NULL && args == NULL)
    args = g_variant_new_tuple (NULL, 0);
  scheduler_set_initializer (self->scheduler, function, args);
}

/**
 * procfun_pool_add_preload:
 * @self: a #ProcfunPool
 * @function: a function of the same module as those that are to be called
 * @args: (nullable): its arguments, a tuple, or %NULL for none; a floating reference is taken
 *
 * Has @function run once in the process that forks the workers, before it forks any: what it loads
 * is there for all of them, and takes memory once. Functions are run in the order in which they
 * were added; those of another module in the process that forks workers for that one. Workers that
 * are there are replaced.
 *
 * All that is said of procfun_fork_server_add_preload() holds here, too. The initializer of
 * procfun_pool_set_initializer() is run in each worker, after this.
 *
 * Since: 0.1
 */
void
procfun_pool_add_preload (ProcfunPool *self, ProcfunFunction *function, GVariant *args)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (PROCFUN_IS_FUNCTION (function));

  procfun_process_executor_add_preload (PROCFUN_PROCESS_EXECUTOR (self), function, args);
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

  if (g_atomic_int_get (&self->retry.max) == (gint)n)
    return;
  g_atomic_int_set (&self->retry.max, (gint)n);
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

  return (guint)g_atomic_int_get (&self->retry.max);
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

  if (g_atomic_int_get (&self->retry.reasons) == (gint)reasons)
    return;
  g_atomic_int_set (&self->retry.reasons, (gint)reasons);
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

  return (ProcfunRetryFlags)g_atomic_int_get (&self->retry.reasons);
}

/**
 * procfun_pool_set_kept_threads:
 * @self: a #ProcfunPool
 * @threads: which threads a call may leave
 *
 * Sets #ProcfunPool:kept-threads.
 *
 * Since: 0.1
 */
void
procfun_pool_set_kept_threads (ProcfunPool *self, ProcfunKeptThreads threads)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail ((gsize)threads < G_N_ELEMENTS (tolerated));

  if (g_atomic_int_get (&self->kept_threads) == (gint)threads)
    return;
  g_atomic_int_set (&self->kept_threads, (gint)threads);
  SCHEDULER_SET (self->scheduler, tolerated, tolerated[threads]);
  g_object_notify (G_OBJECT (self), "kept-threads");
}

/**
 * procfun_pool_get_kept_threads:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:kept-threads.
 *
 * Returns: which threads a call may leave
 *
 * Since: 0.1
 */
ProcfunKeptThreads
procfun_pool_get_kept_threads (ProcfunPool *self)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), PROCFUN_KEPT_THREADS_FIRST_CALL);

  return (ProcfunKeptThreads)g_atomic_int_get (&self->kept_threads);
}

/**
 * procfun_pool_set_worker_limits:
 * @self: a #ProcfunPool
 * @limits: (nullable): what each call may use; copied. %NULL: no limits but the calls' own
 *
 * Sets #ProcfunPool:worker-limits. Where the system cannot keep one of them, calls fail with
 * %PROCFUN_ERROR_SANDBOX, or while no worker is started again with %PROCFUN_ERROR_SPAWN.
 *
 * Since: 0.1
 */
void
procfun_pool_set_worker_limits (ProcfunPool *self, const ProcfunLimits *limits)
{
  g_return_if_fail (PROCFUN_IS_POOL (self));

  if (scheduler_set_worker_limits (self->scheduler, limits))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_WORKER_LIMITS]);
}

/**
 * procfun_pool_get_worker_limits:
 * @self: a #ProcfunPool
 *
 * Gets #ProcfunPool:worker-limits.
 *
 * Returns: (transfer full) (nullable): a copy of the limits, or %NULL for none; free it with
 *   procfun_limits_free()
 *
 * Since: 0.1
 */
ProcfunLimits *
procfun_pool_get_worker_limits (ProcfunPool *self)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), NULL);

  return scheduler_get_worker_limits (self->scheduler);
}
