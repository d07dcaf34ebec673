/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-spawner.h"

#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/executors/process-executor.h"
#include "procfun/platform/cpus.h"
#include "procfun/process/launch.h"

/**
 * SECTION:procfun-spawner
 * @title: ProcfunSpawner
 * @short_description: a fresh process for each call
 *
 * An executor with a fresh process for each call.
 */

/**
 * ProcfunSpawner:
 *
 * An executor with a fresh process for each call.
 *
 * Runs each call in a process that is executed for it: the program itself, which runs the function
 * before its main(), or for functions in shared libraries the helper `procfun-worker`. Nothing of
 * the caller's memory is there, and nothing of the call is left when it has ended.
 *
 * A fresh process costs a few milliseconds, whatever the size of the program that calls.
 * #ProcfunForkServer is faster, where each call need not have an address space of its own.
 *
 * Since: 0.1
 */
struct _ProcfunSpawner
{
  ProcfunProcessExecutor parent_instance;

  GMutex lock; /* calls in other threads read what follows */
  ProcfunTransport transport;
  char **launcher; /* (nullable) */
};

G_DEFINE_FINAL_TYPE (ProcfunSpawner, procfun_spawner, PROCFUN_TYPE_PROCESS_EXECUTOR)

G_DEFINE_ENUM_TYPE (ProcfunTransport, procfun_transport,
                    G_DEFINE_ENUM_VALUE (PROCFUN_TRANSPORT_CHANNEL, "channel"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_TRANSPORT_ARGV, "argv"))

enum
{
  PROP_TRANSPORT = 1,
  PROP_LAUNCHER,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

/* As text these take four thirds of their size, and many times their time. */
#define LARGE_ARGUMENTS ((gsize)64 * 1024)

static gboolean
carries_much (ProcfunCall *call)
{
  GBytes *packed = procfun_call_get_packed_arguments (call);
  const GVariantType *type = procfun_schema_get_variant_type (
      procfun_function_get_return_schema (procfun_call_peek_function (call)));
  gsize size = packed != NULL ? g_bytes_get_size (packed)
                              : g_variant_get_size (procfun_call_get_arguments (call));

  return size >= LARGE_ARGUMENTS
         || g_strstr_len (g_variant_type_peek_string (type),
                          (gssize)g_variant_type_get_string_length (type), "ay")
                != NULL;
}

/* (nullable): the executor's. */
static ProcfunCodec *
choose_codec (ProcfunProcessExecutor *executor, ProcfunCall *call, gboolean by_argv)
{
  if (by_argv)
    return procfun_codec_get_json ();
  if (!procfun_process_executor_is_codec_chosen (executor) && carries_much (call))
    return procfun_codec_get_gvariant ();
  return NULL;
}

static gboolean
procfun_spawner_prepare (ProcfunProcessExecutor *executor, ProcfunCall *call, gpointer preparation,
                         GError **error)
{
  ProcfunSpawner *self = PROCFUN_SPAWNER (executor);
  gboolean by_argv;

  g_mutex_lock (&self->lock);
  by_argv = self->transport == PROCFUN_TRANSPORT_ARGV;
  g_mutex_unlock (&self->lock);
  ((Preparation *)preparation)->options.arguments_on_command_line = by_argv;
  return procfun_process_executor_prepare (executor, call, choose_codec (executor, call, by_argv),
                                           preparation, error);
}

static gboolean
execute (ProcfunExecutor *executor, const SlotRequest *request, Worker *worker, GError **error)
{
  ProcfunSpawner *self = PROCFUN_SPAWNER (executor);
  g_auto (GStrv) launcher = NULL;
  g_autofree char *text = NULL;

  g_mutex_lock (&self->lock);
  launcher = g_strdupv (self->launcher);
  g_mutex_unlock (&self->lock);
  if (request->options->arguments_on_command_line)
    text = g_strndup (g_bytes_get_data (request->arguments, NULL),
                      g_bytes_get_size (request->arguments));
  return launch (worker, request->function, (const char *const *)launcher, text, error);
}

static void
procfun_spawner_finalize (GObject *object)
{
  ProcfunSpawner *self = PROCFUN_SPAWNER (object);

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
    case PROP_LAUNCHER:
      g_value_set_boxed (value, procfun_spawner_get_launcher (self));
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
    case PROP_LAUNCHER:
      procfun_spawner_set_launcher (self, g_value_get_boxed (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_spawner_class_init (ProcfunSpawnerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  ProcfunProcessExecutorClass *executor_class = PROCFUN_PROCESS_EXECUTOR_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->finalize = procfun_spawner_finalize;
  object_class->get_property = procfun_spawner_get_property;
  object_class->set_property = procfun_spawner_set_property;
  executor_class->get_default_codec = procfun_codec_get_json;
  executor_class->prepare = procfun_spawner_prepare;

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
   * ProcfunSpawner:launcher:
   *
   * A command that executes the command that follows it, and leaves descriptors open, like `nice`,
   * `-n`, `10`; or %NULL.
   *
   * Since: 0.1
   */
  props[PROP_LAUNCHER] = g_param_spec_boxed ("launcher", NULL, NULL, G_TYPE_STRV, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
procfun_spawner_init (ProcfunSpawner *self)
{
  Scheduler *scheduler = scheduler_new (PROCFUN_EXECUTOR (self), FALSE, execute);

  g_mutex_init (&self->lock);
  procfun_process_executor_take_scheduler (PROCFUN_PROCESS_EXECUTOR (self), scheduler,
                                           PROCESS_EXECUTOR_DEFAULT_PROCESSES);
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
ProcfunSpawner *
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
