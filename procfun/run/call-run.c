/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of a call, from its start to its end. */

#include "procfun/base/intl.h"
#include "procfun/core/call-debug.h"
#include "procfun/core/call-wait.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/core/failure.h"
#include "procfun/core/function.h"
#include "procfun/procfun-error.h"

gboolean
procfun_call_check_arguments (ProcfunCall *self, GError **error)
{
  const GVariantType *type;

  if (self->encode_error != NULL)
    {
      g_propagate_error (error, g_error_copy (self->encode_error));
      return FALSE;
    }
  if (self->packed_args != NULL)
    return TRUE;
  type = procfun_function_get_arguments_type (self->function);
  if (g_variant_is_of_type (self->args, type))
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("%s() takes arguments of the type “%.*s”, not “%s”"),
               procfun_function_get_name (self->function),
               (int)g_variant_type_get_string_length (type), g_variant_type_peek_string (type),
               g_variant_get_type_string (self->args));
  return FALSE;
}

gboolean
procfun_call_begin (ProcfunCall *self)
{
  if (!g_atomic_int_compare_and_exchange (&self->state, PROCFUN_CALL_NEW, PROCFUN_CALL_RUNNING))
    {
      g_critical ("This call of %s() was started before",
                  procfun_function_get_name (self->function));
      return FALSE;
    }
  self->submitted_at = g_get_monotonic_time ();
  if (debug_has (DEBUG_CALLS | DEBUG_WORKERS | DEBUG_WIRE))
    call_debug_begin (self);
  procfun_call_notify_state (self);
  return TRUE;
}

void
procfun_call_end (ProcfunCall *self, GVariant *result, GError *error)
{
  const char *name = procfun_function_get_name (self->function);
  gboolean cancelled = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  if (result != NULL)
    self->result = g_variant_ref (result);
  else if (self->failure == NULL)
    self->failure
        = procfun_failure_new (cancelled ? PROCFUN_CAUSE_CANCELLED : PROCFUN_CAUSE_ERROR, name);
  if (error != NULL && error->domain == PROCFUN_ERROR)
    failure_attach (self->failure, error);
  if (debug_has (DEBUG_CALLS))
    call_debug_end (self, error);
  g_atomic_int_set (&self->state, result != NULL ? PROCFUN_CALL_SUCCEEDED : PROCFUN_CALL_FAILED);
  procfun_call_notify_state (self);
  procfun_call_emit_finished (self);
}

ProcfunExecutor *
procfun_call_ref_executor (ProcfunCall *self)
{
  return self->executor != NULL ? g_object_ref (self->executor) : procfun_executor_ref_default ();
}

static gboolean
check (ProcfunCall *self, GError **error)
{
  if (procfun_function_is_generator (self->function))
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                   _ ("%s() is a generator, whose items are taken one by one"),
                   procfun_function_get_name (self->function));
      return FALSE;
    }
  return procfun_call_check_arguments (self, error)
         && !canceller_set_error_if_cancelled (self->canceller, error);
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
  g_autoptr (ProcfunExecutor) executor = NULL;
  GError *own_error = NULL;
  GVariant *result = NULL;
  CallLink link;

  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);
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
 *
 * Nobody waits for a call that nobody holds: when the last reference to it goes while it runs, it
 * is ended as by procfun_call_abort(), unless procfun_call_detach() was called. @callback is called
 * in any case.
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
  if (check (self, &error) && procfun_executor_enter (call_wait_get_executor (wait), self, &error))
    procfun_executor_run_async (call_wait_get_executor (wait), self, call_wait_get_context (wait),
                                on_run, wait);
  else
    call_wait_end (wait, NULL, error);
  call_wait_has_begun (wait);
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

  return call_wait_finish (result, error);
}

/**
 * procfun_call_abort:
 * @self: a #ProcfunCall
 *
 * Ends the call, from any thread: first the function's own procfun_get_cancellable() trips, if it
 * has asked for it; after #ProcfunCall:grace-period its process is sent SIGTERM, and after as long
 * again SIGKILL. The call then fails with %G_IO_ERROR_CANCELLED. A call that was not started fails
 * so when it is run; one that has ended is left as it is.
 *
 * Since: 0.1
 */
void
procfun_call_abort (ProcfunCall *self)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));

  canceller_cancel (self->canceller);
}

/**
 * procfun_call_detach:
 * @self: a #ProcfunCall
 *
 * Lets the call run on when nobody holds it any more, as long as its main context is run: its
 * process ends with this one. The items of a generator, which nobody could take then, keep none.
 *
 * Since: 0.1
 */
void
procfun_call_detach (ProcfunCall *self)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));

  g_atomic_int_set (&self->detached, TRUE);
}
