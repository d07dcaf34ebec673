/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-pool.h"

#include "procfun/backend/crew.h"
#include "procfun/platform/cpus.h"
#include "procfun/platform/intl.h"
#include "procfun/procfun-call-private.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-function-private.h"
#include "procfun/procfun-process-executor-private.h"

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
struct _ProcfunPool
{
  ProcfunProcessExecutor parent_instance;

  Crew *crew;
  guint max_queue_calls;
  guint64 max_queue_bytes;
};

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
  N_PROPS
};

static GParamSpec *props[N_PROPS];

/* Running */

static void
init_request (CrewRequest *request, ProcfunCall *call, const Preparation *preparation)
{
  *request = (CrewRequest){ .function = procfun_call_get_function (call),
                            .options = &preparation->options,
                            .priority = procfun_call_get_priority (call),
                            .n_bytes = g_bytes_get_size (preparation->arguments),
                            .deadline = procfun_call_get_deadline_time (call) };
}

/* Limits and surroundings are not for those before it, and what it yields not for those behind; and
 * its deadline is not watched before its turn. */
static gboolean
may_go_ahead (ProcfunCall *call, const Preparation *preparation)
{
  return procfun_call_get_limits (call) == NULL && preparation->options.context == NULL
         && procfun_call_get_deadline (call) == 0 && procfun_call_get_fd_list (call) == NULL
         && !procfun_function_is_generator (procfun_call_get_function (call));
}

/* A worker that has limits or surroundings of its own is of no use for other calls. (nullable):
 * without an error when the worker had ended, unnoticed. */
static Exchange *
begin (ProcfunPool *self, ProcfunCall *call, Preparation *preparation, CrewMember *member,
       GError **error)
{
  Worker *worker = crew_member_get_worker (member);
  Exchange *front = crew_member_get_front (member);
  Exchange *exchange;

  if (front != NULL)
    {
      exchange = exchange_new_behind (call, front, &preparation->options, preparation->arguments);
      crew_member_queue (member, exchange);
      return exchange;
    }
  crew_member_begin (member, &preparation->options);
  if (procfun_call_get_limits (call) != NULL || preparation->options.context != NULL)
    worker->is_kept = FALSE;
  exchange = procfun_process_executor_begin (PROCFUN_PROCESS_EXECUTOR (self), call, preparation,
                                             worker, error);
  if (exchange == NULL)
    {
      crew_member_discard (member);
      return NULL;
    }
  exchange_set_release (exchange, crew_member_release, member);
  if (exchange_was_sent (exchange))
    {
      crew_member_set_front (member, exchange);
      return exchange;
    }
  exchange_free (exchange);
  return NULL;
}

static gpointer
procfun_pool_start (ProcfunProcessExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                    GError **error)
{
  ProcfunPool *self = PROCFUN_POOL (executor);
  g_auto (Preparation) preparation = PREPARATION_INIT;
  g_autoptr (GError) own_error = NULL;
  Exchange *exchange = NULL;
  CrewRequest request;

  if (!procfun_process_executor_prepare (executor, call, NULL, &preparation, error))
    return NULL;
  init_request (&request, call, &preparation);
  while (exchange == NULL && own_error == NULL)
    {
      CrewMember *member = crew_acquire (self->crew, &request, cancellable, &own_error);

      if (member != NULL)
        exchange = begin (self, call, &preparation, member, &own_error);
    }
  if (own_error != NULL)
    g_propagate_error (error, g_steal_pointer (&own_error));
  return exchange;
}

/* A call that waits for its worker. */
typedef struct
{
  ProcfunPool *pool;
  ProcfunCall *call;         /* borrowed */
  GCancellable *cancellable; /* (nullable) */
  Preparation preparation;
  void (*callback) (gpointer exchange, GError *error, gpointer user_data);
  gpointer user_data;
} Turn;

static void
turn_end (Turn *self, Exchange *exchange, GError *error)
{
  self->callback (exchange, error, self->user_data);
  preparation_clear (&self->preparation);
  g_clear_object (&self->cancellable);
  g_object_unref (self->pool);
  g_free (self);
}

static void wait_for_turn (Turn *self);

