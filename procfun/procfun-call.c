/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-call-private.h"

#include "procfun/platform/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-executor-private.h"

/**
 * SECTION:procfun-call
 * @title: ProcfunCall
 * @short_description: one call from beginning to end
 *
 * A call is made of a function and its arguments, and can be run once, with procfun_call_run() or
 * procfun_call_run_async(). The macros generate `name_call()` and `name_run()` for calls with C
 * types.
 *
 * Its signals are emitted in the thread that runs it: the one in procfun_call_run(), or the one of
 * the main context that was the thread's default when procfun_call_run_async() was called.
 */

/**
 * ProcfunCall:
 *
 * One call of a function.
 *
 * Since: 0.1
 */
struct _ProcfunCall
{
  GObject parent_instance;

  ProcfunFunction *function;
  GVariant *args;            /* (nullable): not when @encode_error is set */
  GError *encode_error;      /* (nullable) */
  GUnixFDList *fd_list;      /* (nullable) */
  ProcfunExecutor *executor; /* (nullable): the default one */

  gint state; /* a ProcfunCallState; whoever moves it from NEW runs the call, alone */
  gint pid;
  GVariant *result;
  GUnixFDList *result_fd_list; /* (nullable) */
};

G_DEFINE_FINAL_TYPE (ProcfunCall, procfun_call, G_TYPE_OBJECT)

enum
{
  PROP_FUNCTION = 1,
  PROP_STATE,
  N_PROPS
};

enum
{
  STARTED,
  FINISHED,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

static void
procfun_call_finalize (GObject *object)
{
  ProcfunCall *self = PROCFUN_CALL (object);

  g_clear_object (&self->function);
  g_clear_pointer (&self->args, g_variant_unref);
  g_clear_error (&self->encode_error);
  g_clear_object (&self->fd_list);
  g_clear_object (&self->executor);
  g_clear_pointer (&self->result, g_variant_unref);
  g_clear_object (&self->result_fd_list);

  G_OBJECT_CLASS (procfun_call_parent_class)->finalize (object);
}

static void
procfun_call_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ProcfunCall *self = PROCFUN_CALL (object);

