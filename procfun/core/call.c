/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/call.h"

#include "procfun/base/environment.h"
#include "procfun/core/call-buffers.h"
#include "procfun/core/call-wait.h"
#include "procfun/procfun-executor.h"

/**
 * SECTION:procfun-call
 * @title: ProcfunCall
 * @short_description: one call from beginning to end
 *
 * One call of a function.
 */

/**
 * ProcfunCall:
 *
 * One call of a function.
 *
 * A call is made of a function and its arguments, and can be run once, with procfun_call_run() or
 * procfun_call_run_async(). The macros generate `name_call()` and `name_run()` for calls with C
 * types.
 *
 * Its signals are emitted in the thread that runs it: the one in procfun_call_run(), or the one of
 * the main context that was the thread's default when procfun_call_run_async() was called.
 *
 * Since: 0.1
 */
/* Most functions do not listen to their cancellable: the first step ends them. */
#define DEFAULT_GRACE_PERIOD G_USEC_PER_SEC

G_DEFINE_FINAL_TYPE_WITH_CODE (ProcfunCall, procfun_call, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT, call_init_async_result))

enum
{
  PROP_FUNCTION = 1,
  PROP_STATE,
  PROP_PID,
  PROP_HOST,
  PROP_PROGRESS,
  PROP_PROGRESS_MESSAGE,
  PROP_RESULT,
  PROP_FAILURE,
  PROP_USAGE,
  PROP_EXECUTOR,
  PROP_LIMITS,
  PROP_TIMEOUT,
  PROP_DEADLINE,
  PROP_GRACE_PERIOD,
  PROP_PRIORITY,
  PROP_IO_PRIORITY,
  N_PROPS
};

