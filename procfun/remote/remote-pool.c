/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/remote-pool.h"

#include "procfun/core/call-wait.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/launcher.h"
#include "procfun/remote/remote-run.h"
#include "procfun/statistics/statistics.h"
#include "procfun/wire/channel.h"

/**
 * SECTION:procfun-remote-pool
 * @title: ProcfunRemotePool
 * @short_description: an executor whose processes are on other machines
 * @include: procfun.h
 *
 * An executor whose processes are on other machines.
 */

#define DEFAULT_HEARTBEAT (5 * G_USEC_PER_SEC)
#define DEFAULT_CONNECT_TIMEOUT (30 * G_USEC_PER_SEC)
#define DEFAULT_RETRIES 2

/**
 * ProcfunRemotePool:
 *
 * An executor whose processes are on other machines.
 *
 * Runs calls on hosts. A host is the same program, started there by a command such as ssh; it has a
 * #ProcfunPool of its own and takes calls through its standard input and output. So crashes,
 * limits, sandboxes, times and cancelling are what they are in a pool, and what they leave behind
 * is cleared away there; folders of a sandbox are those of the host. A #ProcfunFailure comes back
 * whole, and says by procfun_failure_get_host() where it was.
 *
 * |[<!-- language="C" -->
 * g_autoptr (ProcfunRemotePool) hosts = procfun_remote_pool_new ("ssh:alpha*16, ssh:beta", &error);
 *
 * procfun_executor_set_default (PROCFUN_EXECUTOR (hosts));
 * ]|
 *
 * The same is done for a program by `PROCFUN_EXECUTOR=ssh:alpha*16,ssh:beta` in its environment.
 *
 * Hosts are started by the first call. A host that is lost, because it was killed, its machine is
 * down or the connection was cut, ends the calls that it had with %PROCFUN_ERROR_WORKER_LOST:
 * nobody knows whether they have run. Those of idempotent functions may be run again, see
 * #ProcfunRemotePool:retry-on. The host is started again when there are calls. A host ends itself,
 * and all that it has started, when its caller is gone.
 *
 * A host runs a function only if its program has one of the same name with the same types, down to
 * the names of fields and the values of enums. If none has it, calls fail with
 * %PROCFUN_ERROR_NOT_FOUND or %PROCFUN_ERROR_MISMATCH. If none can be reached, they fail with
 * %PROCFUN_ERROR_ENGINE.
 *
 * Descriptors do not leave a machine: calls that have some fail with %PROCFUN_ERROR_INVALID. What
 * functions print comes to this program, a line at a time.
 *
 * Since: 0.1
 */

G_DEFINE_FINAL_TYPE (ProcfunRemotePool, procfun_remote_pool, PROCFUN_TYPE_EXECUTOR)

enum
{
  PROP_PROGRAM = 1,
  PROP_LIBRARY,
  PROP_HEARTBEAT,
  PROP_CONNECT_TIMEOUT,
  PROP_IDLE_TIMEOUT,
  PROP_MIN_HOSTS,
  PROP_MAX_HOSTS,
  PROP_CALLS_IN_FLIGHT,
  PROP_MAX_PAYLOAD,
  PROP_MAX_QUEUE_CALLS,
  PROP_MAX_QUEUE_BYTES,
  PROP_MAX_RETRIES,
  PROP_RETRY_ON,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

enum
{
  HOST_UP,
  HOST_LOST,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* Running */

static guint64
get_max_payload (ProcfunRemotePool *self)
{
  guint64 bytes;

  g_mutex_lock (&self->lock);
  bytes = self->config.max_payload;
  g_mutex_unlock (&self->lock);
  return bytes;
}

static GVariant *
run_once (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable, GError **error)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (executor);

  return remote_run (self->hosts, call, get_max_payload (self), error);
}

static void
run_once_then (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
               ProcfunExecutorFunc func, gpointer user_data)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (executor);

  remote_run_then (self->hosts, call, get_max_payload (self), context, func, user_data);
}

/* Of one try. */
static ProcfunExecutorClass tries = { .run = run_once, .run_then = run_once_then };

/* A cancellable comes from executors of others that hand calls on. */
static GVariant *
procfun_remote_pool_run (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                         GError **error)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (executor);
  GVariant *result;
  CallLink link;

  call_link_init (&link, call, cancellable);
  result = retry_run (&self->retry, &tries, executor, call, NULL, error);
  call_link_clear (&link);
  return result;
}

