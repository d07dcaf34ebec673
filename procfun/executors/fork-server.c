/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-fork-server.h"

#include "procfun/executors/process-executor.h"
#include "procfun/process/zygotes.h"

/**
 * SECTION:procfun-fork-server
 * @title: ProcfunForkServer
 * @short_description: a forked process for each call
 *
 * Runs each call in a process of its own that is forked from a small one, the zygote. That one is
 * executed at the first call, as #ProcfunSpawner executes a process for each; it has one thread,
 * and nothing of the memory of the program that calls. To fork it takes a fraction of a
 * millisecond, however large the program is.
 *
 * So calls share nothing with each other and leave nothing behind, not even processes with
 * sessions of their own; but all see what the zygote was when it was executed: memory as
 * constructors left it, the environment of the program at that time, its limits. When the program
 * changes what procfun_process_executor_renew() lists, there is a new zygote. There is one for each
 * module whose functions are called: the program, a shared library, a script.
 *
 * Where calls come often, processes are forked ahead (#ProcfunForkServer:spares): a call then costs
 * little more than two messages. Those that wait in vain end after
 * #ProcfunForkServer:idle-timeout, and the zygote when it has had none for as long again; the next
 * call starts another one.
 *
 * Where there can be no zygote, for example because the constructors of the program start threads
 * or open an eventfd, or where it does not answer, a process is executed for each call.
 *
 * When the zygote is killed, calls that run end with %PROCFUN_ERROR_WORKER_LOST, and the next one
 * starts a new one.
 */

/**
 * ProcfunForkServer:
 *
 * An executor with a forked process for each call.
 *
 * Since: 0.1
 */
struct _ProcfunForkServer
{
  ProcfunProcessExecutor parent_instance;

  Zygotes *zygotes;
  gint spares;
  gint idle; /* in ms */
};

G_DEFINE_FINAL_TYPE (ProcfunForkServer, procfun_fork_server, PROCFUN_TYPE_PROCESS_EXECUTOR)

#define DEFAULT_SPARES 4
#define DEFAULT_IDLE_MS 10000
#define TRIES_MAX 5

enum
{
  PROP_SPARES = 1,
  PROP_IDLE_TIMEOUT,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

/* A process that was forked ahead may end, because nobody has called for a while, in the moment in
 * which it is to be used. More than a few in a row do so for another cause. */
static gpointer
procfun_fork_server_start (ProcfunProcessExecutor *executor, ProcfunCall *call, GError **error)
{
  ProcfunForkServer *self = PROCFUN_FORK_SERVER (executor);
  ProcfunFunction *function = procfun_call_get_function (call);
  const Patience patience = { .call = call };
  g_auto (Preparation) preparation = PREPARATION_INIT;
  guint idle = (guint)g_atomic_int_get (&self->idle);

  if (!procfun_process_executor_prepare (executor, call, NULL, &preparation, error))
    return NULL;
  for (guint n_tries = 1;; n_tries++)
    {
      g_auto (Worker) worker = WORKER_INIT;
      Exchange *exchange;
      gboolean is_forked;

      if (!zygotes_fork (self->zygotes, function, &preparation.options, idle, &patience, &worker,
                         error))
        return NULL;
      worker.n_spares = (guint)g_atomic_int_get (&self->spares);
      worker.spare_idle = idle;
      is_forked = worker.parent != NULL;
      exchange = procfun_process_executor_begin (executor, call, &preparation, &worker, error);
      if (exchange == NULL || !is_forked)
        return exchange;
      if (n_tries >= TRIES_MAX || exchange_was_sent (exchange))
        {
          zygote_listen (exchange_get_worker (exchange)->parent);
          return exchange;
        }
      exchange_free (exchange);
    }
}

static void
procfun_fork_server_begin_anew (ProcfunExecutor *executor)
{
  PROCFUN_FORK_SERVER (executor)->zygotes = zygotes_new (); /* the parent's stay as they are */
}

static void
procfun_fork_server_renew (ProcfunProcessExecutor *executor)
{
  zygotes_renew (PROCFUN_FORK_SERVER (executor)->zygotes);
}

static gboolean
procfun_fork_server_close (ProcfunExecutor *executor, GCancellable *cancellable, GError **error)
{
  zygotes_clear (PROCFUN_FORK_SERVER (executor)->zygotes);
  return TRUE;
}

/* It takes no longer than a kill(). */
static void
procfun_fork_server_close_async (ProcfunExecutor *executor, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  procfun_fork_server_close (executor, NULL, NULL);
  PROCFUN_EXECUTOR_CLASS (procfun_fork_server_parent_class)
      ->close_async (executor, cancellable, callback, user_data);
}

static void
procfun_fork_server_finalize (GObject *object)
{
  zygotes_free (PROCFUN_FORK_SERVER (object)->zygotes);

  G_OBJECT_CLASS (procfun_fork_server_parent_class)->finalize (object);
}

static void
procfun_fork_server_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ProcfunForkServer *self = PROCFUN_FORK_SERVER (object);

