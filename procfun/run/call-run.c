/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Running a call, with and without waiting for its end. */

#include "procfun/run/call-run.h"

#include "procfun/base/intl.h"
#include "procfun/core/call-buffers.h"
#include "procfun/core/call-wait.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/core/function.h"
#include "procfun/procfun-error.h"
#include "procfun/run/default-executor.h"

static gboolean
check (ProcfunCall *self, GError **error)
{
  if (procfun_function_is_generator (procfun_call_peek_function (self)))
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                   _ ("%s() is a generator, whose items are taken one by one"),
                   procfun_function_get_name (procfun_call_peek_function (self)));
      return FALSE;
    }
  return procfun_call_check_arguments (self, error)
         && !canceller_set_error_if_cancelled (procfun_call_get_canceller (self), error);
}

GVariant *
call_run (ProcfunCall *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (ProcfunExecutor) executor = NULL;
  GError *own_error = NULL;
  GVariant *result = NULL;
  CallLink link;

  if (!procfun_call_begin (self))
    return NULL;

  g_object_ref (self);
  call_link_init (&link, self, cancellable);
  executor = procfun_call_ref_executor (self);
  if (check (self, &own_error))
    result = procfun_executor_run (executor, self, &own_error);
  call_link_clear (&link);
  procfun_call_end (self, result, own_error);
  if (own_error != NULL)
    g_propagate_error (error, own_error);
  g_object_unref (self);
  return result;
}

/**
 * procfun_call_run:
 * @self: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable, which ends the call like procfun_call_abort()
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
  GVariant *result;

  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  g_object_ref (self);
  result = call_give_result (self, call_run (self, cancellable, error), error);
  g_object_unref (self);
  return result;
}

static void
on_run (GVariant *result, GError *error, gpointer user_data)
{
  CallWait *wait = user_data;
  ProcfunExecutor *executor = call_wait_get_executor (wait);

  result = procfun_executor_end (executor, call_wait_get_call (wait), result, &error);
  call_wait_end (wait, result, error);
}

/**
 * procfun_call_run_async:
 * @self: a #ProcfunCall that was not started
 * @cancellable: (nullable): a #GCancellable, which ends the call like procfun_call_abort()
 * @callback: called when the call has ended
 * @user_data: for @callback
 *
 * Runs the call without waiting for its end. Signals and @callback come in the main context that is
 * this thread's default now, and that must be run until then: the call keeps it, and its process.
 * The result that @callback is given is the call itself, which is a #GAsyncResult.
 *
 * A call that runs keeps itself: dropping references does not end it, and procfun_call_abort()
 * does.
 *
 * Since: 0.1
 */
void
procfun_call_run_async (ProcfunCall *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (CallWait) wait = NULL;
  GError *error = NULL;

  g_return_if_fail (PROCFUN_IS_CALL (self));
  if (!procfun_call_begin (self))
    return;

  wait = call_wait_new (self, procfun_call_ref_executor (self), cancellable, callback, user_data,
                        procfun_call_run_async, procfun_call_end);
  call_wait_set_final (wait);
  if (check (self, &error) && procfun_executor_enter (call_wait_get_executor (wait), self, &error))
    procfun_executor_run_async (call_wait_get_executor (wait), self, call_wait_get_context (wait),
                                on_run, wait);
  else
    call_wait_end (wait, NULL, error);
  call_wait_has_begun (wait);
}

GVariant *
call_run_finish (ProcfunCall *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (call_wait_is_valid (result, self, procfun_call_run_async), NULL);

  return call_wait_finish (result, error);
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
  g_return_val_if_fail (call_wait_is_valid (result, self, procfun_call_run_async), NULL);

  return call_give_result (self, call_run_finish (self, result, error), error);
}