static void
procfun_remote_pool_run_then (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
                              ProcfunExecutorFunc func, gpointer user_data)
{
  retry_run_then (&PROCFUN_REMOTE_POOL (executor)->retry, &tries, executor, call, context, func,
                  user_data);
}

static GVariant *
procfun_remote_pool_next (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                          GError **error)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (executor);

  return remote_next (self->hosts, call, get_max_payload (self), error);
}

static void
procfun_remote_pool_next_async (ProcfunExecutor *executor, ProcfunCall *call,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (executor);

  remote_next_async (self->hosts, call, get_max_payload (self),
                     g_task_new (executor, NULL, callback, user_data));
}

/* Closing */

static gboolean
procfun_remote_pool_close (ProcfunExecutor *executor, GCancellable *cancellable, GError **error)
{
  hosts_close_and_wait (PROCFUN_REMOTE_POOL (executor)->hosts);
  return TRUE;
}

static void
on_closed (gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  g_task_return_boolean (task, TRUE);
}

static void
procfun_remote_pool_close_async (ProcfunExecutor *executor, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (executor, NULL, callback, user_data);

  hosts_close (PROCFUN_REMOTE_POOL (executor)->hosts, on_closed, task);
}

static void
procfun_remote_pool_end_calls (ProcfunExecutor *executor, ProcfunCloseFlags flags)
{
  hosts_end_calls (PROCFUN_REMOTE_POOL (executor)->hosts, (flags & PROCFUN_CLOSE_DROP_QUEUED) != 0,
                   (flags & PROCFUN_CLOSE_CANCEL_RUNNING) != 0);
}

static gboolean
procfun_remote_pool_close_progress (ProcfunExecutor *executor, gint64 closing_since,
                                    gboolean blocks, gint64 *next, GError **error)
{
  if (!blocks || !hosts_has_own_calls (PROCFUN_REMOTE_POOL (executor)->hosts))
    return TRUE;
  return executor_fail_nested (error);
}

/* Before the first call nobody but this object knows of its hosts. */
static void
procfun_remote_pool_describe (ProcfunExecutor *executor, ProcfunStatistics *statistics)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (executor);
  StatisticsHosts hosts;
  HostsCounts counts;

  procfun_executor_check_process (executor);
  hosts_count (self->hosts, &counts);
  procfun_statistics_set_queue (statistics, counts.n_queued, counts.n_queued_bytes);
  hosts = (StatisticsHosts){ .n_down = counts.n_down,
                             .n_starting = counts.n_starting,
                             .n_up = counts.n_hosts,
                             .n_slots = counts.n_slots,
                             .n_busy = MIN (counts.n_busy, counts.n_slots),
                             .n_lost = counts.n_lost };
  g_mutex_lock (&self->lock);
  if (hosts.n_down + hosts.n_starting + hosts.n_up == 0)
    hosts.n_down = self->specs->len;
  g_mutex_unlock (&self->lock);
  statistics_set_hosts (statistics, &hosts);
}

/* The next call of a slot is there when the one before has ended. Before a host is up, its slots
 * are not known if nobody has said so. */
static guint
procfun_remote_pool_get_capacity (ProcfunExecutor *executor)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (executor);
  HostsCounts counts;
  guint n = 0;

  hosts_count (self->hosts, &counts);
  if (counts.n_slots > 0)
    return MIN (counts.n_slots, G_MAXINT / 2) * 2;
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->specs->len; i++)
    n += MAX (((const HostSpec *)self->specs->pdata[i])->slots, 1);
  g_mutex_unlock (&self->lock);
  return n;
}

static guint64
procfun_remote_pool_get_chunk_limit (ProcfunExecutor *executor)
{
  return get_max_payload (PROCFUN_REMOTE_POOL (executor));
}

/* Hosts */

/* News of hosts, for the main context in which the pool was made. */
typedef struct
{
  gatomicrefcount ref_count;
  GWeakRef pool;
  GMainContext *context;
} Relay;

typedef struct
{
  Relay *relay;
  const char *name;
  guint slots;
  GError *error; /* (nullable) */
} News;

static void
relay_unref (gpointer relay)
{
  Relay *self = relay;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_weak_ref_clear (&self->pool);
  g_main_context_unref (self->context);
  g_free (self);
}

static void
news_free (gpointer news)
{
  News *self = news;

  relay_unref (self->relay);
  g_clear_error (&self->error);
  g_free (self);
}