enum
{
  STARTED,
  PROGRESS,
  OUTPUT,
  FINISHED,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

static void
procfun_call_dispose (GObject *object)
{
  ProcfunCall *self = PROCFUN_CALL (object);

  if (self->items.close == NULL || !self->items.close (self))
    G_OBJECT_CLASS (procfun_call_parent_class)->dispose (object);
}

static void
procfun_call_finalize (GObject *object)
{
  ProcfunCall *self = PROCFUN_CALL (object);

  g_clear_object (&self->function);
  g_clear_pointer (&self->args, g_variant_unref);
  g_clear_pointer (&self->packed_args, g_bytes_unref);
  g_clear_error (&self->encode_error);
  g_clear_object (&self->fd_list);
  g_clear_pointer (&self->pumps, g_ptr_array_unref);
  g_clear_pointer (&self->buffers, g_ptr_array_unref);
  g_clear_pointer (&self->chunk, call_chunk_free);
  g_clear_pointer (&self->contents, g_ptr_array_unref);
  g_clear_object (&self->settings.executor);
  g_clear_pointer (&self->result, g_variant_unref);
  call_answer_clear (&self->answer);
  g_clear_object (&self->result_fd_list);
  g_clear_pointer (&self->settings.limits, procfun_limits_free);
  g_clear_pointer (&self->settings.sandbox_rules, procfun_sandbox_rules_free);
  canceller_unref (self->canceller);
  g_clear_object (&self->settings.launch_context);
  g_clear_pointer (&self->failure, procfun_failure_unref);
  g_free (self->progress_message);

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
    case PROP_PID:
      g_value_set_int (value, procfun_call_get_pid (self));
      break;
    case PROP_HOST:
      g_value_set_string (value, procfun_call_get_host (self));
      break;
    case PROP_PROGRESS:
      g_value_set_double (value, self->progress);
      break;
    case PROP_PROGRESS_MESSAGE:
      g_value_set_string (value, self->progress_message);
      break;
    case PROP_RESULT:
      g_value_set_variant (value, procfun_call_get_result (self));
      break;
    case PROP_FAILURE:
      g_value_set_boxed (value, procfun_call_get_failure (self));
      break;
    case PROP_USAGE:
      g_value_set_boxed (value, procfun_call_get_usage (self));
      break;
    case PROP_EXECUTOR:
      g_value_set_object (value, self->settings.executor);
      break;
    case PROP_LIMITS:
      g_value_set_boxed (value, self->settings.limits);
      break;
    case PROP_TIMEOUT:
      g_value_set_int64 (value, self->settings.timeout);
      break;
    case PROP_DEADLINE:
      g_value_set_int64 (value, self->settings.deadline);
      break;
    case PROP_GRACE_PERIOD:
      g_value_set_int64 (value, self->settings.grace_period);
      break;
    case PROP_PRIORITY:
      g_value_set_int (value, self->settings.priority);
      break;
    case PROP_IO_PRIORITY:
      g_value_set_int (value, self->settings.io_priority);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_call_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  ProcfunCall *self = PROCFUN_CALL (object);

  switch (id)
    {
    case PROP_EXECUTOR:
      procfun_call_set_executor (self, g_value_get_object (value));
      break;
    case PROP_LIMITS:
      procfun_call_set_limits (self, g_value_get_boxed (value));
      break;
    case PROP_TIMEOUT:
      procfun_call_set_timeout (self, g_value_get_int64 (value));
      break;
    case PROP_DEADLINE:
      procfun_call_set_deadline (self, g_value_get_int64 (value));
      break;
    case PROP_GRACE_PERIOD:
      procfun_call_set_grace_period (self, g_value_get_int64 (value));
      break;
    case PROP_PRIORITY:
      procfun_call_set_priority (self, g_value_get_int (value));
      break;
    case PROP_IO_PRIORITY:
      procfun_call_set_io_priority (self, g_value_get_int (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

G_DEFINE_ENUM_TYPE (ProcfunStream, procfun_stream,
                    G_DEFINE_ENUM_VALUE (PROCFUN_STREAM_STDOUT, "stdout"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_STREAM_STDERR, "stderr"))

G_DEFINE_ENUM_TYPE (ProcfunOutputMode, procfun_output_mode,
                    G_DEFINE_ENUM_VALUE (PROCFUN_OUTPUT_INHERIT, "inherit"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_OUTPUT_CAPTURE, "capture"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_OUTPUT_DISCARD, "discard"))

G_DEFINE_ENUM_TYPE (ProcfunCallState, procfun_call_state,
                    G_DEFINE_ENUM_VALUE (PROCFUN_CALL_NEW, "new"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_CALL_RUNNING, "running"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_CALL_SUCCEEDED, "succeeded"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_CALL_FAILED, "failed"))

static void
make_course (void)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  /**
   * ProcfunCall:pid:
   *
   * Number of the process that runs the function, or ran it; 0: there is none. This property and
   * those that follow change where the signals of the call are emitted.
   *
   * Since: 0.1
   */
  props[PROP_PID] = g_param_spec_int ("pid", NULL, NULL, 0, G_MAXINT, 0, flags);
  /**
   * ProcfunCall:host:
   *
   * The machine that runs the function, or ran it; %NULL when it is this one.
   *
   * Since: 0.1
   */
  props[PROP_HOST] = g_param_spec_string ("host", NULL, NULL, NULL, flags);
  /**
   * ProcfunCall:progress:
   *
   * How far the function is, from 0 to 1, as #ProcfunCall::progress told last.
   *
   * Since: 0.1
   */
  props[PROP_PROGRESS] = g_param_spec_double ("progress", NULL, NULL, 0, 1, 0, flags);
  /**
   * ProcfunCall:progress-message:
   *
   * Work that the function is doing, as #ProcfunCall::progress told last.
   *
   * Since: 0.1
   */
  props[PROP_PROGRESS_MESSAGE] = g_param_spec_string ("progress-message", NULL, NULL, NULL, flags);
}

static void
make_outcome (void)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  /**
   * ProcfunCall:result:
   *
   * Result of a call that succeeded.
   *
   * Since: 0.1
   */
  props[PROP_RESULT] = g_param_spec_variant ("result", NULL, NULL, G_VARIANT_TYPE_ANY, NULL, flags);
  /**
   * ProcfunCall:failure:
   *
   * Why the call failed.
   *
   * Since: 0.1
   */
  props[PROP_FAILURE] = g_param_spec_boxed ("failure", NULL, NULL, PROCFUN_TYPE_FAILURE, flags);
  /**
   * ProcfunCall:usage:
   *
   * Resources that the call used, once it has ended.
   *
   * Since: 0.1
   */
  props[PROP_USAGE] = g_param_spec_boxed ("usage", NULL, NULL, PROCFUN_TYPE_USAGE, flags);
}

static void
make_settings (GParamFlags flags)
{
  /**
   * ProcfunCall:executor:
   *
   * Where the call runs; %NULL: on the default executor.
   *
   * Since: 0.1
   */
  props[PROP_EXECUTOR] = g_param_spec_object ("executor", NULL, NULL, PROCFUN_TYPE_EXECUTOR, flags);
  /**
   * ProcfunCall:limits:
   *
   * Resources that the call may use; %NULL: any.
   *
   * Since: 0.1
   */
  props[PROP_LIMITS] = g_param_spec_boxed ("limits", NULL, NULL, PROCFUN_TYPE_LIMITS, flags);
}

static void
make_times (GParamFlags flags)
{
  /**
   * ProcfunCall:timeout:
   *
   * How long the function may run, in microseconds; 0: as long as it likes.
   *
   * Since: 0.1
   */
  props[PROP_TIMEOUT] = g_param_spec_int64 ("timeout", NULL, NULL, 0, G_MAXINT64, 0, flags);
  /**
   * ProcfunCall:deadline:
   *
   * How long the call may take from its submission, time in a queue included, in microseconds; 0:
   * as long as it likes.
   *
   * Since: 0.1
   */
  props[PROP_DEADLINE] = g_param_spec_int64 ("deadline", NULL, NULL, 0, G_MAXINT64, 0, flags);
  /**
   * ProcfunCall:grace-period:
   *
   * How long a call that is to end has after each step of asking it, in microseconds. With 0 it is
   * killed at once.
   *
   * Since: 0.1
   */
  props[PROP_GRACE_PERIOD]
      = g_param_spec_int64 ("grace-period", NULL, NULL, 0, G_MAXINT64, DEFAULT_GRACE_PERIOD, flags);
}

static void
make_priorities (GParamFlags flags)
{
  /**
   * ProcfunCall:priority:
   *
   * How urgent the call is where calls wait for a process of their executor:
   * %G_PRIORITY_DEFAULT, or less for what is more urgent. What waits becomes more urgent by 100 in
   * a second, so that nothing waits for ever.
   *
   * Since: 0.1
   */
  props[PROP_PRIORITY]
      = g_param_spec_int ("priority", NULL, NULL, G_MININT, G_MAXINT, G_PRIORITY_DEFAULT, flags);
  /**
   * ProcfunCall:io-priority:
   *
   * How urgent the signals and the callback of an asynchronous call are among the other sources of
   * its main context: %G_PRIORITY_DEFAULT, or more for what is less urgent. A user interface draws
   * at a priority of its own, as 120 in GTK, and many calls that end are then better told behind
   * it, as at %G_PRIORITY_DEFAULT_IDLE. A main context that is busy for long with what is more
   * urgent also looks later at the times of the call. #ProcfunCall:priority is that of the queue.
   *
   * Since: 0.1
   */
  props[PROP_IO_PRIORITY]
      = g_param_spec_int ("io-priority", NULL, NULL, G_MININT, G_MAXINT, G_PRIORITY_DEFAULT, flags);
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  /**
   * ProcfunCall:function:
   *
   * Function that is called.
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
  make_course ();
  make_outcome ();
  make_settings (flags);
  make_times (flags);
  make_priorities (flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
make_signals (void)
{
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
   * ProcfunCall::progress:
   * @self: the call
   * @fraction: how far the function is, from 0 to 1
   * @message: (nullable): what it is doing
   *
   * Emitted when the function has called procfun_report_progress(), in order. Of reports that
   * follow each other within 20 ms only the first one and the last one come, which is never later
   * than those 20 ms.
   *
   * Since: 0.1
   */
  signals[PROGRESS] = g_signal_new ("progress", PROCFUN_TYPE_CALL, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                    NULL, G_TYPE_NONE, 2, G_TYPE_DOUBLE, G_TYPE_STRING);
  /**
   * ProcfunCall::output:
   * @self: the call
   * @stream: where the function printed
   * @line: a line without its end; what is no UTF-8 in it is replaced
   *
   * Emitted for each line that the function printed, where procfun_call_set_output_mode() asks for
   * it. A line of more than 64 KiB comes in parts.
   *
   * Since: 0.1
   */
  signals[OUTPUT] = g_signal_new ("output", PROCFUN_TYPE_CALL, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 2, PROCFUN_TYPE_STREAM, G_TYPE_STRING);
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
procfun_call_class_init (ProcfunCallClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = procfun_call_dispose;
  object_class->finalize = procfun_call_finalize;
  object_class->get_property = procfun_call_get_property;
  object_class->set_property = procfun_call_set_property;
  install_properties (object_class);
  make_signals ();
}

static void
procfun_call_init (ProcfunCall *self)
{
  self->settings.grace_period = DEFAULT_GRACE_PERIOD;
  self->canceller = canceller_new ();
}

/* Reports of executors */

ProcfunCall *
procfun_call_new_failed (ProcfunFunction *function, GError *error)
{
  ProcfunCall *self = g_object_new (PROCFUN_TYPE_CALL, NULL);

  self->function = g_object_ref (function);
  self->encode_error = error;
  return self;
}

ProcfunCall *
procfun_call_new_packed (ProcfunFunction *function, GBytes *packed_args)
{
  ProcfunCall *self = g_object_new (PROCFUN_TYPE_CALL, NULL);

  self->function = g_object_ref (function);
  self->packed_args = packed_args;
  return self;
}

/* Any thread may be the first to ask. */
static GVariant *
unpack_arguments (ProcfunCall *self)
{
  const GVariantType *type = procfun_function_get_arguments_type (self->function);
  GVariant *args = g_variant_ref_sink (g_variant_new_from_bytes (type, self->packed_args, TRUE));

  if (g_atomic_pointer_compare_and_exchange (&self->args, NULL, args))
    return args;
  g_variant_unref (args);
  return g_atomic_pointer_get (&self->args);
}

void
procfun_call_started (ProcfunCall *self, int pid)
{
  if (self->started_at == 0)
    self->started_at = g_get_monotonic_time ();
  g_atomic_int_set (&self->pid, pid);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PID]);
  if (self->observer != NULL && self->observer->started != NULL)
    self->observer->started (self, pid, self->observer_data);
  g_signal_emit (self, signals[STARTED], 0, pid);
}

void
procfun_call_set_observer (ProcfunCall *self, const CallObserver *observer, gpointer user_data)
{
  self->observer = observer;
  self->observer_data = user_data;
}

void
procfun_call_set_host (ProcfunCall *self, const char *host)
{
  if (procfun_call_get_host (self) == host)
    return;
  g_atomic_pointer_set (&self->host, host);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_HOST]);
}

