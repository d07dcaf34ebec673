/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-spawner.h"

#include "procfun/backend/exchange-drive.h"
#include "procfun/backend/item-stream.h"
#include "procfun/backend/launch.h"
#include "procfun/platform/environment.h"
#include "procfun/platform/fds.h"
#include "procfun/procfun-call-private.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/channel.h"

/**
 * SECTION:procfun-spawner
 * @title: ProcfunSpawner
 * @short_description: a fresh process for each call
 *
 * Runs each call in a process that is executed for it: the program itself, which runs the function
 * before its main(), or for functions in shared libraries the helper `procfun-worker`. Nothing of
 * the caller's memory is there, and nothing of the call is left when it has ended.
 *
 * A fresh process costs a few milliseconds, whatever the size of the program that calls.
 *
 * Besides the function's own error, calls fail with %PROCFUN_ERROR_SPAWN when no process can be
 * started, %PROCFUN_ERROR_NOT_FOUND and %PROCFUN_ERROR_MISMATCH when the process is not of the
 * caller's build, %PROCFUN_ERROR_ENCODE, %PROCFUN_ERROR_DECODE and %PROCFUN_ERROR_LIMIT for values,
 * %PROCFUN_ERROR_CRASHED, %PROCFUN_ERROR_EXITED and %PROCFUN_ERROR_KILLED when the process ended
 * without a result, %PROCFUN_ERROR_PROTOCOL, %PROCFUN_ERROR_NESTED, %PROCFUN_ERROR_INVALID,
 * %PROCFUN_ERROR_CLOSED, and %G_IO_ERROR_CANCELLED.
 */

/**
 * ProcfunSpawner:
 *
 * An executor with a fresh process for each call.
 *
 * Since: 0.1
 */
struct _ProcfunSpawner
{
  ProcfunExecutor parent_instance;

  GMutex lock; /* calls in other threads read what follows */
  ProcfunTransport transport;
  ProcfunCodec *codec;
  char **launcher; /* (nullable) */
  guint64 max_payload;
  ProcfunLaunchContext *launch_context; /* (nullable) */
};

G_DEFINE_FINAL_TYPE (ProcfunSpawner, procfun_spawner, PROCFUN_TYPE_EXECUTOR)

G_DEFINE_ENUM_TYPE (ProcfunTransport, procfun_transport,
                    G_DEFINE_ENUM_VALUE (PROCFUN_TRANSPORT_CHANNEL, "channel"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_TRANSPORT_ARGV, "argv"))

