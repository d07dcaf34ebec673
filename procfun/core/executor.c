/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/executor.h"

#include "procfun/base/debug.h"
#include "procfun/base/intl.h"
#include "procfun/core/call-streams.h"
#include "procfun/core/call-wait.h"
#include "procfun/core/call.h"
#include "procfun/core/executor-state.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/procfun-error.h"

/**
 * SECTION:procfun-executor
 * @title: ProcfunExecutor
 * @short_description: where calls run
 *
 * Runs calls.
 */

/**
 * ProcfunExecutor:
 * @parent_instance: the parent
 *
 * Runs calls.
 *
 * An executor takes calls and runs them: #ProcfunForkServer and #ProcfunSpawner in a fresh process
 * each, forked or executed, #ProcfunInline in the process of the caller. Calls may come from any
 * thread, many at once. Calls that say nothing else run on the default executor.
 *
 * #ProcfunStatistics tells what an executor has done, and so do signals of the processes that it
 * keeps.
 *
 * Other places can be added by deriving from this class.
 *
 * The environment variable `PROCFUN_EXECUTOR` (`fork`, `spawn`, `pool`, `pool:N` with a number of
 * workers, or `inline`) chooses the default executor of a program that sets none itself; with any
 * other word its calls fail with %PROCFUN_ERROR_INVALID. Setuid and setgid programs ignore it.
 *
 * Since: 0.1
 */

enum
{
  WORKER_STARTED,
  WORKER_EXITED,
  WORKER_RECYCLED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];
static void (*first_hook) (void); /* (nullable) */

typedef ExecutorState ProcfunExecutorPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (ProcfunExecutor, procfun_executor, G_TYPE_OBJECT)

/* The executors of this process, from construction to the end */

struct _ExecutorEntry
{
  GList link;
  GWeakRef executor; /* weak: an executor that ends in another thread must not be revived */
};

G_LOCK_DEFINE_STATIC (entries);
static GQueue entries = G_QUEUE_INIT; /* (element-type ExecutorEntry) */

static ExecutorEntry *
executor_list_add (ProcfunExecutor *executor, guint *number)
{
  static guint n_made;
  ExecutorEntry *entry = g_new0 (ExecutorEntry, 1);

  entry->link.data = entry;
  g_weak_ref_init (&entry->executor, executor);
  G_LOCK (entries);
  *number = ++n_made;
  g_queue_push_tail_link (&entries, &entry->link);
  G_UNLOCK (entries);
  return entry;
}

static void
executor_list_remove (ExecutorEntry *entry)
{
  G_LOCK (entries);
  g_queue_unlink (&entries, &entry->link);
  G_UNLOCK (entries);
  g_weak_ref_clear (&entry->executor);
  g_free (entry);
}

GPtrArray *
executor_list_ref_all (void)
{
  GPtrArray *executors = g_ptr_array_new_with_free_func (g_object_unref);

  G_LOCK (entries);
  for (GList *link = entries.head; link != NULL; link = link->next)
    {
      ExecutorEntry *entry = link->data;
      ProcfunExecutor *executor = g_weak_ref_get (&entry->executor);

      if (executor != NULL)
        g_ptr_array_add (executors, executor);
    }
  G_UNLOCK (entries);
  return executors;
}

/* The class */

ExecutorState *
procfun_executor_get_state (ProcfunExecutor *self)
{
  return procfun_executor_get_instance_private (self);
}

void
procfun_executor_set_first_hook (void (*hook) (void))
{
  first_hook = hook;
}

static void
procfun_executor_constructed (GObject *object)
{
  static gsize asked;
  ProcfunExecutor *self = PROCFUN_EXECUTOR (object);

  G_OBJECT_CLASS (procfun_executor_parent_class)->constructed (object);
  procfun_executor_get_state (self)->entry
      = executor_list_add (self, &procfun_executor_get_state (self)->number);
  if (g_once_init_enter (&asked))
    {
      if (first_hook != NULL)
        first_hook ();
      g_once_init_leave (&asked, 1);
    }
}

static void
procfun_executor_finalize (GObject *object)
{
  ExecutorState *state = procfun_executor_get_instance_private (PROCFUN_EXECUTOR (object));

  executor_list_remove (state->entry);
  g_free (state->recorder);
  g_mutex_clear (&state->lock);
  g_cond_clear (&state->idle);

  G_OBJECT_CLASS (procfun_executor_parent_class)->finalize (object);
}

/* A call that an executor of others hands on. */
typedef struct
{
  CallLink link;
  GTask *task;
} HandedOn;