void
procfun_call_notify_state (ProcfunCall *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
}

void
procfun_call_emit_finished (ProcfunCall *self)
{
  g_object_notify_by_pspec (G_OBJECT (self),
                            props[self->failure == NULL ? PROP_RESULT : PROP_FAILURE]);
  if (self->has_usage)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_USAGE]);
  g_signal_emit (self, signals[FINISHED], 0);
}

static void
emit_progress (ProcfunCall *self, const Event *event)
{
  g_autofree char *before = self->progress_message;
  gboolean is_new_message = g_strcmp0 (event->text, before) != 0;

  self->progress_message = g_strdup (event->text);
  if (is_new_message)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PROGRESS_MESSAGE]);
  if (self->progress != event->number)
    {
      self->progress = event->number;
      g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PROGRESS]);
    }
  if (self->observer != NULL && self->observer->progress != NULL)
    self->observer->progress (self, event->number, event->text, self->observer_data);
  g_signal_emit (self, signals[PROGRESS], 0, event->number, event->text);
}

void
procfun_call_emit_event (ProcfunCall *self, const Event *event)
{
  static const struct
  {
    const char *name;
    void (*emit) (ProcfunCall *self, const Event *event);
  } events[] = { { "progress", emit_progress } };

  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    if (g_str_equal (events[i].name, event->name))
      events[i].emit (self, event);
}