enum
{
  PROP_TRANSPORT = 1,
  PROP_CODEC,
  PROP_LAUNCHER,
  PROP_MAX_PAYLOAD,
  PROP_LAUNCH_CONTEXT,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

/* Starts the process and the exchange with it. */
static Exchange *
start (ProcfunSpawner *self, ProcfunCall *call, GError **error)
{
  g_autoptr (ProcfunCodec) codec = NULL;
  g_autoptr (ProcfunLaunchContext) context = NULL;
  g_autoptr (ProcfunLimits) limits = NULL;
  g_auto (GStrv) launcher = NULL;
  g_autoptr (GBytes) arguments = NULL;
  g_auto (Launched) launched = LAUNCHED_INIT;
  ExchangeOptions options = { NULL };
  g_autofree char *text = NULL;

  g_mutex_lock (&self->lock);
  options.arguments_on_command_line = self->transport == PROCFUN_TRANSPORT_ARGV;
  options.codec = codec
      = g_object_ref (options.arguments_on_command_line ? procfun_codec_get_json () : self->codec);
  options.max_payload = self->max_payload;
  launcher = g_strdupv (self->launcher);
  options.context = procfun_call_get_launch_context (call);
  if (options.context == NULL && self->launch_context != NULL)
    options.context = context = g_object_ref (self->launch_context);
  g_mutex_unlock (&self->lock);

  arguments = exchange_encode_arguments (call, &options, error);
  if (arguments == NULL)
    return NULL;
  if (options.arguments_on_command_line)
    text = g_strndup (g_bytes_get_data (arguments, NULL), g_bytes_get_size (arguments));
  if (!launch (&launched, procfun_call_get_function (call), (const char *const *)launcher, text,
               procfun_call_get_limits (call), error))
    return NULL;
  if (procfun_call_get_limits (call) != NULL)
    options.limits = limits = procfun_limits_copy (procfun_call_get_limits (call));
  if (launched.cgroup != NULL && cgroup_limits_processes (launched.cgroup))
    procfun_limits_set_processes (limits, 0);
  return exchange_new (call, &launched, &options, arguments);
}

static GVariant *
procfun_spawner_run (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                     GError **error)
{
  g_autoptr (Exchange) exchange = start (PROCFUN_SPAWNER (executor), call, error);

  return exchange != NULL ? exchange_run (exchange, cancellable, error) : NULL;
}

static void
procfun_spawner_run_async (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (executor, NULL, callback, user_data);
  GError *error = NULL;
  Exchange *exchange = start (PROCFUN_SPAWNER (executor), call, &error);

  if (exchange != NULL)
    exchange_run_async (exchange, cancellable, g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

static GVariant *
procfun_spawner_run_finish (ProcfunExecutor *executor, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* The first item starts the call. */
static ItemStream *
get_stream (ProcfunSpawner *self, ProcfunCall *call, GCancellable *cancellable, GError **error)
{
  ItemStream *stream = procfun_call_get_stream (call);
  Exchange *exchange;

  if (stream != NULL)
    return stream;
  exchange = start (self, call, error);
  if (exchange == NULL)
    return NULL;
  stream = item_stream_new (exchange, cancellable);
  procfun_call_take_stream (call, stream, item_stream_free);
  return stream;
}

static GVariant *
procfun_spawner_next (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                      GError **error)
{
  ItemStream *stream = get_stream (PROCFUN_SPAWNER (executor), call, cancellable, error);

  return stream != NULL ? item_stream_next (stream, error) : NULL;
}

static void
procfun_spawner_next_async (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (executor, NULL, callback, user_data);
  GError *error = NULL;
  ItemStream *stream = get_stream (PROCFUN_SPAWNER (executor), call, cancellable, &error);

  if (stream != NULL)
    item_stream_next_async (stream, g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

static void
procfun_spawner_finalize (GObject *object)
{
  ProcfunSpawner *self = PROCFUN_SPAWNER (object);

  g_clear_object (&self->codec);
  g_clear_object (&self->launch_context);
  g_strfreev (self->launcher);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (procfun_spawner_parent_class)->finalize (object);
}

static void
procfun_spawner_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ProcfunSpawner *self = PROCFUN_SPAWNER (object);

  switch (id)
    {
    case PROP_TRANSPORT:
      g_value_set_enum (value, (gint)procfun_spawner_get_transport (self));
      break;
    case PROP_CODEC:
      g_value_set_object (value, procfun_spawner_get_codec (self));
      break;
    case PROP_LAUNCHER:
      g_value_set_boxed (value, procfun_spawner_get_launcher (self));
      break;
    case PROP_MAX_PAYLOAD:
      g_value_set_uint64 (value, procfun_spawner_get_max_payload (self));
      break;
    case PROP_LAUNCH_CONTEXT:
      g_value_set_object (value, procfun_spawner_get_launch_context (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_spawner_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  ProcfunSpawner *self = PROCFUN_SPAWNER (object);

  switch (id)
    {
    case PROP_TRANSPORT:
      procfun_spawner_set_transport (self, (ProcfunTransport)g_value_get_enum (value));
      break;
    case PROP_CODEC:
      procfun_spawner_set_codec (self, g_value_get_object (value));
      break;
    case PROP_LAUNCHER:
      procfun_spawner_set_launcher (self, g_value_get_boxed (value));
      break;
    case PROP_MAX_PAYLOAD:
      procfun_spawner_set_max_payload (self, g_value_get_uint64 (value));
      break;
    case PROP_LAUNCH_CONTEXT:
      procfun_spawner_set_launch_context (self, g_value_get_object (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_spawner_class_init (ProcfunSpawnerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->finalize = procfun_spawner_finalize;
  object_class->get_property = procfun_spawner_get_property;
  object_class->set_property = procfun_spawner_set_property;
  executor_class->run = procfun_spawner_run;
  executor_class->run_async = procfun_spawner_run_async;
  executor_class->run_finish = procfun_spawner_run_finish;
  executor_class->next = procfun_spawner_next;
  executor_class->next_async = procfun_spawner_next_async;
  executor_class->next_finish = procfun_spawner_run_finish;

  /**
   * ProcfunSpawner:transport:
   *
   * How the arguments reach the process.
   *
   * Since: 0.1
   */
  props[PROP_TRANSPORT] = g_param_spec_enum ("transport", NULL, NULL, PROCFUN_TYPE_TRANSPORT,
                                             PROCFUN_TRANSPORT_CHANNEL, flags);
  /**
   * ProcfunSpawner:codec:
   *
   * How values are written for the other process: JSON by default, so that they can be looked at,
   * or what the variable `PROCFUN_CODEC` of the environment names.
   *
   * Since: 0.1
   */
  props[PROP_CODEC] = g_param_spec_object ("codec", NULL, NULL, PROCFUN_TYPE_CODEC, flags);
  /**
   * ProcfunSpawner:launcher:
   *
   * A command that executes the command that follows it, and leaves descriptors open, like `nice`,
   * `-n`, `10`; or %NULL.
   *
   * Since: 0.1
   */
  props[PROP_LAUNCHER] = g_param_spec_boxed ("launcher", NULL, NULL, G_TYPE_STRV, flags);
  /**
   * ProcfunSpawner:max-payload:
   *
   * How many bytes the encoded arguments, and the encoded result, may take. Checked before memory
   * is allocated.
   *
   * Since: 0.1
   */
  props[PROP_MAX_PAYLOAD] = g_param_spec_uint64 ("max-payload", NULL, NULL, 1, G_MAXINT64,
                                                 CHANNEL_DEFAULT_LIMIT, flags);
  /**
   * ProcfunSpawner:launch-context:
   *
   * The surroundings of processes whose calls set none.
   *
   * Since: 0.1
   */
  props[PROP_LAUNCH_CONTEXT]
      = g_param_spec_object ("launch-context", NULL, NULL, PROCFUN_TYPE_LAUNCH_CONTEXT, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

/* (transfer none) */
static ProcfunCodec *
get_default_codec (void)
{
  const char *wanted = environment_get ("PROCFUN_CODEC");
  ProcfunCodec *codec = wanted != NULL ? procfun_codec_lookup (wanted) : NULL;

  if (wanted != NULL && codec == NULL)
    g_warning ("PROCFUN_CODEC=%s: there is no such codec; “json” is used", wanted);
  return codec != NULL ? codec : procfun_codec_get_json ();
}

static void
procfun_spawner_init (ProcfunSpawner *self)
{
  g_mutex_init (&self->lock);
  self->codec = g_object_ref (get_default_codec ());
  self->max_payload = CHANNEL_DEFAULT_LIMIT;
}

/**
 * procfun_spawner_new:
 *
 * Makes an executor with a fresh process for each call.
 *
 * Returns: (transfer full): a new #ProcfunSpawner
 *
 * Since: 0.1
 */
ProcfunExecutor *
procfun_spawner_new (void)
{
  return g_object_new (PROCFUN_TYPE_SPAWNER, NULL);
}

/**
 * procfun_spawner_set_transport:
 * @self: a #ProcfunSpawner
 * @transport: how arguments reach the process
 *
 * Sets #ProcfunSpawner:transport. Calls that run are not affected.
 *
 * Since: 0.1
 */
void
procfun_spawner_set_transport (ProcfunSpawner *self, ProcfunTransport transport)
{
  g_return_if_fail (PROCFUN_IS_SPAWNER (self));

  if (self->transport == transport)
    return;
  g_mutex_lock (&self->lock);
  self->transport = transport;
  g_mutex_unlock (&self->lock);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_TRANSPORT]);
}

/**
 * procfun_spawner_get_transport:
 * @self: a #ProcfunSpawner
 *
 * Gets #ProcfunSpawner:transport.
 *
 * Returns: how arguments reach the process
 *
 * Since: 0.1
 */
ProcfunTransport
procfun_spawner_get_transport (ProcfunSpawner *self)
{
  g_return_val_if_fail (PROCFUN_IS_SPAWNER (self), PROCFUN_TRANSPORT_CHANNEL);
  return self->transport;
}

/**
 * procfun_spawner_set_codec:
 * @self: a #ProcfunSpawner
 * @codec: how values are written; a codec of the program's own must be registered in the child, too
 *
 * Sets #ProcfunSpawner:codec. Calls that run are not affected.
 *
 * Since: 0.1
 */
void
procfun_spawner_set_codec (ProcfunSpawner *self, ProcfunCodec *codec)
{
  gboolean changed;

  g_return_if_fail (PROCFUN_IS_SPAWNER (self));
  g_return_if_fail (PROCFUN_IS_CODEC (codec));

  g_mutex_lock (&self->lock);
  changed = g_set_object (&self->codec, codec);
  g_mutex_unlock (&self->lock);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CODEC]);
}

/**
 * procfun_spawner_get_codec:
 * @self: a #ProcfunSpawner
 *
 * Gets #ProcfunSpawner:codec.
 *
 * Returns: (transfer none): how values are written
 *
 * Since: 0.1
 */
ProcfunCodec *
procfun_spawner_get_codec (ProcfunSpawner *self)
{
  g_return_val_if_fail (PROCFUN_IS_SPAWNER (self), NULL);
  return self->codec;
}

/**
 * procfun_spawner_set_launcher:
 * @self: a #ProcfunSpawner
 * @launcher: (nullable) (array zero-terminated=1): a command that executes the command that follows
 * it
 *
 * Sets #ProcfunSpawner:launcher. Calls that run are not affected.
 *
 * Since: 0.1
 */
void
procfun_spawner_set_launcher (ProcfunSpawner *self, const char *const *launcher)
{
  char **before;

  g_return_if_fail (PROCFUN_IS_SPAWNER (self));

  before = self->launcher;
  if (before == NULL || launcher == NULL ? before == (char **)launcher
                                         : g_strv_equal ((const char *const *)before, launcher))
    return;
  g_mutex_lock (&self->lock);
  self->launcher = g_strdupv ((char **)launcher);
  g_mutex_unlock (&self->lock);
  g_strfreev (before);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_LAUNCHER]);
}

/**
 * procfun_spawner_get_launcher:
 * @self: a #ProcfunSpawner
 *
 * Gets #ProcfunSpawner:launcher.
 *
 * Returns: (transfer none) (nullable) (array zero-terminated=1): the command, or %NULL
 *
 * Since: 0.1
 */
const char *const *
procfun_spawner_get_launcher (ProcfunSpawner *self)
{
  g_return_val_if_fail (PROCFUN_IS_SPAWNER (self), NULL);
  return (const char *const *)self->launcher;
}

/**
 * procfun_spawner_set_max_payload:
 * @self: a #ProcfunSpawner
 * @bytes: how many bytes arguments, and a result, may take; at least 1
 *
 * Sets #ProcfunSpawner:max-payload. Calls that run are not affected.
 *
 * Since: 0.1
 */
void
procfun_spawner_set_max_payload (ProcfunSpawner *self, guint64 bytes)
{
  g_return_if_fail (PROCFUN_IS_SPAWNER (self));
  g_return_if_fail (bytes >= 1 && bytes <= G_MAXINT64);

  if (self->max_payload == bytes)
    return;
  g_mutex_lock (&self->lock);
  self->max_payload = bytes;
  g_mutex_unlock (&self->lock);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_MAX_PAYLOAD]);
}

/**
 * procfun_spawner_get_max_payload:
 * @self: a #ProcfunSpawner
 *
 * Gets #ProcfunSpawner:max-payload.
 *
 * Returns: a number of bytes
 *
 * Since: 0.1
 */
guint64
procfun_spawner_get_max_payload (ProcfunSpawner *self)
{
  g_return_val_if_fail (PROCFUN_IS_SPAWNER (self), 0);
  return self->max_payload;
}

/**
 * procfun_spawner_set_launch_context:
 * @self: a #ProcfunSpawner
 * @context: (nullable): the surroundings of processes whose calls set none, or %NULL for those of
 * the caller
 *
 * Sets #ProcfunSpawner:launch-context. Calls that run are not affected.
 *
 * Since: 0.1
 */
void
procfun_spawner_set_launch_context (ProcfunSpawner *self, ProcfunLaunchContext *context)
{
  gboolean changed;

  g_return_if_fail (PROCFUN_IS_SPAWNER (self));
  g_return_if_fail (context == NULL || PROCFUN_IS_LAUNCH_CONTEXT (context));

  g_mutex_lock (&self->lock);
  changed = g_set_object (&self->launch_context, context);
  g_mutex_unlock (&self->lock);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_LAUNCH_CONTEXT]);
}

/**
 * procfun_spawner_get_launch_context:
 * @self: a #ProcfunSpawner
 *
 * Gets #ProcfunSpawner:launch-context.
 *
 * Returns: (transfer none) (nullable): the surroundings, or %NULL for those of the caller
 *
 * Since: 0.1
 */
ProcfunLaunchContext *
procfun_spawner_get_launch_context (ProcfunSpawner *self)
{
  g_return_val_if_fail (PROCFUN_IS_SPAWNER (self), NULL);
  return self->launch_context;
}