static void
on_turn (CrewMember *member, GError *error, gpointer user_data)
{
  Turn *self = user_data;
  Exchange *exchange = NULL;

  if (member != NULL)
    exchange = begin (self->pool, self->call, &self->preparation, member, &error);
  if (exchange == NULL && error == NULL)
    wait_for_turn (self);
  else
    turn_end (self, exchange, error);
}

static void
wait_for_turn (Turn *self)
{
  CrewRequest request;

  init_request (&request, self->call, &self->preparation);
  request.may_go_ahead = may_go_ahead (self->call, &self->preparation);
  crew_acquire_async (self->pool->crew, &request, self->cancellable, on_turn, self);
}

static void
procfun_pool_start_async (ProcfunProcessExecutor *executor, ProcfunCall *call,
                          GCancellable *cancellable,
                          void (*callback) (gpointer exchange, GError *error, gpointer user_data),
                          gpointer user_data)
{
  Turn *turn = g_new0 (Turn, 1);
  GError *error = NULL;

  turn->pool = g_object_ref (PROCFUN_POOL (executor));
  turn->call = call;
  turn->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  turn->callback = callback;
  turn->user_data = user_data;
  if (procfun_process_executor_prepare (executor, call, NULL, &turn->preparation, &error))
    wait_for_turn (turn);
  else
    turn_end (turn, NULL, error);
}

static gboolean
procfun_pool_close (ProcfunExecutor *executor, GCancellable *cancellable, GError **error)
{
  crew_clear (PROCFUN_POOL (executor)->crew);
  return TRUE;
}

/* Idle workers end at once. */
static void
procfun_pool_close_async (ProcfunExecutor *executor, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  crew_clear (PROCFUN_POOL (executor)->crew);
  PROCFUN_EXECUTOR_CLASS (procfun_pool_parent_class)
      ->close_async (executor, cancellable, callback, user_data);
}

static void
procfun_pool_describe (ProcfunExecutor *executor, ProcfunStatistics *statistics)
{
  crew_describe (PROCFUN_POOL (executor)->crew, statistics);
}

/* The object */

static void
procfun_pool_dispose (GObject *object)
{
  ProcfunPool *self = PROCFUN_POOL (object);

  if (self->crew != NULL)
    crew_clear (self->crew);

  G_OBJECT_CLASS (procfun_pool_parent_class)->dispose (object);
}

static void
procfun_pool_finalize (GObject *object)
{
  crew_unref (PROCFUN_POOL (object)->crew);

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
   * one leaves behind in the process the next finds. When the worker dies, only the call that it
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
  executor_class->close = procfun_pool_close;
  executor_class->close_async = procfun_pool_close_async;
  executor_class->describe = procfun_pool_describe;
  PROCFUN_PROCESS_EXECUTOR_CLASS (klass)->start = procfun_pool_start;
  PROCFUN_PROCESS_EXECUTOR_CLASS (klass)->start_async = procfun_pool_start_async;
  install_properties (object_class);
}

