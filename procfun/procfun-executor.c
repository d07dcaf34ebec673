/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-executor-private.h"

#include "procfun/platform/intl.h"
#include "procfun/procfun-call-private.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-executor-list-private.h"
#include "procfun/procfun-monitor-private.h"

/**
 * SECTION:procfun-executor
 * @title: ProcfunExecutor
 * @short_description: where calls run
 *
 * An executor takes calls and runs them: #ProcfunForkServer and #ProcfunSpawner in a fresh process
 * each, forked or executed, #ProcfunInline in the process of the caller. Calls may come from any thread, many at once. Calls that say nothing
 * else run on the default executor.
 *
 * What an executor has done is told by #ProcfunStatistics, and by signals of the processes that it
 * keeps.
 *
 * Other places can be added by deriving from this class.
 *
 * The environment variable `PROCFUN_EXECUTOR` (`fork`, `spawn` or `inline`) chooses the default
 * executor of a program that sets none itself; setuid and setgid programs ignore it.
 */

typedef struct
{
  GMutex lock;
  GCond idle;
  gboolean closed;
  guint n_running;
  GQueue closing; /* (element-type GTask) that wait until nothing runs */
  Recorder *recorder;
  guint number;
  ExecutorEntry *entry;
} ProcfunExecutorPrivate;

enum
{
  WORKER_STARTED,
  WORKER_EXITED,
  WORKER_RECYCLED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (ProcfunExecutor, procfun_executor, G_TYPE_OBJECT)

#define PRIVATE(self) ((ProcfunExecutorPrivate *)procfun_executor_get_instance_private (self))

static void
procfun_executor_constructed (GObject *object)
{
  static gsize asked;
  ProcfunExecutor *self = PROCFUN_EXECUTOR (object);

  G_OBJECT_CLASS (procfun_executor_parent_class)->constructed (object);
  PRIVATE (self)->entry = executor_list_add (self, &PRIVATE (self)->number);
  if (g_once_init_enter (&asked))
    {
      monitor_open_if_asked ();
      g_once_init_leave (&asked, 1);
    }
}

static void
procfun_executor_finalize (GObject *object)
{
  ProcfunExecutorPrivate *priv = PRIVATE (PROCFUN_EXECUTOR (object));

  executor_list_remove (priv->entry);
  g_free (priv->recorder);
  g_mutex_clear (&priv->lock);
  g_cond_clear (&priv->idle);

  G_OBJECT_CLASS (procfun_executor_parent_class)->finalize (object);
}

static GVariant *
procfun_executor_real_next (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                            GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("%s() cannot be called: a generator needs a process of its own"),
               procfun_function_get_name (procfun_call_get_function (call)));
  return NULL;
}

static void
procfun_executor_real_next_async (ProcfunExecutor *self, ProcfunCall *call,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  GVariant *item = PROCFUN_EXECUTOR_GET_CLASS (self)->next (self, call, cancellable, &error);

  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, item, (GDestroyNotify)g_variant_unref);
}

