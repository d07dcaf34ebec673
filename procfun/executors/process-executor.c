/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/executors/process-executor.h"

#include "procfun/base/environment.h"
#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/core/call-buffers.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/core/function.h"
#include "procfun/executors/executor-sandbox.h"
#include "procfun/executors/process-next.h"
#include "procfun/executors/process-run.h"
#include "procfun/executors/process-start.h"
#include "procfun/executors/slot-start.h"
#include "procfun/process/launch.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/sandbox-frame.h"

/**
 * SECTION:procfun-process-executor
 * @title: ProcfunProcessExecutor
 * @short_description: what executors with processes have in common
 *
 * An executor whose calls run in other processes.
 */

/**
 * ProcfunProcessExecutor:
 * @parent_instance: the parent
 *
 * An executor whose calls run in other processes.
 *
 * Those that run calls in processes of their own: #ProcfunSpawner, #ProcfunForkServer,
 * #ProcfunPool and #ProcfunSession. They differ in where a process comes from and how long it
 * stays, and not in how a call runs and ends.
 *
 * Besides the function's own error, calls fail with %PROCFUN_ERROR_SPAWN when no process can be
 * started, %PROCFUN_ERROR_NOT_FOUND and %PROCFUN_ERROR_MISMATCH when the process is not of the
 * caller's build, %PROCFUN_ERROR_ENCODE, %PROCFUN_ERROR_DECODE and %PROCFUN_ERROR_LIMIT for values,
 * %PROCFUN_ERROR_CRASHED, %PROCFUN_ERROR_EXITED, %PROCFUN_ERROR_KILLED and
 * %PROCFUN_ERROR_WORKER_LOST when the process ended without a result, %PROCFUN_ERROR_TIMED_OUT,
 * %PROCFUN_ERROR_MEMORY_LIMIT and %PROCFUN_ERROR_CPU_LIMIT when it used more than it may,
 * %PROCFUN_ERROR_PROTOCOL, %PROCFUN_ERROR_NESTED, %PROCFUN_ERROR_INVALID, %PROCFUN_ERROR_BUSY,
 * %PROCFUN_ERROR_CLOSED, and %G_IO_ERROR_CANCELLED.
 *
 * Since: 0.1
 */

typedef struct
{
  GMutex lock; /* calls in other threads read what follows */
  ProcfunCodec *codec;
  gboolean is_codec_chosen; /* by the program, or by its environment */
  guint64 max_payload;
  ProcfunLaunchContext *launch_context; /* (nullable) */
  ExecutorSandbox sandbox;
  Preparation *shared; /* (nullable): these, by g_atomic_rc_box_acquire() */

  Scheduler *scheduler; /* (nullable) */
  guint default_processes;
} ProcfunProcessExecutorPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (ProcfunProcessExecutor, procfun_process_executor,
                                     PROCFUN_TYPE_EXECUTOR)

#define PRIVATE(self)                                                                              \
  ((ProcfunProcessExecutorPrivate *)procfun_process_executor_get_instance_private (self))

enum
{
  PROP_CODEC = 1,
  PROP_MAX_PAYLOAD,
  PROP_LAUNCH_CONTEXT,
  PROP_MAX_PROCESSES,
  PROP_MAX_QUEUE_CALLS,
  PROP_MAX_QUEUE_BYTES,
  PROP_HAS_QUEUE,
  PROP_SANDBOX,
  PROP_SANDBOX_RULES,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

/* For those that derive */

gboolean
procfun_process_executor_is_codec_chosen (ProcfunProcessExecutor *self)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);
  gboolean is_chosen;

  g_mutex_lock (&priv->lock);
  is_chosen = priv->is_codec_chosen;
  g_mutex_unlock (&priv->lock);
  return is_chosen;
}

/* FALSE: it can be had nowhere. */
static gboolean
prepare_sandbox (ProcfunCall *call, Preparation *preparation, GError **error)
{
  SandboxPlan *plan = preparation->sandbox;

  preparation->options.sandbox = plan;
  if (plan == NULL || sandbox_to_bytes (plan, error) != NULL)
    return TRUE;
  g_prefix_error (error, _ ("%s() cannot be called: "),
                  procfun_function_get_name (procfun_call_peek_function (call)));
  return FALSE;
}