  switch (id)
    {
    case PROP_SPARES:
      g_value_set_uint (value, procfun_fork_server_get_spares (self));
      break;
    case PROP_IDLE_TIMEOUT:
      g_value_set_int64 (value, procfun_fork_server_get_idle_timeout (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_fork_server_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  ProcfunForkServer *self = PROCFUN_FORK_SERVER (object);

  switch (id)
    {
    case PROP_SPARES:
      procfun_fork_server_set_spares (self, g_value_get_uint (value));
      break;
    case PROP_IDLE_TIMEOUT:
      procfun_fork_server_set_idle_timeout (self, g_value_get_int64 (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_fork_server_class_init (ProcfunForkServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->finalize = procfun_fork_server_finalize;
  object_class->get_property = procfun_fork_server_get_property;
  object_class->set_property = procfun_fork_server_set_property;
  executor_class->close = procfun_fork_server_close;
  executor_class->close_async = procfun_fork_server_close_async;
  executor_class->begin_anew = procfun_fork_server_begin_anew;
  PROCFUN_PROCESS_EXECUTOR_CLASS (klass)->start = procfun_fork_server_start;
  PROCFUN_PROCESS_EXECUTOR_CLASS (klass)->renew = procfun_fork_server_renew;

  /**
   * ProcfunForkServer:spares:
   *
   * Number of processes that are forked ahead of each call, for the next ones; 0: none. Where calls
   * do not follow each other closely, new ones are forked when half of them are used.
   *
   * Since: 0.1
   */
  props[PROP_SPARES] = g_param_spec_uint ("spares", NULL, NULL, 0, G_MAXINT, DEFAULT_SPARES, flags);
  /**
   * ProcfunForkServer:idle-timeout:
   *
   * How long a process that was forked ahead waits for its call, in µs; 0: for ever.
   *
   * Since: 0.1
   */
  props[PROP_IDLE_TIMEOUT] = g_param_spec_int64 ("idle-timeout", NULL, NULL, 0, G_MAXINT64,
                                                 DEFAULT_IDLE_MS * G_TIME_SPAN_MILLISECOND, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
procfun_fork_server_init (ProcfunForkServer *self)
{
  self->zygotes = zygotes_new ();
  self->spares = DEFAULT_SPARES;
  self->idle = DEFAULT_IDLE_MS;
}

/**
 * procfun_fork_server_new:
 *
 * Makes an executor with a forked process for each call.
 *
 * Returns: (transfer full): a new #ProcfunForkServer
 *
 * Since: 0.1
 */
ProcfunForkServer *
procfun_fork_server_new (void)
{
  return g_object_new (PROCFUN_TYPE_FORK_SERVER, NULL);
}

/**
 * procfun_fork_server_set_spares:
 * @self: a #ProcfunForkServer
 * @spares: how many processes are forked ahead of each call; 0: none
 *
 * Sets #ProcfunForkServer:spares.
 *
 * Since: 0.1
 */
void
procfun_fork_server_set_spares (ProcfunForkServer *self, guint spares)
{
  g_return_if_fail (PROCFUN_IS_FORK_SERVER (self));
  g_return_if_fail (spares <= G_MAXINT);

  if (procfun_fork_server_get_spares (self) == spares)
    return;
  g_atomic_int_set (&self->spares, (gint)spares);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_SPARES]);
}

/**
 * procfun_fork_server_get_spares:
 * @self: a #ProcfunForkServer
 *
 * Gets #ProcfunForkServer:spares.
 *
 * Returns: a number of processes
 *
 * Since: 0.1
 */
guint
procfun_fork_server_get_spares (ProcfunForkServer *self)
{
  g_return_val_if_fail (PROCFUN_IS_FORK_SERVER (self), 0);

  return (guint)g_atomic_int_get (&self->spares);
}

/**
 * procfun_fork_server_set_idle_timeout:
 * @self: a #ProcfunForkServer
 * @us: how long a process that was forked ahead waits for its call, in µs, kept to the millisecond;
 *   0: for ever
 *
 * Sets #ProcfunForkServer:idle-timeout, for processes that are forked from now on.
 *
 * Since: 0.1
 */
void
procfun_fork_server_set_idle_timeout (ProcfunForkServer *self, gint64 us)
{
  gint ms;

  g_return_if_fail (PROCFUN_IS_FORK_SERVER (self));
  g_return_if_fail (us >= 0);

  ms = (gint)MIN (us / G_TIME_SPAN_MILLISECOND + (us % G_TIME_SPAN_MILLISECOND > 0), G_MAXINT);
  if (g_atomic_int_get (&self->idle) == ms)
    return;
  g_atomic_int_set (&self->idle, ms);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_IDLE_TIMEOUT]);
}

/**
 * procfun_fork_server_get_idle_timeout:
 * @self: a #ProcfunForkServer
 *
 * Gets #ProcfunForkServer:idle-timeout.
 *
 * Returns: a time in µs; 0: for ever
 *
 * Since: 0.1
 */
gint64
procfun_fork_server_get_idle_timeout (ProcfunForkServer *self)
{
  g_return_val_if_fail (PROCFUN_IS_FORK_SERVER (self), 0);

  return g_atomic_int_get (&self->idle) * G_TIME_SPAN_MILLISECOND;
}