static GVariant *
procfun_executor_real_next_finish (ProcfunExecutor *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
procfun_executor_real_close (ProcfunExecutor *self, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static void
procfun_executor_real_close_async (ProcfunExecutor *self, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_return_boolean (task, TRUE);
}

static gboolean
procfun_executor_real_close_finish (ProcfunExecutor *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* As handlers of the class, so that what executors of others emit counts, too. */

static void
count (ProcfunExecutor *self, guint64 *counter)
{
  ProcfunExecutorPrivate *priv = PRIVATE (self);

  g_mutex_lock (&priv->lock);
  ++*counter;
  g_mutex_unlock (&priv->lock);
}

static void
count_started (ProcfunExecutor *self, int pid)
{
  count (self, &PRIVATE (self)->recorder->workers_started);
}

static void
count_exited (ProcfunExecutor *self, int pid, int wait_status)
{
  count (self, &PRIVATE (self)->recorder->workers_exited);
}

static void
count_recycled (ProcfunExecutor *self, int pid, const char *reason)
{
  count (self, &PRIVATE (self)->recorder->workers_recycled);
}

static void
make_signals (void)
{
  /**
   * ProcfunExecutor::worker-started:
   * @self: the executor
   * @pid: the number of the process
   *
   * Emitted when the executor has started a process that it keeps, in the thread that did so: it
   * may be any that makes a call. A process that is made for a single call is told by
   * #ProcfunCall::started.
   *
   * Since: 0.1
   */
  signals[WORKER_STARTED] = g_signal_new_class_handler (
      "worker-started", PROCFUN_TYPE_EXECUTOR, G_SIGNAL_RUN_FIRST, G_CALLBACK (count_started), NULL,
      NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  /**
   * ProcfunExecutor::worker-exited:
   * @self: the executor
   * @pid: the number that the process had
   * @wait_status: how it ended, as of wait(2), or -1 when that is not known;
   *   g_spawn_check_wait_status() puts it into words
   *
   * Emitted when a process that the executor kept has ended, for whatever cause, in the thread that
   * noticed it.
   *
   * Since: 0.1
   */
  signals[WORKER_EXITED] = g_signal_new_class_handler (
      "worker-exited", PROCFUN_TYPE_EXECUTOR, G_SIGNAL_RUN_FIRST, G_CALLBACK (count_exited), NULL,
      NULL, NULL, G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_INT);
  /**
   * ProcfunExecutor::worker-recycled:
   * @self: the executor
   * @pid: the number of the process
   * @reason: a word that says why, for programs
   *
   * Emitted when the executor gives up a process that works, to replace it by a fresh one or to
   * have less of them, in the thread that decided so. #ProcfunExecutor::worker-exited follows when
   * the process has ended.
   *
   * Since: 0.1
   */
  signals[WORKER_RECYCLED] = g_signal_new_class_handler (
      "worker-recycled", PROCFUN_TYPE_EXECUTOR, G_SIGNAL_RUN_FIRST, G_CALLBACK (count_recycled),
      NULL, NULL, NULL, G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_STRING);
}

static void
procfun_executor_class_init (ProcfunExecutorClass *klass)
{
  G_OBJECT_CLASS (klass)->constructed = procfun_executor_constructed;
  G_OBJECT_CLASS (klass)->finalize = procfun_executor_finalize;
  klass->next = procfun_executor_real_next;
  klass->next_async = procfun_executor_real_next_async;
  klass->next_finish = procfun_executor_real_next_finish;
  klass->close = procfun_executor_real_close;
  klass->close_async = procfun_executor_real_close_async;
  klass->close_finish = procfun_executor_real_close_finish;
  make_signals ();
}

static void
procfun_executor_init (ProcfunExecutor *self)
{
  ProcfunExecutorPrivate *priv = PRIVATE (self);

  g_mutex_init (&priv->lock);
  g_cond_init (&priv->idle);
  g_queue_init (&priv->closing);
  priv->recorder = recorder_new (g_get_monotonic_time ());
}

/* What runs */

gboolean
procfun_executor_enter (ProcfunExecutor *self, ProcfunCall *call, GError **error)
{
  ProcfunExecutorPrivate *priv = PRIVATE (self);
  gboolean closed;

  g_mutex_lock (&priv->lock);
  closed = priv->closed;
  if (!closed)
    {
      priv->n_running++;
      priv->recorder->submitted++;
    }
  g_mutex_unlock (&priv->lock);
  if (closed)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED,
                 _ ("%s() cannot be called: the executor is closed"),
                 procfun_function_get_name (procfun_call_get_function (call)));
  return !closed;
}

/* What procfun_call_get_failure() will say. */
static ProcfunCause
get_cause (ProcfunCall *call, const GError *error)
{
  if (call->failure != NULL)
    return procfun_failure_get_cause (call->failure);
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? PROCFUN_CAUSE_CANCELLED
                                                                   : PROCFUN_CAUSE_ERROR;
}

static void on_idle (ProcfunExecutor *self, GTask *task);

void
procfun_executor_leave (ProcfunExecutor *self, ProcfunCall *call, const GError *error)
{
  ProcfunExecutorPrivate *priv = PRIVATE (self);
  const Ending ending = { .submitted_at = call->submitted_at,
                          .started_at = call->started_at,
                          .ended_at = g_get_monotonic_time (),
                          .succeeded = error == NULL,
                          .cause = error != NULL ? get_cause (call, error) : 0 };
  GQueue closing = G_QUEUE_INIT;
  GTask *task;

  g_mutex_lock (&priv->lock);
  recorder_end (priv->recorder, &ending);
  if (--priv->n_running == 0 && priv->closed)
    {
      closing = priv->closing;
      g_queue_init (&priv->closing);
      g_cond_broadcast (&priv->idle);
    }
  g_mutex_unlock (&priv->lock);
  while ((task = g_queue_pop_head (&closing)) != NULL)
    on_idle (self, task);
}

/* Closing */

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  ProcfunExecutorPrivate *priv = user_data;

  g_mutex_lock (&priv->lock);
  g_cond_broadcast (&priv->idle);
  g_mutex_unlock (&priv->lock);
}

/**
 * procfun_executor_close:
 * @self: a #ProcfunExecutor
 * @cancellable: (nullable): a #GCancellable, which ends the waiting only
 * @error: return location for a #GError
 *
 * Takes no more calls, which fail with %PROCFUN_ERROR_CLOSED from now on, waits until those that
 * run have ended, and ends what the executor keeps between calls. After that nothing of it is left.
 * Closing again is allowed.
 *
 * Calls that were started asynchronously end in their own main context: where that is the one of
 * this thread, use procfun_executor_close_async().
 *
 * Returns: %TRUE, or %FALSE with @error set to %G_IO_ERROR_CANCELLED
 *
 * Since: 0.1
 */
gboolean
procfun_executor_close (ProcfunExecutor *self, GCancellable *cancellable, GError **error)
{
  ProcfunExecutorPrivate *priv;
  gulong handler = 0;

  g_return_val_if_fail (PROCFUN_IS_EXECUTOR (self), FALSE);

  priv = PRIVATE (self);
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), priv, NULL);
  g_mutex_lock (&priv->lock);
  priv->closed = TRUE;
  while (priv->n_running > 0 && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&priv->idle, &priv->lock);
  g_mutex_unlock (&priv->lock);
  g_cancellable_disconnect (cancellable, handler);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  return PROCFUN_EXECUTOR_GET_CLASS (self)->close (self, cancellable, error);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ProcfunExecutor *self = PROCFUN_EXECUTOR (source);
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (PROCFUN_EXECUTOR_GET_CLASS (self)->close_finish (self, result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* Nothing runs any more; the last call may have ended in another thread than the one that closes.
 */
static gboolean
close_in_context (gpointer user_data)
{
  GTask *task = user_data;
  ProcfunExecutor *self = g_task_get_source_object (task);

  if (!g_task_return_error_if_cancelled (task))
    PROCFUN_EXECUTOR_GET_CLASS (self)->close_async (self, g_task_get_cancellable (task), on_closed,
                                                    g_object_ref (task));
  return G_SOURCE_REMOVE;
}

/* Takes @task. */
static void
on_idle (ProcfunExecutor *self, GTask *task)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, g_task_get_priority (task));
  g_source_set_callback (source, close_in_context, task, g_object_unref);
  g_source_attach (source, g_task_get_context (task));
}

/**
 * procfun_executor_close_async:
 * @self: a #ProcfunExecutor
 * @cancellable: (nullable): a #GCancellable
 * @callback: called in the thread-default main context when the executor is closed
 * @user_data: for @callback
 *
 * Does what procfun_executor_close() does, without waiting. Calls that run are waited for even when
 * @cancellable trips meanwhile.
 *
 * Since: 0.1
 */
void
procfun_executor_close_async (ProcfunExecutor *self, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  ProcfunExecutorPrivate *priv;
  GTask *task;

  g_return_if_fail (PROCFUN_IS_EXECUTOR (self));

  priv = PRIVATE (self);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, procfun_executor_close_async);
  g_mutex_lock (&priv->lock);
  priv->closed = TRUE;
  if (priv->n_running > 0)
    g_queue_push_tail (&priv->closing, g_steal_pointer (&task));
  g_mutex_unlock (&priv->lock);
  if (task != NULL)
    on_idle (self, task);
}

