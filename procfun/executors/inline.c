/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-inline.h"

#include "procfun/base/intl.h"
#include "procfun/core/call-streams.h"
#include "procfun/core/call.h"
#include "procfun/core/context.h"
#include "procfun/core/executor.h"
#include "procfun/core/function.h"
#include "procfun/core/plain-call.h"
#include "procfun/procfun-error.h"
#include <unistd.h>

/**
 * SECTION:procfun-inline
 * @title: ProcfunInline
 * @short_description: calls in the process of the caller
 *
 * An executor that runs calls in the process of the caller.
 */

/**
 * ProcfunInline:
 *
 * An executor that runs calls in the process of the caller.
 *
 * Runs each call in the caller's own process and thread: for debuggers, which then step into the
 * function, and for unit tests. Signals and errors are the same as elsewhere; but a function that
 * crashes takes the program with it, and one that runs can't be cancelled.
 *
 * `PROCFUN_EXECUTOR=inline` makes it the default executor of a program.
 *
 * Since: 0.1
 */
struct _ProcfunInline
{
  ProcfunExecutor parent_instance;
};

G_DEFINE_FINAL_TYPE (ProcfunInline, procfun_inline, PROCFUN_TYPE_EXECUTOR)

static void
report (const Event *event, gpointer user_data)
{
  procfun_call_emit_event (user_data, event);
}

/* Settings that cannot be kept here are refused, not ignored. */
static gboolean
check_settings (ProcfunCall *call, GError **error)
{
  if (procfun_call_get_settings (call)->sandbox == PROCFUN_SANDBOX_NONE
      && function_get_sandbox (procfun_call_peek_function (call)) == PROCFUN_SANDBOX_NONE
      && procfun_call_get_limits (call) == NULL && procfun_call_get_timeout (call) == 0
      && procfun_call_get_deadline (call) == 0 && procfun_call_get_launch_context (call) == NULL
      && procfun_call_get_output_mode (call, PROCFUN_STREAM_STDOUT) == PROCFUN_OUTPUT_INHERIT
      && procfun_call_get_output_mode (call, PROCFUN_STREAM_STDERR) == PROCFUN_OUTPUT_INHERIT)
    return TRUE;
  g_set_error (
      error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
      _ ("%s() cannot be called: limits, times, launch context, sandbox and output need a process "
         "of its own"),
      procfun_function_get_name (procfun_call_get_function (call)));
  return FALSE;
}

static GVariant *
procfun_inline_run (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                    GError **error)
{
  g_autoptr (GUnixFDList) result_fds = NULL;
  Running running = { .cancellable = cancellable, .report = report, .user_data = call };
  Running *before;
  GVariant *result;

  if (!check_settings (call, error))
    return NULL;
  procfun_call_started (call, (int)getpid ());
  call_cut_pumps_at_failure (call);
  before = procfun_context_set_running (&running);
  result = procfun_function_invoke (procfun_call_get_function (call),
                                    procfun_call_get_arguments (call),
                                    procfun_call_get_fd_list (call), &result_fds, error);
  procfun_context_set_running (before);
  if (result != NULL && result_fds != NULL)
    procfun_call_take_result_fd_list (call, g_steal_pointer (&result_fds));
  return result;
}

/* Calls without an object */

static void
make_cancellable (gpointer user_data)
{
  Running *running = user_data;

  running->cancellable = g_cancellable_new ();
}

static guint
procfun_inline_run_plain (ProcfunExecutor *executor, gpointer plain_call)
{
  PlainCall *plain = plain_call;
  g_autoptr (PackedInvocation) invocation = packed_invocation_new (plain->function);
  BufferRoom room;
  g_auto (Buffer) result = BUFFER_IN (room);
  g_autoptr (GVariant) value = NULL;
  Running running = { .listen = make_cancellable, .user_data = &running };
  Running *before;

  if (plain->receiver != NULL || invocation == NULL
      || !packed_invocation_prepare (invocation, plain->args.data, plain->args.length, NULL))
    return PLAIN_CALL_NOT_BEGUN;
  plain->started_at = g_get_monotonic_time ();
  before = procfun_context_set_running (&running);
  packed_invocation_run (invocation, &result, &value, &plain->error);
  procfun_context_set_running (before);
  g_clear_object (&running.cancellable);
  if (plain->error != NULL)
    return PLAIN_CALL_FAILED;
  if (value != NULL)
    plain_call_read_result (plain, g_variant_get_data (value), g_variant_get_size (value));
  else
    plain_call_read_result (plain, result.data, result.length);
  return PLAIN_CALL_DONE;
}

/* The executor was closed before the main loop came to this. */
static gboolean
is_dropped (GTask *task)
{
  ProcfunCloseFlags flags = procfun_executor_get_close_flags (g_task_get_source_object (task));
  ProcfunCall *call = g_task_get_task_data (task);

  if ((flags & PROCFUN_CLOSE_DROP_QUEUED) == 0)
    return FALSE;
  g_task_return_new_error (task, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED,
                           _ ("%s() cannot be called: the executor is closed"),
                           procfun_function_get_name (procfun_call_peek_function (call)));
  return TRUE;
}

static gboolean
run_in_context (gpointer user_data)
{
  GTask *task = user_data;
  GError *error = NULL;
  GVariant *result;

  if (g_task_return_error_if_cancelled (task) || is_dropped (task))
    return G_SOURCE_REMOVE;
  result = procfun_inline_run (g_task_get_source_object (task), g_task_get_task_data (task),
                               g_task_get_cancellable (task), &error);
  if (result != NULL)
    g_task_return_pointer (task, result, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, error);
  return G_SOURCE_REMOVE;
}

static void
procfun_inline_run_async (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (executor, cancellable, callback, user_data);
  g_autoptr (GSource) source = g_idle_source_new ();

  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, call, NULL); /* whoever runs it holds it */
  g_task_set_priority (task, procfun_call_get_settings (call)->io_priority);
  g_source_set_priority (source, procfun_call_get_settings (call)->io_priority);
  g_source_set_callback (source, run_in_context, g_steal_pointer (&task), g_object_unref);
  g_source_attach (source, g_main_context_get_thread_default ());
}

/* A main context runs them one after the other. */
static guint
procfun_inline_get_capacity (ProcfunExecutor *executor)
{
  return 1;
}

static void
procfun_inline_class_init (ProcfunInlineClass *klass)
{
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  executor_class->run = procfun_inline_run;
  executor_class->run_plain = procfun_inline_run_plain;
  executor_class->get_capacity = procfun_inline_get_capacity;
  executor_class->run_async = procfun_inline_run_async;
}

static void
procfun_inline_init (ProcfunInline *self)
{
}

/**
 * procfun_inline_new:
 *
 * Makes an executor that runs calls in the process of the caller.
 *
 * Returns: (transfer full): a new #ProcfunInline
 *
 * Since: 0.1
 */
ProcfunInline *
procfun_inline_new (void)
{
  return g_object_new (PROCFUN_TYPE_INLINE, NULL);
}