static void
procfun_pool_init (ProcfunPool *self)
{
  const CrewConfig config
      = { .max_workers = cpus_count (), .calls_in_flight = 1, .idle = DEFAULT_IDLE_MS };

  self->crew = crew_new (PROCFUN_EXECUTOR (self));
  crew_configure (self->crew, &config);
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
  CrewConfig config;

  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (n >= 1);

  crew_get_config (self->crew, &config);
  if (config.max_workers == n)
    return;
  config.max_workers = n;
  crew_configure (self->crew, &config);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MAX_WORKERS]);
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
  CrewConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  crew_get_config (self->crew, &config);
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
  CrewConfig config;

  g_return_if_fail (PROCFUN_IS_POOL (self));

  crew_get_config (self->crew, &config);
  if (config.min_workers == n)
    return;
  config.min_workers = n;
  crew_configure (self->crew, &config);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MIN_WORKERS]);
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
  CrewConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  crew_get_config (self->crew, &config);
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
  CrewConfig config;

  g_return_if_fail (PROCFUN_IS_POOL (self));

  crew_get_config (self->crew, &config);
  if (config.calls_per_worker == n)
    return;
  config.calls_per_worker = n;
  crew_configure (self->crew, &config);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CALLS_PER_WORKER]);
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
  CrewConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  crew_get_config (self->crew, &config);
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
  CrewConfig config;

  g_return_if_fail (PROCFUN_IS_POOL (self));

  crew_get_config (self->crew, &config);
  if (config.memory_per_worker == bytes)
    return;
  config.memory_per_worker = bytes;
  crew_configure (self->crew, &config);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MEMORY_PER_WORKER]);
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
  CrewConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  crew_get_config (self->crew, &config);
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

  if (self->max_queue_calls == n)
    return;
  self->max_queue_calls = n;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MAX_QUEUE_CALLS]);
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
  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  return self->max_queue_calls;
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

  if (self->max_queue_bytes == bytes)
    return;
  self->max_queue_bytes = bytes;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MAX_QUEUE_BYTES]);
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
  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  return self->max_queue_bytes;
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
  CrewConfig config;

  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (n >= 1);

  crew_get_config (self->crew, &config);
  if (config.calls_in_flight == n)
    return;
  config.calls_in_flight = n;
  crew_configure (self->crew, &config);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CALLS_IN_FLIGHT]);
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
  CrewConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 1);

  crew_get_config (self->crew, &config);
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
  CrewConfig config;
  guint ms;

  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (us >= 0);

  ms = (guint)MIN ((us + 999) / G_TIME_SPAN_MILLISECOND, G_MAXINT);
  crew_get_config (self->crew, &config);
  if (config.idle == ms)
    return;
  config.idle = ms;
  crew_configure (self->crew, &config);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_IDLE_TIMEOUT]);
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
  CrewConfig config;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), 0);

  crew_get_config (self->crew, &config);
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

  crew_set_initializer (self->crew, function, args);
}

static gboolean
has_room (ProcfunPool *self)
{
  guint64 n_bytes;
  guint n = crew_get_queue (self->crew, &n_bytes);

  return (self->max_queue_calls == 0 || n < self->max_queue_calls)
         && (self->max_queue_bytes == 0 || n_bytes < self->max_queue_bytes);
}

/**
 * procfun_pool_submit:
 * @self: a #ProcfunPool
 * @call: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable, for the waiting and for the call
 * @callback: called when the call has ended
 * @user_data: for @callback
 * @error: return location for a #GError
 *
 * Waits until the queue has room, and then runs @call as procfun_call_run_async() does, on this
 * pool. The thread that waits cannot run its main context meanwhile: where that is what brings the
 * pool's calls to an end, use procfun_pool_try_submit().
 *
 * Returns: %TRUE when the call was started; or %FALSE with @error set to %G_IO_ERROR_CANCELLED, and
 *   then @callback does not come
 *
 * Since: 0.1
 */
gboolean
procfun_pool_submit (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data, GError **error)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), FALSE);
  g_return_val_if_fail (PROCFUN_IS_CALL (call), FALSE);

  if (!crew_wait_for_room (self->crew, self->max_queue_calls, self->max_queue_bytes, cancellable,
                           error))
    return FALSE;
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (self));
  procfun_call_run_async (call, cancellable, callback, user_data);
  return TRUE;
}

/**
 * procfun_pool_try_submit:
 * @self: a #ProcfunPool
 * @call: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable
 * @callback: called when the call has ended
 * @user_data: for @callback
 * @error: return location for a #GError
 *
 * Runs @call as procfun_call_run_async() does, on this pool, if the queue has room.
 *
 * Returns: %TRUE when the call was started; or %FALSE with @error set to %PROCFUN_ERROR_BUSY, and
 *   then @callback does not come
 *
 * Since: 0.1
 */
gboolean
procfun_pool_try_submit (ProcfunPool *self, ProcfunCall *call, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data, GError **error)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (self), FALSE);
  g_return_val_if_fail (PROCFUN_IS_CALL (call), FALSE);

  if (!has_room (self))
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY,
                   _ ("%s() cannot be called now: the queue is full"),
                   procfun_function_get_name (procfun_call_get_function (call)));
      return FALSE;
    }
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (self));
  procfun_call_run_async (call, cancellable, callback, user_data);
  return TRUE;
}