static gboolean
tell_news (gpointer user_data)
{
  const News *self = user_data;
  g_autoptr (ProcfunRemotePool) pool = g_weak_ref_get (&self->relay->pool);

  if (pool == NULL)
    return G_SOURCE_REMOVE;
  if (self->error != NULL)
    g_signal_emit (pool, signals[HOST_LOST], 0, self->name, self->error);
  else
    g_signal_emit (pool, signals[HOST_UP], 0, self->name, self->slots);
  return G_SOURCE_REMOVE;
}

static void
on_host (const HostNews *told, gpointer user_data)
{
  Relay *relay = user_data;
  g_autoptr (GSource) source = g_idle_source_new ();
  News *news = g_new (News, 1);

  g_atomic_ref_count_inc (&relay->ref_count);
  *news = (News){ relay, told->name, told->slots,
                  told->error != NULL ? g_error_copy (told->error) : NULL };
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, tell_news, news, news_free);
  g_source_attach (source, relay->context);
}

static void
make_hosts (ProcfunRemotePool *self)
{
  Relay *relay = g_new0 (Relay, 1);

  g_atomic_ref_count_init (&relay->ref_count);
  g_weak_ref_init (&relay->pool, self);
  relay->context = g_main_context_ref_thread_default ();
  self->hosts = hosts_new (self->specs, on_host, relay, relay_unref);
  hosts_set_config (self->hosts, &self->config);
}

/* Those of the parent are left to it. */
static void
procfun_remote_pool_begin_anew (ProcfunExecutor *executor)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (executor);

  g_mutex_init (&self->lock);
  make_hosts (self);
}

/* The object */

static void
procfun_remote_pool_dispose (GObject *object)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (object);

  procfun_executor_check_process (PROCFUN_EXECUTOR (self));
  if (self->hosts != NULL)
    hosts_close (self->hosts, NULL, NULL);

  G_OBJECT_CLASS (procfun_remote_pool_parent_class)->dispose (object);
}

static void
procfun_remote_pool_finalize (GObject *object)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (object);

  g_clear_pointer (&self->hosts, hosts_unref);
  g_clear_pointer (&self->specs, g_ptr_array_unref);
  g_free (self->config.program);
  g_free (self->config.library);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (procfun_remote_pool_parent_class)->finalize (object);
}