static void
on_handed_on_run (GVariant *result, GError *error, gpointer user_data)
{
  g_autofree HandedOn *self = user_data;
  g_autoptr (GTask) task = self->task;

  call_link_clear (&self->link);
  if (result != NULL)
    g_task_return_pointer (task, result, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, error);
}

/* For executors with `run_then`. */
static void
procfun_executor_real_run_async (ProcfunExecutor *self, ProcfunCall *call,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  HandedOn *handed_on = g_new0 (HandedOn, 1);

  call_link_init (&handed_on->link, call, cancellable);
  handed_on->task = g_task_new (self, NULL, callback, user_data);
  PROCFUN_EXECUTOR_GET_CLASS (self)->run_then (self, call, g_task_get_context (handed_on->task),
                                               on_handed_on_run, handed_on);
}

/* Of a call, and of an item. */
static GVariant *
procfun_executor_real_finish (ProcfunExecutor *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static GVariant *
procfun_executor_real_next (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                            GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("%s() cannot be called: a generator needs a process of its own"),
               procfun_function_get_name (procfun_call_peek_function (call)));
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

static guint
procfun_executor_real_get_capacity (ProcfunExecutor *self)
{
  return g_get_num_processors ();
}

/* Class handlers, so that signals of executors outside the library count, too. */

static void
count (ProcfunExecutor *self, guint64 *counter)
{
  ExecutorState *state = procfun_executor_get_instance_private (self);

  g_mutex_lock (&state->lock);
  ++*counter;
  g_mutex_unlock (&state->lock);
}

static void
count_started (ProcfunExecutor *self, int pid)
{
  count (self, &procfun_executor_get_state (self)->recorder->workers_started);
}

static void
count_exited (ProcfunExecutor *self, int pid, int wait_status)
{
  count (self, &procfun_executor_get_state (self)->recorder->workers_exited);
}

static void
count_recycled (ProcfunExecutor *self, int pid, const char *reason)
{
  if (debug_has (DEBUG_WORKERS))
    debug_log (&(DebugSubject){ .pid = pid }, "process %d is recycled: %s", pid, reason);
  count (self, &procfun_executor_get_state (self)->recorder->workers_recycled);
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
   * @reason: why, in a word or two that stay the same, as “shrunk” or “leftovers: threads”
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
  klass->run_async = procfun_executor_real_run_async;
  klass->run_finish = procfun_executor_real_finish;
  klass->next = procfun_executor_real_next;
  klass->next_async = procfun_executor_real_next_async;
  klass->next_finish = procfun_executor_real_finish;
  klass->close = procfun_executor_real_close;
  klass->close_async = procfun_executor_real_close_async;
  klass->close_finish = procfun_executor_real_close_finish;
  klass->end_calls = procfun_executor_real_end_calls;
  klass->get_capacity = procfun_executor_real_get_capacity;
  make_signals ();
}

static void
procfun_executor_init (ProcfunExecutor *self)
{
  ExecutorState *state = procfun_executor_get_instance_private (self);

  state->process = inherited_state_get_process ();
  g_mutex_init (&state->lock);
  g_cond_init (&state->idle);
  g_queue_init (&state->waiting);
  g_queue_init (&state->calls);
  state->recorder = recorder_new (g_get_monotonic_time ());
}

/* Calls: counted, their results checked */

/* Calls of the parent do not end here, and a thread of it may have held the locks. */
static void
begin_anew (ProcfunExecutor *self, ExecutorState *state)
{
  g_mutex_init (&state->lock);
  g_cond_init (&state->idle);
  g_queue_init (&state->waiting);
  for (GList *l = state->calls.head; l != NULL; l = l->next)
    l->data = NULL;
  g_queue_init (&state->calls);
  state->n_threads = state->n_running = 0;
  if (PROCFUN_EXECUTOR_GET_CLASS (self)->begin_anew != NULL)
    PROCFUN_EXECUTOR_GET_CLASS (self)->begin_anew (self);
}

void
procfun_executor_check_process (ProcfunExecutor *self)
{
  G_LOCK_DEFINE_STATIC (process);
  ExecutorState *state = procfun_executor_get_instance_private (self);

  if (G_LIKELY (state->process == inherited_state_get_process ()))
    return;
  G_LOCK (process);
  if (state->process != inherited_state_get_process ())
    {
      begin_anew (self, state);
      state->process = inherited_state_get_process ();
    }
  G_UNLOCK (process);
}

gboolean
procfun_executor_try_enter (ProcfunExecutor *self)
{
  ExecutorState *state = procfun_executor_get_instance_private (self);
  gboolean closed;

  procfun_executor_check_process (self);
  g_mutex_lock (&state->lock);
  closed = state->closed;
  if (!closed)
    {
      state->n_running++;
      state->recorder->submitted++;
    }
  g_mutex_unlock (&state->lock);
  return !closed;
}

static gboolean
lists_calls (ProcfunExecutor *self)
{
  return PROCFUN_EXECUTOR_GET_CLASS (self)->end_calls == procfun_executor_real_end_calls;
}

/* It may be closed by now. */
static void
list_call (ProcfunExecutor *self, ProcfunCall *call)
{
  ExecutorState *state = procfun_executor_get_instance_private (self);
  GList *link = procfun_call_get_executor_link (call);
  ProcfunCloseFlags flags;

  link->data = call;
  g_mutex_lock (&state->lock);
  g_queue_push_tail_link (&state->calls, link);
  flags = state->close_flags;
  g_mutex_unlock (&state->lock);
  if ((flags & PROCFUN_CLOSE_CANCEL_RUNNING) != 0)
    canceller_cancel (procfun_call_get_canceller (call));
}

static void
unlist_call (ProcfunExecutor *self, ProcfunCall *call)
{
  ExecutorState *state = procfun_executor_get_instance_private (self);
  GList *link = procfun_call_get_executor_link (call);

  procfun_executor_check_process (self);
  g_mutex_lock (&state->lock);
  if (link->data != NULL)
    g_queue_unlink (&state->calls, link);
  link->data = NULL;
  g_mutex_unlock (&state->lock);
}

gboolean
procfun_executor_enter (ProcfunExecutor *self, ProcfunCall *call, GError **error)
{
  if (procfun_executor_try_enter (self))
    {
      if (lists_calls (self))
        list_call (self, call);
      if (procfun_call_has_pumps (call))
        call_start_pumps (call);
      return TRUE;
    }
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED,
               _ ("%s() cannot be called: the executor is closed"),
               procfun_function_get_name (procfun_call_peek_function (call)));
  return FALSE;
}