gboolean
procfun_process_executor_prepare (ProcfunProcessExecutor *self, ProcfunCall *call,
                                  ProcfunCodec *codec, Preparation *preparation, GError **error)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);
  ExchangeOptions *options = &preparation->options;
  gboolean keeps;

  if (!function_check_callable (procfun_call_peek_function (call), error))
    return FALSE;
  keeps = priv->scheduler == NULL || priv->scheduler->keeps;
  g_mutex_lock (&priv->lock);
  preparation->codec = g_object_ref (codec != NULL ? codec : priv->codec);
  options->max_payload = priv->max_payload;
  options->context = procfun_call_get_settings (call)->launch_context;
  if (options->context == NULL)
    options->context = priv->launch_context;
  g_set_object (&preparation->context, options->context);
  g_clear_pointer (&preparation->sandbox, sandbox_plan_unref);
  preparation->sandbox = executor_sandbox_choose (&priv->sandbox, call, keeps);
  preparation->has_own_sandbox = preparation->sandbox != priv->sandbox.plan;
  g_mutex_unlock (&priv->lock);
  if (!prepare_sandbox (call, preparation, error))
    return FALSE;
  options->codec = preparation->codec;
  if (preparation->arguments != NULL)
    return TRUE;
  options->buffers_size = call_get_buffers_size (call);
  if (procfun_call_get_packed_arguments (call) == NULL && procfun_call_get_arguments (call) != NULL)
    exchange_take_parts (options, procfun_call_get_arguments (call));
  preparation->arguments = exchange_defers_encoding (call, options)
                               ? g_bytes_new (NULL, 0)
                               : exchange_encode_arguments (call, options, error);
  return preparation->arguments != NULL;
}

/* With the lock held. */
static ExchangeOptions
get_options (const ProcfunProcessExecutorPrivate *priv)
{
  return (ExchangeOptions){ .codec = priv->codec,
                            .max_payload = priv->max_payload,
                            .context = priv->launch_context,
                            .sandbox = priv->sandbox.plan };
}

void
procfun_process_executor_get_options (ProcfunProcessExecutor *self, ExchangeOptions *options)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);

  g_mutex_lock (&priv->lock);
  *options = get_options (priv);
  g_mutex_unlock (&priv->lock);
}

static gboolean
is_same (const ExchangeOptions *options, const ExchangeOptions *others)
{
  return options->codec == others->codec && options->max_payload == others->max_payload
         && options->sandbox == others->sandbox;
}

Preparation *
procfun_process_executor_share_options (ProcfunProcessExecutor *self)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);
  ExchangeOptions options;
  Preparation *shared;

  g_mutex_lock (&priv->lock);
  options = get_options (priv);
  options.context = NULL; /* of calls that have none */
  if (priv->shared != NULL && !is_same (&options, &priv->shared->options))
    g_clear_pointer (&priv->shared, preparation_release);
  if (priv->shared == NULL)
    priv->shared = preparation_new_shared (&options);
  shared = g_atomic_rc_box_acquire (priv->shared);
  g_mutex_unlock (&priv->lock);
  return shared;
}

/* Closing, and what is kept */

static gboolean
procfun_process_executor_close_progress (ProcfunExecutor *executor, gint64 closing_since,
                                         gboolean blocks, gint64 *next, GError **error)
{
  Scheduler *scheduler = PRIVATE (PROCFUN_PROCESS_EXECUTOR (executor))->scheduler;

  if (scheduler == NULL)
    return TRUE;
  if (closing_since > 0)
    scheduler_begin_to_close (scheduler);
  if (!blocks || !scheduler_has_own_calls (scheduler))
    return TRUE;
  return executor_fail_nested (error);
}

static gboolean
procfun_process_executor_close (ProcfunExecutor *executor, GCancellable *cancellable,
                                GError **error)
{
  Scheduler *scheduler = PRIVATE (PROCFUN_PROCESS_EXECUTOR (executor))->scheduler;

  scheduler_begin_to_close (scheduler);
  scheduler_clear (scheduler);
  return TRUE;
}

/* It takes no longer than a kill(). */
static void
procfun_process_executor_close_async (ProcfunExecutor *executor, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
  if (PRIVATE (PROCFUN_PROCESS_EXECUTOR (executor))->scheduler != NULL)
    procfun_process_executor_close (executor, NULL, NULL);
  PROCFUN_EXECUTOR_CLASS (procfun_process_executor_parent_class)
      ->close_async (executor, cancellable, callback, user_data);
}