static void
procfun_remote_pool_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (object);

  switch (id)
    {
    case PROP_PROGRAM:
      g_value_take_string (value, procfun_remote_pool_get_program (self));
      break;
    case PROP_LIBRARY:
      g_value_take_string (value, procfun_remote_pool_get_library (self));
      break;
    case PROP_HEARTBEAT:
      g_value_set_int64 (value, procfun_remote_pool_get_heartbeat (self));
      break;
    case PROP_CONNECT_TIMEOUT:
      g_value_set_int64 (value, procfun_remote_pool_get_connect_timeout (self));
      break;
    case PROP_IDLE_TIMEOUT:
      g_value_set_int64 (value, procfun_remote_pool_get_idle_timeout (self));
      break;
    case PROP_MIN_HOSTS:
      g_value_set_uint (value, procfun_remote_pool_get_min_hosts (self));
      break;
    case PROP_MAX_HOSTS:
      g_value_set_uint (value, procfun_remote_pool_get_max_hosts (self));
      break;
    case PROP_CALLS_IN_FLIGHT:
      g_value_set_uint (value, procfun_remote_pool_get_calls_in_flight (self));
      break;
    case PROP_MAX_PAYLOAD:
      g_value_set_uint64 (value, procfun_remote_pool_get_max_payload (self));
      break;
    case PROP_MAX_QUEUE_CALLS:
      g_value_set_uint (value, procfun_remote_pool_get_max_queue_calls (self));
      break;
    case PROP_MAX_QUEUE_BYTES:
      g_value_set_uint64 (value, procfun_remote_pool_get_max_queue_bytes (self));
      break;
    case PROP_MAX_RETRIES:
      g_value_set_uint (value, procfun_remote_pool_get_max_retries (self));
      break;
    case PROP_RETRY_ON:
      g_value_set_flags (value, procfun_remote_pool_get_retry_on (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_remote_pool_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  ProcfunRemotePool *self = PROCFUN_REMOTE_POOL (object);

  switch (id)
    {
    case PROP_PROGRAM:
      procfun_remote_pool_set_program (self, g_value_get_string (value));
      break;
    case PROP_LIBRARY:
      procfun_remote_pool_set_library (self, g_value_get_string (value));
      break;
    case PROP_HEARTBEAT:
      procfun_remote_pool_set_heartbeat (self, g_value_get_int64 (value));
      break;
    case PROP_CONNECT_TIMEOUT:
      procfun_remote_pool_set_connect_timeout (self, g_value_get_int64 (value));
      break;
    case PROP_IDLE_TIMEOUT:
      procfun_remote_pool_set_idle_timeout (self, g_value_get_int64 (value));
      break;
    case PROP_MIN_HOSTS:
      procfun_remote_pool_set_min_hosts (self, g_value_get_uint (value));
      break;
    case PROP_MAX_HOSTS:
      procfun_remote_pool_set_max_hosts (self, g_value_get_uint (value));
      break;
    case PROP_CALLS_IN_FLIGHT:
      procfun_remote_pool_set_calls_in_flight (self, g_value_get_uint (value));
      break;
    case PROP_MAX_PAYLOAD:
      procfun_remote_pool_set_max_payload (self, g_value_get_uint64 (value));
      break;
    case PROP_MAX_QUEUE_CALLS:
      procfun_remote_pool_set_max_queue_calls (self, g_value_get_uint (value));
      break;
    case PROP_MAX_QUEUE_BYTES:
      procfun_remote_pool_set_max_queue_bytes (self, g_value_get_uint64 (value));
      break;
    case PROP_MAX_RETRIES:
      procfun_remote_pool_set_max_retries (self, g_value_get_uint (value));
      break;
    case PROP_RETRY_ON:
      procfun_remote_pool_set_retry_on (self, g_value_get_flags (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static const GParamFlags prop_flags
    = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

static void
make_numbers (void)
{
  /**
   * ProcfunRemotePool:heartbeat:
   *
   * How often this program and its hosts tell each other that they live, in µs. A side that has not
   * heard of the other for twice as long takes it for gone; 0: only when the connection is closed.
   * A host that is given arguments of 32 MiB or more copies them for a process, and may be silent a
   * second longer for each 50 MB.
   *
   * Since: 0.1
   */
  props[PROP_HEARTBEAT] = g_param_spec_int64 ("heartbeat", NULL, NULL, 0, G_MAXINT64 / 4,
                                              DEFAULT_HEARTBEAT, prop_flags);
  /**
   * ProcfunRemotePool:connect-timeout:
   *
   * How long a host may take from the start of its command to its first word, in µs; 0: for ever.
   *
   * Since: 0.1
   */
  props[PROP_CONNECT_TIMEOUT] = g_param_spec_int64 (
      "connect-timeout", NULL, NULL, 0, G_MAXINT64 / 4, DEFAULT_CONNECT_TIMEOUT, prop_flags);
  /**
   * ProcfunRemotePool:idle-timeout:
   *
   * How long a host stays without a call, in µs; 0: until the executor is closed. The next call
   * starts it again.
   *
   * Since: 0.1
   */
  props[PROP_IDLE_TIMEOUT]
      = g_param_spec_int64 ("idle-timeout", NULL, NULL, 0, G_MAXINT64 / 4, 0, prop_flags);
  /**
   * ProcfunRemotePool:calls-in-flight:
   *
   * Number of calls that a host is sent for each of its slots. With more than one the next call is
   * there when a slot becomes free, which saves a round trip; but it waits there even if another
   * host has a slot that is free, and is lost with the host. From 16 on, which pays for functions
   * that take microseconds, an eighth of them are sent ahead to the process of the slot: see
   * #ProcfunPool:calls-in-flight. A host learns of the number when it is started.
   *
   * Since: 0.1
   */
  props[PROP_CALLS_IN_FLIGHT]
      = g_param_spec_uint ("calls-in-flight", NULL, NULL, 1, 65536, 1, prop_flags);
  /**
   * ProcfunRemotePool:max-payload:
   *
   * Number of bytes that the arguments of a call may take, and likewise its result.
   *
   * Since: 0.1
   */
  props[PROP_MAX_PAYLOAD] = g_param_spec_uint64 ("max-payload", NULL, NULL, 1, G_MAXINT64,
                                                 CHANNEL_DEFAULT_LIMIT, prop_flags);
}

static void
make_paths (void)
{
  /**
   * ProcfunRemotePool:program:
   *
   * Path of the program that hosts run, where a host names none of its own; %NULL: the path of this
   * program. With #ProcfunRemotePool:library it is that of procfun-worker.
   *
   * Since: 0.1
   */
  props[PROP_PROGRAM] = g_param_spec_string ("program", NULL, NULL, NULL, prop_flags);
  /**
   * ProcfunRemotePool:library:
   *
   * Path of the library or plugin whose functions hosts run, where a host names none of its own;
   * %NULL: those of the program. Each host loads it into procfun-worker, which must be there at the
   * same path as here.
   *
   * Since: 0.1
   */
  props[PROP_LIBRARY] = g_param_spec_string ("library", NULL, NULL, NULL, prop_flags);
}

static void
make_queue_bounds (void)
{
  /**
   * ProcfunRemotePool:max-queue-calls:
   *
   * Number of calls that may wait for a slot of a host; 0: any number. One that is made while so
   * many wait fails with %PROCFUN_ERROR_BUSY at once. Before a host is up, all calls wait. Maps
   * give out only a few chunks at a time, and do not fail so.
   *
   * Since: 0.1
   */
  props[PROP_MAX_QUEUE_CALLS]
      = g_param_spec_uint ("max-queue-calls", NULL, NULL, 0, G_MAXUINT, 0, prop_flags);
  /**
   * ProcfunRemotePool:max-queue-bytes:
   *
   * Number of bytes that the arguments of waiting calls may take; 0: any number. A call that has to
   * wait and would be too much fails with %PROCFUN_ERROR_BUSY at once.
   *
   * Since: 0.1
   */
  props[PROP_MAX_QUEUE_BYTES]
      = g_param_spec_uint64 ("max-queue-bytes", NULL, NULL, 0, G_MAXUINT64, 0, prop_flags);
}

static void
install_properties (GObjectClass *klass)
{
  make_paths ();
  make_numbers ();
  make_queue_bounds ();
  /**
   * ProcfunRemotePool:min-hosts:
   *
   * Number of hosts that #ProcfunRemotePool:idle-timeout does not end. They are not started ahead.
   *
   * Since: 0.1
   */
  props[PROP_MIN_HOSTS] = g_param_spec_uint ("min-hosts", NULL, NULL, 0, G_MAXUINT, 0, prop_flags);
  /**
   * ProcfunRemotePool:max-hosts:
   *
   * Number of hosts that are started, the first ones of the list first; 0: all. Another one is
   * started when one of them is lost, or does not have a function that is called.
   *
   * Since: 0.1
   */
  props[PROP_MAX_HOSTS] = g_param_spec_uint ("max-hosts", NULL, NULL, 0, G_MAXUINT, 0, prop_flags);
  /**
   * ProcfunRemotePool:max-retries:
   *
   * How often a call of a function that is idempotent is run again, when it failed for one of the
   * reasons in #ProcfunRemotePool:retry-on. Not so for generators.
   *
   * Since: 0.1
   */
  props[PROP_MAX_RETRIES]
      = g_param_spec_uint ("max-retries", NULL, NULL, 0, G_MAXINT - 1, DEFAULT_RETRIES, prop_flags);
  /**
   * ProcfunRemotePool:retry-on:
   *
   * For which reasons calls are run again; see #ProcfunRemotePool:max-retries. %PROCFUN_RETRY_LOST
   * is for a host that was lost, too.
   *
   * Since: 0.1
   */
  props[PROP_RETRY_ON] = g_param_spec_flags ("retry-on", NULL, NULL, PROCFUN_TYPE_RETRY_FLAGS,
                                             PROCFUN_RETRY_NONE, prop_flags);
  g_object_class_install_properties (klass, N_PROPS, props);
}

static void
make_signals (void)
{
  /**
   * ProcfunRemotePool::host-up:
   * @self: the executor
   * @name: the host
   * @slots: how many calls it runs at once
   *
   * Emitted when a host can run calls, in the main context that was the default of the thread that
   * made the executor.
   *
   * Since: 0.1
   */
  signals[HOST_UP] = g_signal_new ("host-up", PROCFUN_TYPE_REMOTE_POOL, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_UINT);
  /**
   * ProcfunRemotePool::host-lost:
   * @self: the executor
   * @name: the host
   * @error: why
   *
   * Emitted when a host that could run calls was lost, in the same main context as
   * #ProcfunRemotePool::host-up.
   *
   * Since: 0.1
   */
  signals[HOST_LOST] = g_signal_new ("host-lost", PROCFUN_TYPE_REMOTE_POOL, G_SIGNAL_RUN_LAST, 0,
                                     NULL, NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_ERROR);
}

static void
procfun_remote_pool_class_init (ProcfunRemotePoolClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  object_class->dispose = procfun_remote_pool_dispose;
  object_class->finalize = procfun_remote_pool_finalize;
  object_class->get_property = procfun_remote_pool_get_property;
  object_class->set_property = procfun_remote_pool_set_property;
  executor_class->run = procfun_remote_pool_run;
  executor_class->run_then = procfun_remote_pool_run_then;
  executor_class->next = procfun_remote_pool_next;
  executor_class->next_async = procfun_remote_pool_next_async;
  executor_class->close = procfun_remote_pool_close;
  executor_class->close_async = procfun_remote_pool_close_async;
  executor_class->end_calls = procfun_remote_pool_end_calls;
  executor_class->close_progress = procfun_remote_pool_close_progress;
  executor_class->describe = procfun_remote_pool_describe;
  executor_class->begin_anew = procfun_remote_pool_begin_anew;
  executor_class->get_capacity = procfun_remote_pool_get_capacity;
  executor_class->get_chunk_limit = procfun_remote_pool_get_chunk_limit;
  install_properties (object_class);
  make_signals ();
}

static void
procfun_remote_pool_init (ProcfunRemotePool *self)
{
  g_mutex_init (&self->lock);
  self->config = (HostsConfig){ .heartbeat = DEFAULT_HEARTBEAT,
                                .connect_timeout = DEFAULT_CONNECT_TIMEOUT,
                                .calls_in_flight = 1,
                                .max_payload = CHANNEL_DEFAULT_LIMIT };
  self->retry = (RetryPolicy){ .max = DEFAULT_RETRIES, .reasons = PROCFUN_RETRY_NONE };
  self->specs = g_ptr_array_new_with_free_func ((GDestroyNotify)host_spec_unref);
  make_hosts (self);
}

static void
add (ProcfunRemotePool *self, HostSpec *spec)
{
  procfun_executor_check_process (PROCFUN_EXECUTOR (self));
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->specs, host_spec_ref (spec));
  g_mutex_unlock (&self->lock);
  hosts_add (self->hosts, spec);
}

/**
 * procfun_remote_pool_new:
 * @hosts: (nullable): the hosts, as “ssh:alpha*16, ssh:me@beta=/opt/bin/first, local*2”; %NULL:
 * none but those that procfun_remote_pool_add_launcher() will add
 * @error: return location for an error
 *
 * Makes an executor whose processes are on other machines. Each host has a word for the command
 * that starts it, and after a colon what that needs:
 *
 * - `ssh:USER@HOST:PORT`: by ssh, without a question and without a terminal
 * - `srun:OPTIONS`: by Slurm, as `srun:--nodelist=n1`
 * - `docker:CONTAINER`, `podman:CONTAINER`, `kubectl:POD`: in a container that runs
 * - `systemd:OPTIONS`, `bwrap:OPTIONS`: on this machine, by systemd-run or in a sandbox
 * - `exec:COMMAND`: by a command in which {} stands for that of the program; without {} it is at
 * the end
 * - `local`: on this machine
 *
 * `*N` at the end says how many calls the host runs at once; without it, that is the number of its
 * processors. `=PATH` before that says where the program is on the host; without it, it has the
 * same path as here. A command of `exec:` has its own path, and behind options there is a blank
 * before the sign: `srun:--nodelist=n1 =/opt/bin/first*64`. Commas in commands and options have to
 * stand in quotes.
 *
 * Calls on hosts of another word fail with %PROCFUN_ERROR_ENGINE.
 *
 * Returns: (transfer full): a new #ProcfunRemotePool, or %NULL with %PROCFUN_ERROR_INVALID when
 *   @hosts is no such list
 *
 * Since: 0.1
 */
ProcfunRemotePool *
procfun_remote_pool_new (const char *hosts, GError **error)
{
  g_autoptr (GPtrArray) specs = NULL;
  ProcfunRemotePool *self;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (hosts != NULL && (specs = host_spec_parse_list (hosts, error)) == NULL)
    return NULL;
  self = g_object_new (PROCFUN_TYPE_REMOTE_POOL, NULL);
  for (guint i = 0; specs != NULL && i < specs->len; i++)
    add (self, specs->pdata[i]);
  return self;
}

/**
 * procfun_remote_pool_add_launcher:
 * @self: a #ProcfunRemotePool
 * @launcher: how the host is started
 *
 * Adds a host. What @launcher says now counts.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_add_launcher (ProcfunRemotePool *self, ProcfunLauncher *launcher)
{
  g_autoptr (HostSpec) spec = NULL;

  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));
  g_return_if_fail (PROCFUN_IS_LAUNCHER (launcher));

  spec = launcher_make_spec (launcher);
  add (self, spec);
}