/* With the lock held. A call of the parent is not counted. */
static void
end_one (ExecutorState *state)
{
  const gboolean is_last = state->n_running > 0 && --state->n_running == 0;

  if (is_last && (state->n_threads > 0 || state->waiting.length > 0))
    procfun_executor_announce_idle (state);
}

void
procfun_executor_withdraw (ProcfunExecutor *self)
{
  ExecutorState *state = procfun_executor_get_instance_private (self);

  g_mutex_lock (&state->lock);
  state->recorder->submitted--;
  end_one (state);
  g_mutex_unlock (&state->lock);
}

void
procfun_executor_count (ProcfunExecutor *self, const Ending *ending)
{
  ExecutorState *state = procfun_executor_get_instance_private (self);

  procfun_executor_check_process (self);
  g_mutex_lock (&state->lock);
  recorder_end (state->recorder, ending);
  end_one (state);
  g_mutex_unlock (&state->lock);
}

/* Cause that procfun_call_get_failure() will report. */
static ProcfunCause
get_cause (ProcfunCall *call, const GError *error)
{
  if (procfun_call_peek_failure (call) != NULL)
    return procfun_failure_get_cause (procfun_call_peek_failure (call));
  return procfun_call_find_cause (error);
}

void
procfun_executor_leave (ProcfunExecutor *self, ProcfunCall *call, const GError *error)
{
  const Ending ending = { .submitted_at = procfun_call_get_submitted_at (call),
                          .started_at = procfun_call_get_started_at (call),
                          .ended_at = g_get_monotonic_time (),
                          .succeeded = error == NULL,
                          .cause = error != NULL ? get_cause (call, error) : 0 };

  if (lists_calls (self))
    unlist_call (self, call);
  procfun_executor_count (self, &ending);
}

guint
procfun_executor_get_capacity (ProcfunExecutor *self)
{
  guint n = PROCFUN_EXECUTOR_GET_CLASS (self)->get_capacity (self);

  return MAX (n, 1);
}

guint64
procfun_executor_get_chunk_limit (ProcfunExecutor *self)
{
  ProcfunExecutorClass *klass = PROCFUN_EXECUTOR_GET_CLASS (self);

  return klass->get_chunk_limit != NULL ? klass->get_chunk_limit (self) : 0;
}

/* Results of foreign executors may be of a wrong type, and the conversion to C values relies on it.
 * The executors of the library have read theirs as values of the type. Takes @result. */