static void
procfun_process_executor_end_calls (ProcfunExecutor *executor, ProcfunCloseFlags flags)
{
  scheduler_end_calls (PRIVATE (PROCFUN_PROCESS_EXECUTOR (executor))->scheduler, flags);
}

/* The parent's stays as it is. */
static void
procfun_process_executor_begin_anew (ProcfunExecutor *executor)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (PROCFUN_PROCESS_EXECUTOR (executor));

  if (priv->scheduler != NULL)
    priv->scheduler = scheduler_new_like (priv->scheduler);
}

static guint
procfun_process_executor_get_capacity (ProcfunExecutor *executor)
{
  return procfun_process_executor_get_max_processes (PROCFUN_PROCESS_EXECUTOR (executor));
}

static void
procfun_process_executor_describe (ProcfunExecutor *executor, ProcfunStatistics *statistics)
{
  Scheduler *scheduler;

  procfun_executor_check_process (executor);
  scheduler = PRIVATE (PROCFUN_PROCESS_EXECUTOR (executor))->scheduler;
  if (scheduler != NULL)
    scheduler_describe (scheduler, statistics);
}

void
procfun_process_executor_take_scheduler (ProcfunProcessExecutor *self, Scheduler *scheduler,
                                         guint default_processes)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);

  priv->scheduler = scheduler;
  priv->default_processes = default_processes;
  SCHEDULER_SET (scheduler, max_workers, default_processes);
}

Scheduler *
procfun_process_executor_get_scheduler (ProcfunProcessExecutor *self)
{
  return PRIVATE (self)->scheduler;
}

guint
procfun_process_executor_get_default_processes (ProcfunProcessExecutor *self)
{
  return PRIVATE (self)->default_processes;
}

void
procfun_process_executor_add_preload (ProcfunProcessExecutor *self, ProcfunFunction *function,
                                      GVariant *args)
{
  procfun_executor_check_process (PROCFUN_EXECUTOR (self));
  scheduler_add_preload (PRIVATE (self)->scheduler, function,
                         args != NULL ? args : g_variant_new_tuple (NULL, 0));
}

/* The object */

static void
procfun_process_executor_dispose (GObject *object)
{
  procfun_executor_check_process (PROCFUN_EXECUTOR (object));
  if (PRIVATE (PROCFUN_PROCESS_EXECUTOR (object))->scheduler != NULL)
    scheduler_clear (PRIVATE (PROCFUN_PROCESS_EXECUTOR (object))->scheduler);

  G_OBJECT_CLASS (procfun_process_executor_parent_class)->dispose (object);
}

static void
procfun_process_executor_finalize (GObject *object)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (PROCFUN_PROCESS_EXECUTOR (object));

  g_clear_object (&priv->codec);
  g_clear_pointer (&priv->shared, preparation_release);
  g_clear_object (&priv->launch_context);
  executor_sandbox_clear (&priv->sandbox);
  g_clear_pointer (&priv->scheduler, scheduler_unref);
  g_mutex_clear (&priv->lock);

  G_OBJECT_CLASS (procfun_process_executor_parent_class)->finalize (object);
}

