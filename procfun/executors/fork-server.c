/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-fork-server.h"

#include "procfun/executors/fork-plain.h"
#include "procfun/executors/process-executor.h"
#include "procfun/platform/cpus.h"

/**
 * SECTION:procfun-fork-server
 * @title: ProcfunForkServer
 * @short_description: a forked process for each call
 *
 * An executor with a forked process for each call.
 */

/**
 * ProcfunForkServer:
 *
 * An executor with a forked process for each call.
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
 *
 * Since: 0.1
 */
struct _ProcfunForkServer
{
  ProcfunProcessExecutor parent_instance;
};

G_DEFINE_FINAL_TYPE (ProcfunForkServer, procfun_fork_server, PROCFUN_TYPE_PROCESS_EXECUTOR)

#define DEFAULT_SPARES 4
#define DEFAULT_IDLE_MS 10000

enum
{
  PROP_SPARES = 1,
  PROP_IDLE_TIMEOUT,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static Scheduler *
get_scheduler (ProcfunForkServer *self)
{
  return procfun_process_executor_get_scheduler (PROCFUN_PROCESS_EXECUTOR (self));
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
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->get_property = procfun_fork_server_get_property;
  object_class->set_property = procfun_fork_server_set_property;
  PROCFUN_EXECUTOR_CLASS (klass)->run_plain = procfun_fork_server_run_plain;

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
  Scheduler *scheduler = scheduler_new (PROCFUN_EXECUTOR (self), FALSE, NULL);
  const guint spares = DEFAULT_SPARES;
  const guint idle = DEFAULT_IDLE_MS;

  SCHEDULER_SET (scheduler, spares, spares);
  SCHEDULER_SET (scheduler, idle, idle);
  procfun_process_executor_take_scheduler (PROCFUN_PROCESS_EXECUTOR (self), scheduler,
                                           PROCESS_EXECUTOR_DEFAULT_PROCESSES);
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

  if (SCHEDULER_SET (get_scheduler (self), spares, spares))
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
  SchedulerConfig config;

  g_return_val_if_fail (PROCFUN_IS_FORK_SERVER (self), 0);

  scheduler_get_config (get_scheduler (self), &config);
  return config.spares;
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
  guint ms;

  g_return_if_fail (PROCFUN_IS_FORK_SERVER (self));
  g_return_if_fail (us >= 0);

  ms = (guint)MIN (us / G_TIME_SPAN_MILLISECOND + (us % G_TIME_SPAN_MILLISECOND > 0), G_MAXINT);
  if (SCHEDULER_SET (get_scheduler (self), idle, ms))
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
  SchedulerConfig config;

  g_return_val_if_fail (PROCFUN_IS_FORK_SERVER (self), 0);

  scheduler_get_config (get_scheduler (self), &config);
  return config.idle * G_TIME_SPAN_MILLISECOND;
}

/**
 * procfun_fork_server_add_preload:
 * @self: a #ProcfunForkServer
 * @function: a function of the same module as those that are to be called
 * @args: (nullable): its arguments, a tuple, or %NULL for none; a floating reference is taken
 *
 * Has @function run once in the zygote, before that forks anything: it loads a model or a library,
 * which each process then finds in its memory. Functions are run in the order in which they were
 * added; those of another module in the zygote of that one. Their results are thrown away. Calls
 * from now on have processes that are prepared so.
 *
 * When one fails, or ends the process, calls fail with %PROCFUN_ERROR_SPAWN, which names the
 * function and says why; it is tried again later, after a while that grows. The same holds when it
 * leaves a thread, which the error names, a process, or an eventfd or its like: nothing can be
 * forked then. Where there can be no zygote, no process is executed instead, and calls fail with
 * the reason.
 *
 * A call waits for the function as long as its deadline and its timeout allow, and fails with
 * %PROCFUN_ERROR_TIMED_OUT after that, while the function goes on for the next call. After ten
 * minutes it counts as failed. It hears nothing of cancelling, and nobody hears of its progress.
 *
 * A zygote that was prepared does not end after #ProcfunForkServer:idle-timeout.
 *
 * Since: 0.1
 */
void
procfun_fork_server_add_preload (ProcfunForkServer *self, ProcfunFunction *function, GVariant *args)
{
  g_return_if_fail (PROCFUN_IS_FORK_SERVER (self));
  g_return_if_fail (PROCFUN_IS_FUNCTION (function));

  procfun_process_executor_add_preload (PROCFUN_PROCESS_EXECUTOR (self), function, args);
}