void
procfun_call_emit_output (ProcfunCall *self, ProcfunStream stream, const char *line)
{
  if (self->observer != NULL && self->observer->output != NULL)
    self->observer->output (self, stream, line, self->observer_data);
  g_signal_emit (self, signals[OUTPUT], 0, stream, line);
}

gint64
procfun_call_get_effective_timeout (ProcfunCall *self)
{
  return self->settings.timeout > 0 ? self->settings.timeout : environment_get_timeout ();
}

gint64
procfun_call_get_deadline_time (ProcfunCall *self)
{
  return self->settings.deadline > 0 ? self->submitted_at + self->settings.deadline : 0;
}

void
procfun_call_set_confined (ProcfunCall *self, guint32 level, guint32 parts)
{
  g_atomic_int_set (&self->sandbox, level);
  g_atomic_int_set (&self->sandbox_parts, parts);
}

void
procfun_call_set_usage (ProcfunCall *self, const ProcfunUsage *usage)
{
  self->has_usage = TRUE;
  self->usage = *usage;
}

void
procfun_call_take_failure (ProcfunCall *self, ProcfunFailure *failure)
{
  g_clear_pointer (&self->failure, procfun_failure_unref);
  self->failure = failure;
}

void
procfun_call_take_result_fd_list (ProcfunCall *self, GUnixFDList *fd_list)
{
  g_clear_object (&self->result_fd_list);
  self->result_fd_list = fd_list;
}