static void
procfun_process_executor_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ProcfunProcessExecutor *self = PROCFUN_PROCESS_EXECUTOR (object);

  switch (id)
    {
    case PROP_CODEC:
      g_value_set_object (value, procfun_process_executor_get_codec (self));
      break;
    case PROP_MAX_PAYLOAD:
      g_value_set_uint64 (value, procfun_process_executor_get_max_payload (self));
      break;
    case PROP_LAUNCH_CONTEXT:
      g_value_set_object (value, procfun_process_executor_get_launch_context (self));
      break;
    case PROP_MAX_PROCESSES:
      g_value_set_uint (value, procfun_process_executor_get_max_processes (self));
      break;
    case PROP_MAX_QUEUE_CALLS:
      g_value_set_uint (value, procfun_process_executor_get_max_queue_calls (self));
      break;
    case PROP_SANDBOX:
      g_value_set_enum (value, (gint)procfun_process_executor_get_sandbox (self));
      break;
    case PROP_SANDBOX_RULES:
      g_value_set_boxed (value, procfun_process_executor_get_sandbox_rules (self));
      break;
    case PROP_MAX_QUEUE_BYTES:
      g_value_set_uint64 (value, procfun_process_executor_get_max_queue_bytes (self));
      break;
    case PROP_HAS_QUEUE:
      g_value_set_boolean (value, procfun_process_executor_get_has_queue (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_process_executor_set_property (GObject *object, guint id, const GValue *value,
                                       GParamSpec *pspec)
{
  ProcfunProcessExecutor *self = PROCFUN_PROCESS_EXECUTOR (object);

  switch (id)
    {
    case PROP_CODEC:
      procfun_process_executor_set_codec (self, g_value_get_object (value));
      break;
    case PROP_MAX_PAYLOAD:
      procfun_process_executor_set_max_payload (self, g_value_get_uint64 (value));
      break;
    case PROP_LAUNCH_CONTEXT:
      procfun_process_executor_set_launch_context (self, g_value_get_object (value));
      break;
    case PROP_MAX_PROCESSES:
      procfun_process_executor_set_max_processes (self, g_value_get_uint (value));
      break;
    case PROP_MAX_QUEUE_CALLS:
      procfun_process_executor_set_max_queue_calls (self, g_value_get_uint (value));
      break;
    case PROP_SANDBOX:
      procfun_process_executor_set_sandbox (self, (ProcfunSandbox)g_value_get_enum (value));
      break;
    case PROP_SANDBOX_RULES:
      procfun_process_executor_set_sandbox_rules (self, g_value_get_boxed (value));
      break;
    case PROP_MAX_QUEUE_BYTES:
      procfun_process_executor_set_max_queue_bytes (self, g_value_get_uint64 (value));
      break;
    case PROP_HAS_QUEUE:
      procfun_process_executor_set_has_queue (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

/* (transfer none) */
static ProcfunCodec *
get_default_codec (ProcfunProcessExecutor *self)
{
  const char *wanted = environment_get ("PROCFUN_CODEC");
  ProcfunCodec *codec = wanted != NULL ? procfun_codec_lookup (wanted) : NULL;

  if (codec != NULL)
    return codec;
  codec = PROCFUN_PROCESS_EXECUTOR_GET_CLASS (self)->get_default_codec ();
  if (wanted != NULL)
    g_warning ("PROCFUN_CODEC=%s: there is no such codec; “%s” is used", wanted,
               procfun_codec_get_name (codec));
  return codec;
}

static void
procfun_process_executor_constructed (GObject *object)
{
  ProcfunProcessExecutor *self = PROCFUN_PROCESS_EXECUTOR (object);
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);

  if (priv->codec == NULL)
    priv->codec = g_object_ref (get_default_codec (self));
  priv->is_codec_chosen = priv->is_codec_chosen || environment_get ("PROCFUN_CODEC") != NULL;

  G_OBJECT_CLASS (procfun_process_executor_parent_class)->constructed (object);
}

static void
make_properties (GParamFlags flags)
{
  /**
   * ProcfunProcessExecutor:codec:
   *
   * How values are written for the other process. What the variable `PROCFUN_CODEC` of the
   * environment names; else JSON where a process is executed for each call, so that it can be
   * looked at, and the binary form of #GVariant where processes are forked or kept, or where a
   * call has arguments of 64 KiB or more, or its function returns bytes.
   *
   * Since: 0.1
   */
  props[PROP_CODEC] = g_param_spec_object ("codec", NULL, NULL, PROCFUN_TYPE_CODEC, flags);
  /**
   * ProcfunProcessExecutor:max-payload:
   *
   * Number of bytes that the encoded arguments may take, and likewise the encoded result. It is
   * checked before memory is allocated. The contents of each #ProcfunBuffer count as arguments;
   * that they come back with the result does not count.
   *
   * Since: 0.1
   */
  props[PROP_MAX_PAYLOAD] = g_param_spec_uint64 ("max-payload", NULL, NULL, 1, G_MAXINT64,
                                                 CHANNEL_DEFAULT_LIMIT, flags);
  /**
   * ProcfunProcessExecutor:launch-context:
   *
   * The launch context of processes whose calls set none.
   *
   * Since: 0.1
   */
  props[PROP_LAUNCH_CONTEXT]
      = g_param_spec_object ("launch-context", NULL, NULL, PROCFUN_TYPE_LAUNCH_CONTEXT, flags);
}

static void
make_sandbox_properties (GParamFlags flags)
{
  /**
   * ProcfunProcessExecutor:sandbox:
   *
   * The sandbox of calls that set none. Processes that are kept are shut in once, after the
   * initializer of their #ProcfunPool and before their first call.
   *
   * Since: 0.1
   */
  props[PROP_SANDBOX] = g_param_spec_enum ("sandbox", NULL, NULL, PROCFUN_TYPE_SANDBOX,
                                           PROCFUN_SANDBOX_NONE, flags);
  /**
   * ProcfunProcessExecutor:sandbox-rules:
   *
   * The folders that the sandbox leaves, and whether it must be whole, for calls that set no rules.
   *
   * Since: 0.1
   */
  props[PROP_SANDBOX_RULES]
      = g_param_spec_boxed ("sandbox-rules", NULL, NULL, PROCFUN_TYPE_SANDBOX_RULES, flags);
}

static void
make_bounds (GParamFlags flags)
{
  /**
   * ProcfunProcessExecutor:max-processes:
   *
   * Number of calls that may have a process at once; the others wait in a queue, the more urgent
   * ones first (#ProcfunCall:priority). 0 stands for the default: for #ProcfunPool, whose
   * #ProcfunPool:max-workers this is, the number of CPUs that the program may use, and otherwise
   * two for each, and four at least. So the CPUs have work while some processes start or end, the
   * program's own main loop gets a CPU soon, and memory and descriptors are enough for any number
   * of calls. Set more for functions that mostly wait, for example for a network.
   *
   * A generator has its process from its first item to its end. Functions that wait for each other,
   * for example through pipes, need as many processes as there are of them.
   *
   * A blocking call does not wait for calls that only its own thread can bring to an end: it has a
   * process beyond this number then, or fails with %PROCFUN_ERROR_NESTED on a #ProcfunPool.
   *
   * When the machine has no room for another process, a call waits for another one of the executor
   * to end, and fails only if none runs.
   *
   * Since: 0.1
   */
  props[PROP_MAX_PROCESSES]
      = g_param_spec_uint ("max-processes", NULL, NULL, 0, G_MAXINT, 0, flags);
  /**
   * ProcfunProcessExecutor:max-queue-calls:
   *
   * Number of calls that may wait for a process before procfun_process_executor_submit() waits and
   * procfun_process_executor_try_submit() refuses; 0: any number.
   *
   * Since: 0.1
   */
  props[PROP_MAX_QUEUE_CALLS]
      = g_param_spec_uint ("max-queue-calls", NULL, NULL, 0, G_MAXUINT, 0, flags);
  /**
   * ProcfunProcessExecutor:max-queue-bytes:
   *
   * Number of bytes that the arguments of waiting calls may take before
   * procfun_process_executor_submit() waits and procfun_process_executor_try_submit() refuses; 0:
   * any number.
   *
   * Since: 0.1
   */
  props[PROP_MAX_QUEUE_BYTES]
      = g_param_spec_uint64 ("max-queue-bytes", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /**
   * ProcfunProcessExecutor:has-queue:
   *
   * Whether calls wait while no process is free. Where they do not, such a call fails with
   * %PROCFUN_ERROR_BUSY at once, and procfun_process_executor_submit() waits until one is free.
   *
   * Since: 0.1
   */
  props[PROP_HAS_QUEUE] = g_param_spec_boolean ("has-queue", NULL, NULL, TRUE, flags);
}

static void
procfun_process_executor_class_init (ProcfunProcessExecutorClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  object_class->constructed = procfun_process_executor_constructed;
  object_class->dispose = procfun_process_executor_dispose;
  object_class->finalize = procfun_process_executor_finalize;
  object_class->get_property = procfun_process_executor_get_property;
  object_class->set_property = procfun_process_executor_set_property;
  executor_class->run = process_run;
  executor_class->run_then = process_run_then;
  executor_class->next = procfun_process_executor_next;
  executor_class->next_async = procfun_process_executor_next_async;
  executor_class->close = procfun_process_executor_close;
  executor_class->close_async = procfun_process_executor_close_async;
  executor_class->close_progress = procfun_process_executor_close_progress;
  executor_class->end_calls = procfun_process_executor_end_calls;
  executor_class->begin_anew = procfun_process_executor_begin_anew;
  executor_class->describe = procfun_process_executor_describe;
  executor_class->get_capacity = procfun_process_executor_get_capacity;
  klass->get_default_codec = procfun_codec_get_gvariant;
  klass->start = slot_start;
  klass->start_async = slot_start_async;
  make_properties (flags);
  make_sandbox_properties (flags);
  make_bounds (flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
procfun_process_executor_init (ProcfunProcessExecutor *self)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);

  g_mutex_init (&priv->lock);
  priv->max_payload = CHANNEL_DEFAULT_LIMIT;
}

/**
 * procfun_process_executor_set_codec:
 * @self: a #ProcfunProcessExecutor
 * @codec: how values are written; a codec of the program's own must be registered in the child, too
 *
 * Sets #ProcfunProcessExecutor:codec. Calls that run are not affected.
 *
 * Since: 0.1
 */
void
procfun_process_executor_set_codec (ProcfunProcessExecutor *self, ProcfunCodec *codec)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);
  gboolean changed;

  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));
  g_return_if_fail (PROCFUN_IS_CODEC (codec));

  g_mutex_lock (&priv->lock);
  changed = g_set_object (&priv->codec, codec);
  priv->is_codec_chosen = TRUE;
  g_mutex_unlock (&priv->lock);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CODEC]);
}