  switch (id)
    {
    case PROP_FUNCTION:
      g_value_set_object (value, self->function);
      break;
    case PROP_STATE:
      g_value_set_enum (value, (gint)procfun_call_get_state (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

G_DEFINE_ENUM_TYPE (ProcfunCallState, procfun_call_state,
                    G_DEFINE_ENUM_VALUE (PROCFUN_CALL_NEW, "new"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_CALL_RUNNING, "running"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_CALL_SUCCEEDED, "succeeded"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_CALL_FAILED, "failed"))

static void
procfun_call_class_init (ProcfunCallClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = procfun_call_finalize;
  object_class->get_property = procfun_call_get_property;

  /**
   * ProcfunCall:function:
   *
   * What is called.
   *
   * Since: 0.1
   */
  props[PROP_FUNCTION] = g_param_spec_object ("function", NULL, NULL, PROCFUN_TYPE_FUNCTION,
                                              G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * ProcfunCall:state:
   *
   * How far the call is.
   *
   * Since: 0.1
   */
  props[PROP_STATE]
      = g_param_spec_enum ("state", NULL, NULL, PROCFUN_TYPE_CALL_STATE, PROCFUN_CALL_NEW,
                           G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * ProcfunCall::started:
   * @self: the call
   * @pid: the number of the process that runs the function
   *
   * Emitted when the process of the call is there. A call that fails before has none.
   *
   * Since: 0.1
   */
  signals[STARTED] = g_signal_new ("started", PROCFUN_TYPE_CALL, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  /**
   * ProcfunCall::finished:
   * @self: the call
   *
   * Emitted once when the call has ended, whether well or not, before procfun_call_run() returns
   * and before the callback of procfun_call_run_async() is called.
   *
   * Since: 0.1
   */
  signals[FINISHED] = g_signal_new ("finished", PROCFUN_TYPE_CALL, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                    NULL, G_TYPE_NONE, 0);
}

static void
procfun_call_init (ProcfunCall *self)
{
}

/* What executors tell */

ProcfunCall *
procfun_call_new_failed (ProcfunFunction *function, GError *error)
{
  ProcfunCall *self = g_object_new (PROCFUN_TYPE_CALL, NULL);

  self->function = g_object_ref (function);
  self->encode_error = error;
  return self;
}

void
procfun_call_started (ProcfunCall *self, int pid)
{
  g_atomic_int_set (&self->pid, pid);
  g_signal_emit (self, signals[STARTED], 0, pid);
}

void
procfun_call_take_result_fd_list (ProcfunCall *self, GUnixFDList *fd_list)
{
  g_clear_object (&self->result_fd_list);
  self->result_fd_list = fd_list;
}

/* Running */

static gboolean
check_arguments (ProcfunCall *self, GError **error)
{
  const GVariantType *type = procfun_function_get_arguments_type (self->function);

  if (self->encode_error != NULL)
    {
      g_propagate_error (error, g_error_copy (self->encode_error));
      return FALSE;
    }
  if (g_variant_is_of_type (self->args, type))
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("%s() takes arguments of the type “%.*s”, not “%s”"),
               procfun_function_get_name (self->function),
               (int)g_variant_type_get_string_length (type), g_variant_type_peek_string (type),
               g_variant_get_type_string (self->args));
  return FALSE;
}

static gboolean
start (ProcfunCall *self)
{
  if (!g_atomic_int_compare_and_exchange (&self->state, PROCFUN_CALL_NEW, PROCFUN_CALL_RUNNING))
    return FALSE;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
  return TRUE;
}

static void
end (ProcfunCall *self, GVariant *result)
{
  if (result != NULL)
    self->result = g_variant_ref (result);
  g_atomic_int_set (&self->state, result != NULL ? PROCFUN_CALL_SUCCEEDED : PROCFUN_CALL_FAILED);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
  g_signal_emit (self, signals[FINISHED], 0);
}

static ProcfunExecutor *
ref_executor (ProcfunCall *self)
{
  return self->executor != NULL ? g_object_ref (self->executor) : procfun_executor_ref_default ();
}

/**
 * procfun_call_run:
 * @self: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable, which ends the process of the call
 * @error: return location for a #GError
 *
 * Runs the call and waits for its end, in this thread and without running its main context.
 *
 * Fails with the error that the function returned, with %G_IO_ERROR_CANCELLED, or with an error of
 * the domain %PROCFUN_ERROR.
 *
 * Returns: (transfer full): the result, `()` for a void function; or %NULL with @error set
 *
 * Since: 0.1
 */
GVariant *
procfun_call_run (ProcfunCall *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (ProcfunExecutor) executor = NULL;
  GVariant *result = NULL;

  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);
  if (!start (self))
    {
      g_critical ("%s: this call of %s() was started before", G_STRFUNC,
                  procfun_function_get_name (self->function));
      return NULL;
    }

  g_object_ref (self);
  executor = ref_executor (self);
  if (check_arguments (self, error) && !g_cancellable_set_error_if_cancelled (cancellable, error))
    result = procfun_executor_run (executor, self, cancellable, error);
  end (self, result);
  g_object_unref (self);
  return result;
}

static void
on_run (GObject *source, GAsyncResult *async_result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ProcfunCall *self = g_task_get_source_object (task);
  GError *error = NULL;
  GVariant *result = procfun_executor_run_finish (PROCFUN_EXECUTOR (source), async_result, &error);

  end (self, result);
  if (result != NULL)
    g_task_return_pointer (task, result, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, error);
}

/* A call that fails before it reaches its executor ends like any other: later, in the caller's
 * context. */
static gboolean
fail_in_context (gpointer user_data)
{
  GTask *task = user_data;

  end (g_task_get_source_object (task), NULL);
  g_task_return_error (task, g_error_copy (g_task_get_task_data (task)));
  return G_SOURCE_REMOVE;
}

static void
fail_later (GTask *task, GError *error)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_task_set_task_data (task, error, (GDestroyNotify)g_error_free);
  g_source_set_callback (source, fail_in_context, g_object_ref (task), g_object_unref);
  g_source_set_priority (source, g_task_get_priority (task));
  g_source_attach (source, g_task_get_context (task));
}

/**
 * procfun_call_run_async:
 * @self: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable, which ends the process of the call
 * @callback: called when the call has ended
 * @user_data: for @callback
 *
 * Runs the call without waiting for its end. Signals and @callback come in the main context that is
 * this thread's default now, and that must be run until then: the call keeps it, and its process.
 *
 * Since: 0.1
 */
void
procfun_call_run_async (ProcfunCall *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (ProcfunExecutor) executor = NULL;
  GError *error = NULL;

  g_return_if_fail (PROCFUN_IS_CALL (self));
  if (!start (self))
    {
      g_critical ("%s: this call of %s() was started before", G_STRFUNC,
                  procfun_function_get_name (self->function));
      return;
    }

  /* The executor heeds the cancellable. The task must not: it would hide that the call succeeded.
   */
  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, procfun_call_run_async);
  executor = ref_executor (self);
  if (check_arguments (self, &error) && !g_cancellable_set_error_if_cancelled (cancellable, &error))
    procfun_executor_run_async (executor, self, cancellable, on_run, g_steal_pointer (&task));
  else
    fail_later (task, error);
}

/**
 * procfun_call_run_finish:
 * @self: a #ProcfunCall
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gives what a call brought that procfun_call_run_async() ran; see procfun_call_run() for the
 * errors.
 *
 * Returns: (transfer full): the result, `()` for a void function; or %NULL with @error set
 *
 * Since: 0.1
 */
GVariant *
procfun_call_run_finish (ProcfunCall *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_call_run_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * procfun_call_new:
 * @function: what to call
 * @args: a tuple with the arguments; a floating reference is taken
 *
 * Makes a call, which is not started. When @args has not the type that @function takes, running it
 * fails with %PROCFUN_ERROR_INVALID.
 *
 * Returns: (transfer full): a new call
 *
 * Since: 0.1
 */
ProcfunCall *
procfun_call_new (ProcfunFunction *function, GVariant *args)
{
  ProcfunCall *self;

  g_return_val_if_fail (PROCFUN_IS_FUNCTION (function), NULL);
  g_return_val_if_fail (args != NULL, NULL);

  self = g_object_new (PROCFUN_TYPE_CALL, NULL);
  self->function = g_object_ref (function);
  self->args = g_variant_ref_sink (args);
  return self;
}

/**
 * procfun_call_get_function:
 * @self: a #ProcfunCall
 *
 * Gets what is called.
 *
 * Returns: (transfer none): the function
 *
 * Since: 0.1
 */
ProcfunFunction *
procfun_call_get_function (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return self->function;
}

/**
 * procfun_call_get_arguments:
 * @self: a #ProcfunCall
 *
 * Gets the arguments.
 *
 * Returns: (transfer none) (nullable): a tuple, or %NULL when the C values could not be encoded,
 * which running the call reports
 *
 * Since: 0.1
 */
GVariant *
procfun_call_get_arguments (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return self->args;
}

/**
 * procfun_call_set_executor:
 * @self: a #ProcfunCall that was not started
 * @executor: (nullable): where to run it, or %NULL for the default executor
 *
 * Chooses where the call runs.
 *
 * Since: 0.1
 */
void
procfun_call_set_executor (ProcfunCall *self, ProcfunExecutor *executor)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (executor == NULL || PROCFUN_IS_EXECUTOR (executor));
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  g_set_object (&self->executor, executor);
}

/**
 * procfun_call_get_executor:
 * @self: a #ProcfunCall
 *
 * Gets where the call runs.
 *
 * Returns: (transfer none) (nullable): the executor, or %NULL for the default one
 *
 * Since: 0.1
 */
ProcfunExecutor *
procfun_call_get_executor (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return self->executor;
}

/**
 * procfun_call_set_fd_list:
 * @self: a #ProcfunCall that was not started
 * @fd_list: (nullable): the descriptors that handles (`h`) in the arguments are indices into
 *
 * Sets the descriptors that go with the arguments. The generated functions do this themselves.
 *
 * Since: 0.1
 */
void
procfun_call_set_fd_list (ProcfunCall *self, GUnixFDList *fd_list)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (fd_list == NULL || G_IS_UNIX_FD_LIST (fd_list));
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  g_set_object (&self->fd_list, fd_list);
}

/**
 * procfun_call_get_fd_list:
 * @self: a #ProcfunCall
 *
 * Gets the descriptors that go with the arguments.
 *
 * Returns: (transfer none) (nullable): the descriptors
 *
 * Since: 0.1
 */
GUnixFDList *
procfun_call_get_fd_list (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return self->fd_list;
}

/**
 * procfun_call_get_state:
 * @self: a #ProcfunCall
 *
 * Tells how far the call is.
 *
 * Returns: the state
 *
 * Since: 0.1
 */
ProcfunCallState
procfun_call_get_state (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), PROCFUN_CALL_FAILED);
  return (ProcfunCallState)g_atomic_int_get (&self->state);
}

/**
 * procfun_call_get_pid:
 * @self: a #ProcfunCall
 *
 * Gets the number of the process that runs the function, or ran it: then another process may bear
 * it by now.
 *
 * Returns: a number, or 0 when the call has not got a process
 *
 * Since: 0.1
 */
int
procfun_call_get_pid (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), 0);
  return g_atomic_int_get (&self->pid);
}

/**
 * procfun_call_get_result:
 * @self: a #ProcfunCall
 *
 * Gets the result of a call that succeeded.
 *
 * Returns: (transfer none) (nullable): the result, or %NULL
 *
 * Since: 0.1
 */
GVariant *
procfun_call_get_result (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return procfun_call_get_state (self) == PROCFUN_CALL_SUCCEEDED ? self->result : NULL;
}

/**
 * procfun_call_get_result_fd_list:
 * @self: a #ProcfunCall
 *
 * Gets the descriptors that handles (`h`) in the result are indices into.
 *
 * Returns: (transfer none) (nullable): the descriptors, which the call owns
 *
 * Since: 0.1
 */
GUnixFDList *
procfun_call_get_result_fd_list (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return procfun_call_get_state (self) == PROCFUN_CALL_SUCCEEDED ? self->result_fd_list : NULL;
}