static GVariant *
check_result (ProcfunCall *call, GVariant *result, GError **error)
{
  ProcfunFunction *function = procfun_call_peek_function (call);
  const GVariantType *type = procfun_function_get_return_type (function);
  g_autoptr (GVariant) checked = result != NULL ? g_variant_take_ref (result) : NULL;

  if (checked == NULL || g_variant_is_of_type (checked, type))
    return g_steal_pointer (&checked);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
               _ ("the executor answered %s() with “%s” instead of “%.*s”"),
               procfun_function_get_name (function), g_variant_get_type_string (checked),
               (int)g_variant_type_get_string_length (type), g_variant_type_peek_string (type));
  return NULL;
}

/* (nullable): executors with `run_then` use the canceller of the call */
static GCancellable *
get_cancellable (ProcfunExecutor *self, ProcfunCall *call)
{
  return PROCFUN_EXECUTOR_GET_CLASS (self)->run_then == NULL
             ? canceller_get_cancellable (procfun_call_get_canceller (call))
             : NULL;
}

GVariant *
procfun_executor_end (ProcfunExecutor *self, ProcfunCall *call, GVariant *result, GError **error)
{
  if (PROCFUN_EXECUTOR_GET_CLASS (self)->run_then == NULL)
    result = check_result (call, result, error);
  if (procfun_call_has_pumps (call))
    result = call_check_pumps (call, result, error);
  procfun_executor_leave (self, call, *error);
  return result;
}

GVariant *
procfun_executor_run (ProcfunExecutor *self, ProcfunCall *call, GError **error)
{
  GError *own_error = NULL;
  GVariant *result;

  if (!procfun_executor_enter (self, call, error))
    return NULL;
  result = PROCFUN_EXECUTOR_GET_CLASS (self)->run (self, call, get_cancellable (self, call),
                                                   &own_error);
  result = procfun_executor_end (self, call, result, &own_error);
  if (own_error != NULL)
    g_propagate_error (error, own_error);
  return result;
}

typedef struct
{
  ProcfunExecutorFunc func;
  gpointer user_data;
} Receiver;

static void
on_run (GObject *source, GAsyncResult *async_result, gpointer user_data)
{
  ProcfunExecutor *self = PROCFUN_EXECUTOR (source);
  g_autofree Receiver *receiver = user_data;
  GError *error = NULL;
  GVariant *result = PROCFUN_EXECUTOR_GET_CLASS (self)->run_finish (self, async_result, &error);

  receiver->func (result, error, receiver->user_data);
}

void
procfun_executor_run_async (ProcfunExecutor *self, ProcfunCall *call, GMainContext *context,
                            ProcfunExecutorFunc func, gpointer user_data)
{
  ProcfunExecutorClass *klass = PROCFUN_EXECUTOR_GET_CLASS (self);
  Receiver *receiver;

  if (klass->run_then != NULL)
    {
      klass->run_then (self, call, context, func, user_data);
      return;
    }
  receiver = g_new (Receiver, 1);
  *receiver = (Receiver){ func, user_data };
  klass->run_async (self, call, canceller_get_cancellable (procfun_call_get_canceller (call)),
                    on_run, receiver);
}

GVariant *
procfun_executor_next (ProcfunExecutor *self, ProcfunCall *call, GError **error)
{
  GVariant *item
      = PROCFUN_EXECUTOR_GET_CLASS (self)->next (self, call, get_cancellable (self, call), error);

  item = check_result (call, item, error);
  return procfun_call_has_pumps (call) ? call_check_pumps (call, item, error) : item;
}

void
procfun_executor_next_async (ProcfunExecutor *self, ProcfunCall *call, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  PROCFUN_EXECUTOR_GET_CLASS (self)->next_async (self, call, get_cancellable (self, call), callback,
                                                 user_data);
}

GVariant *
procfun_executor_next_finish (ProcfunExecutor *self, ProcfunCall *call, GAsyncResult *result,
                              GError **error)
{
  GVariant *item = PROCFUN_EXECUTOR_GET_CLASS (self)->next_finish (self, result, error);

  item = check_result (call, item, error);
  return procfun_call_has_pumps (call) ? call_check_pumps (call, item, error) : item;
}

/* Statistics */

void
procfun_executor_copy_counts (ProcfunExecutor *self, Recorder *counts, guint *n_unfinished,
                              guint *number)
{
  ExecutorState *state = procfun_executor_get_instance_private (self);

  g_mutex_lock (&state->lock);
  *counts = *state->recorder;
  *n_unfinished = state->n_running;
  *number = state->number;
  g_mutex_unlock (&state->lock);
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