/**
 * procfun_process_executor_get_codec:
 * @self: a #ProcfunProcessExecutor
 *
 * Gets #ProcfunProcessExecutor:codec.
 *
 * Returns: (transfer none): how values are written
 *
 * Since: 0.1
 */
ProcfunCodec *
procfun_process_executor_get_codec (ProcfunProcessExecutor *self)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);

  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), NULL);
  return priv->codec;
}

/**
 * procfun_process_executor_set_max_payload:
 * @self: a #ProcfunProcessExecutor
 * @bytes: how many bytes arguments, and a result, may take; at least 1
 *
 * Sets #ProcfunProcessExecutor:max-payload. Calls that run are not affected.
 *
 * Since: 0.1
 */
void
procfun_process_executor_set_max_payload (ProcfunProcessExecutor *self, guint64 bytes)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);
  gboolean changed;

  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));
  g_return_if_fail (bytes >= 1 && bytes <= G_MAXINT64);

  g_mutex_lock (&priv->lock);
  changed = priv->max_payload != bytes;
  priv->max_payload = bytes;
  g_mutex_unlock (&priv->lock);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MAX_PAYLOAD]);
}

/**
 * procfun_process_executor_get_max_payload:
 * @self: a #ProcfunProcessExecutor
 *
 * Gets #ProcfunProcessExecutor:max-payload.
 *
 * Returns: a number of bytes
 *
 * Since: 0.1
 */