gpointer
procfun_call_get_stream (ProcfunCall *self)
{
  return self->stream;
}

void
procfun_call_take_stream (ProcfunCall *self, gpointer stream, GDestroyNotify free_stream)
{
  if (self->stream != NULL)
    self->free_stream (self->stream);
  self->stream = stream;
  self->free_stream = free_stream;
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
  GVariant *args;

  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);

  args = g_atomic_pointer_get (&self->args);
  return args == NULL && self->packed_args != NULL ? unpack_arguments (self) : args;
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
 * procfun_call_get_host:
 * @self: a #ProcfunCall
 *
 * Gets the machine that runs the function, or ran it, as it was named to procfun_remote_pool_new().
 * procfun_call_get_pid() is a number of that machine. A program keeps 65536 names of hosts, each of
 * 256 bytes at most; “…” stands for all further ones.
 *
 * Returns: (transfer none) (nullable): a name, or %NULL when it is this machine, or when no host
 * has the call yet
 *
 * Since: 0.1
 */
const char *
procfun_call_get_host (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return g_atomic_pointer_get (&self->host);
}

/**
 * procfun_call_get_progress:
 * @self: a #ProcfunCall
 *
 * Gets #ProcfunCall:progress, in the thread in which its signals are emitted.
 *
 * Returns: how far the function is, from 0 to 1
 *
 * Since: 0.1
 */
double
procfun_call_get_progress (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), 0);
  return self->progress;
}

/**
 * procfun_call_get_progress_message:
 * @self: a #ProcfunCall
 *
 * Gets #ProcfunCall:progress-message, in the thread in which its signals are emitted.
 *
 * Returns: (transfer none) (nullable): what the function is doing, or %NULL when it has not said it
 *
 * Since: 0.1
 */
const char *
procfun_call_get_progress_message (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return self->progress_message;
}

/**
 * procfun_call_get_result:
 * @self: a #ProcfunCall
 *
 * Gets the result of a call that succeeded. Where it has the contents of a #ProcfunBuffer of C,
 * that has them from the moment when `name_run()` or `name_run_finish()` has returned: the result
 * then has the memory of the buffer.
 *
 * Returns: (transfer none) (nullable): the result, or %NULL
 *
 * Since: 0.1
 */
GVariant *
procfun_call_get_result (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return procfun_call_get_state (self) == PROCFUN_CALL_SUCCEEDED ? call_complete_result (self)
                                                                 : NULL;
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
  return self->items.executor != NULL || procfun_call_get_state (self) == PROCFUN_CALL_SUCCEEDED
             ? self->result_fd_list
             : NULL;
}

/**
 * procfun_call_get_usage:
 * @self: a #ProcfunCall
 *
 * Gets what the call used, also when it failed, as far as its process could still be asked.
 *
 * Returns: (transfer none) (nullable): the usage, or %NULL when it is not known, or the call has
 * not ended
 *
 * Since: 0.1
 */
ProcfunUsage *
procfun_call_get_usage (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return self->has_usage && procfun_call_get_state (self) >= PROCFUN_CALL_SUCCEEDED ? &self->usage
                                                                                    : NULL;
}

/**
 * procfun_call_get_failure:
 * @self: a #ProcfunCall
 *
 * Gets why the call failed.
 *
 * Returns: (transfer none) (nullable): the failure, or %NULL when the call has not failed
 *
 * Since: 0.1
 */
ProcfunFailure *
procfun_call_get_failure (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return procfun_call_get_state (self) == PROCFUN_CALL_FAILED ? self->failure : NULL;
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
 * procfun_call_get_sandbox:
 * @self: a #ProcfunCall
 *
 * Gets the sandbox that the function ran in: the highest level that was whole. It is known when the
 * call has ended.
 *
 * Returns: what was achieved; %PROCFUN_SANDBOX_NONE also when the function did not run
 *
 * Since: 0.1
 */
ProcfunSandbox
procfun_call_get_sandbox (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), PROCFUN_SANDBOX_NONE);

  return (ProcfunSandbox)g_atomic_int_get (&self->sandbox);
}

/**
 * procfun_call_get_sandbox_parts:
 * @self: a #ProcfunCall
 *
 * Gets the parts of the sandbox that the function ran in, also of one that was not whole.
 *
 * Returns: the parts
 *
 * Since: 0.1
 */
ProcfunSandboxParts
procfun_call_get_sandbox_parts (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), PROCFUN_SANDBOX_PART_NONE);

  return (ProcfunSandboxParts)g_atomic_int_get (&self->sandbox_parts);
}