/**
 * procfun_executor_close_finish:
 * @self: a #ProcfunExecutor
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what procfun_executor_close_async() began.
 *
 * Returns: %TRUE, or %FALSE with @error set to %G_IO_ERROR_CANCELLED
 *
 * Since: 0.1
 */
gboolean
procfun_executor_close_finish (ProcfunExecutor *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_executor_close_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * procfun_executor_is_closed:
 * @self: a #ProcfunExecutor
 *
 * Tells whether closing has begun.
 *
 * Returns: %TRUE when no more calls are taken
 *
 * Since: 0.1
 */
gboolean
procfun_executor_is_closed (ProcfunExecutor *self)
{
  ProcfunExecutorPrivate *priv;
  gboolean closed;

  g_return_val_if_fail (PROCFUN_IS_EXECUTOR (self), TRUE);

  priv = PRIVATE (self);
  g_mutex_lock (&priv->lock);
  closed = priv->closed;
  g_mutex_unlock (&priv->lock);
  return closed;
}

/* Statistics */

void
procfun_executor_copy_counts (ProcfunExecutor *self, Recorder *counts, guint *n_unfinished,
                              guint *number)
{
  ProcfunExecutorPrivate *priv = PRIVATE (self);

  g_mutex_lock (&priv->lock);
  *counts = *priv->recorder;
  *n_unfinished = priv->n_running;
  *number = priv->number;
  g_mutex_unlock (&priv->lock);
}

void
procfun_executor_emit_worker_started (ProcfunExecutor *self, int pid)
{
  g_signal_emit (self, signals[WORKER_STARTED], 0, pid);
}

void
procfun_executor_emit_worker_exited (ProcfunExecutor *self, int pid, int wait_status)
{
  g_signal_emit (self, signals[WORKER_EXITED], 0, pid, wait_status);
}

void
procfun_executor_emit_worker_recycled (ProcfunExecutor *self, int pid, const char *reason)
{
  g_signal_emit (self, signals[WORKER_RECYCLED], 0, pid, reason);
}