guint64
procfun_process_executor_get_max_payload (ProcfunProcessExecutor *self)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);

  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), 0);
  return priv->max_payload;
}

/**
 * procfun_process_executor_set_launch_context:
 * @self: a #ProcfunProcessExecutor
 * @context: (nullable): the launch context of processes whose calls set none, or %NULL for those of
 * the caller
 *
 * Sets #ProcfunProcessExecutor:launch-context. Calls that run are not affected.
 *
 * Since: 0.1
 */
void
procfun_process_executor_set_launch_context (ProcfunProcessExecutor *self,
                                             ProcfunLaunchContext *context)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);
  gboolean changed;

  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));
  g_return_if_fail (context == NULL || PROCFUN_IS_LAUNCH_CONTEXT (context));

  g_mutex_lock (&priv->lock);
  changed = g_set_object (&priv->launch_context, context);
  g_mutex_unlock (&priv->lock);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_LAUNCH_CONTEXT]);
}

/**
 * procfun_process_executor_get_launch_context:
 * @self: a #ProcfunProcessExecutor
 *
 * Gets #ProcfunProcessExecutor:launch-context.
 *
 * Returns: (transfer none) (nullable): the launch context, or %NULL for those of the caller
 *
 * Since: 0.1
 */
ProcfunLaunchContext *
procfun_process_executor_get_launch_context (ProcfunProcessExecutor *self)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);

  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), NULL);
  return priv->launch_context;
}

/* Workers that are there already have another one. */
static void
set_sandbox (ProcfunProcessExecutor *self, ProcfunSandbox sandbox, ProcfunSandboxRules *rules)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);

  g_mutex_lock (&priv->lock);
  executor_sandbox_set (&priv->sandbox, sandbox, rules);
  g_mutex_unlock (&priv->lock);
  if (priv->scheduler != NULL && priv->scheduler->keeps)
    procfun_process_executor_renew (self);
}

void
procfun_process_executor_share_sandbox (ProcfunProcessExecutor *self, ProcfunProcessExecutor *other)
{
  ProcfunProcessExecutorPrivate *from = PRIVATE (other);

  g_mutex_lock (&from->lock);
  executor_sandbox_copy (&PRIVATE (self)->sandbox, &from->sandbox);
  g_mutex_unlock (&from->lock);
}

/**
 * procfun_process_executor_set_sandbox:
 * @self: a #ProcfunProcessExecutor
 * @sandbox: what functions can reach
 *
 * Sets #ProcfunProcessExecutor:sandbox. Calls that run are not affected. A pool starts other
 * workers, and a #ProcfunSession keeps what its worker has.
 *
 * Since: 0.1
 */
void
procfun_process_executor_set_sandbox (ProcfunProcessExecutor *self, ProcfunSandbox sandbox)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);

  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));
  g_return_if_fail (sandbox <= PROCFUN_SANDBOX_PURE_COMPUTE);

  if (priv->sandbox.level == sandbox)
    return;
  set_sandbox (self, sandbox, priv->sandbox.rules);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_SANDBOX]);
}

/**
 * procfun_process_executor_get_sandbox:
 * @self: a #ProcfunProcessExecutor
 *
 * Gets #ProcfunProcessExecutor:sandbox.
 *
 * Returns: what functions can reach
 *
 * Since: 0.1
 */
ProcfunSandbox
procfun_process_executor_get_sandbox (ProcfunProcessExecutor *self)
{
  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), PROCFUN_SANDBOX_NONE);

  return PRIVATE (self)->sandbox.level;
}

/**
 * procfun_process_executor_set_sandbox_rules:
 * @self: a #ProcfunProcessExecutor
 * @rules: (nullable): what the sandbox leaves, or %NULL for nothing; copied
 *
 * Sets #ProcfunProcessExecutor:sandbox-rules. Calls that run are not affected. A pool starts other
 * workers.
 *
 * Since: 0.1
 */
void
procfun_process_executor_set_sandbox_rules (ProcfunProcessExecutor *self,
                                            const ProcfunSandboxRules *rules)
{
  ProcfunProcessExecutorPrivate *priv = PRIVATE (self);

  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));

  if (rules == NULL && priv->sandbox.rules == NULL)
    return;
  set_sandbox (self, priv->sandbox.level,
               rules != NULL ? procfun_sandbox_rules_copy (rules) : NULL);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_SANDBOX_RULES]);
}

/**
 * procfun_process_executor_get_sandbox_rules:
 * @self: a #ProcfunProcessExecutor
 *
 * Gets #ProcfunProcessExecutor:sandbox-rules.
 *
 * Returns: (transfer none) (nullable): what the sandbox leaves, or %NULL for nothing
 *
 * Since: 0.1
 */
const ProcfunSandboxRules *
procfun_process_executor_get_sandbox_rules (ProcfunProcessExecutor *self)
{
  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), NULL);

  return PRIVATE (self)->sandbox.rules;
}

/**
 * procfun_process_executor_renew:
 * @self: a #ProcfunProcessExecutor
 *
 * Gives up the processes that the executor keeps, so that each call from now on has one that is
 * started, or forked from one that is started, after this. Calls that run are not affected; their
 * processes end with them. A #ProcfunSession is for one process, and can be used no more after its
 * pool was renewed.
 *
 * A process inherits much from the program when it is started, and has it for as long as it is
 * kept. Where the program has changed one of the following, the executor notices it by itself
 * before the next call, and this function need not be called: real, effective and saved user and
 * group, working directory, root, mount namespace; and after a fork() both processes go on with
 * processes of their own. Supplementary groups, effective, permitted and inheritable capabilities,
 * no_new_privs, the mode of seccomp, and the user, network and pid namespaces are looked at once in
 * a millisecond, and so is what a program without capabilities does in a new user namespace; up to
 * 100 ms in which the thread waited for its calls do not count. Where a call must see the change
 * that was made just before, also by another thread, call this function in between. What is never
 * looked at is the environment, resource limits, the umask, signals, scheduling, further filters of
 * seccomp, the bounding and ambient sets of capabilities, securebits, other namespaces, and the
 * rules of a security module: after a change of these that calls are to see, call this function.
 *
 * Since: 0.1
 */
void
procfun_process_executor_renew (ProcfunProcessExecutor *self)
{
  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));

  procfun_executor_check_process (PROCFUN_EXECUTOR (self));
  if (PRIVATE (self)->scheduler != NULL)
    scheduler_renew (PRIVATE (self)->scheduler);
}
