/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Beginning, end and cancellation of a call, wherever it runs. */

#include "procfun/base/intl.h"
#include "procfun/core/call-debug.h"
#include "procfun/core/call-join.h"
#include "procfun/core/call-streams.h"
#include "procfun/core/call.h"
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
  g_atomic_pointer_set (&self->thread, g_thread_self ());
  self->submitted_at = g_get_monotonic_time ();
  if (debug_has (DEBUG_LOGS))
    call_debug_begin (self);
  procfun_call_notify_state (self);
  return TRUE;
}

void
procfun_call_begin_late (ProcfunCall *self, gint64 submitted_at, gint64 started_at)
{
  g_atomic_int_set (&self->state, PROCFUN_CALL_RUNNING);
  self->submitted_at = submitted_at;
  self->started_at = started_at;
  procfun_call_notify_state (self);
}

ProcfunCause
procfun_call_find_cause (const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return PROCFUN_CAUSE_CANCELLED;
  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT))
    return PROCFUN_CAUSE_TIMED_OUT;
  return PROCFUN_CAUSE_ERROR;
}

void
procfun_call_end (ProcfunCall *self, GVariant *result, GError *error)
{
  const char *name = procfun_function_get_name (self->function);

  if (self->pumps != NULL)
    call_end_pumps (self);
  if (result != NULL)
    self->result = g_variant_ref (result);
  else if (self->failure == NULL)
    self->failure = procfun_failure_new (procfun_call_find_cause (error), name);
  if (error != NULL && error->domain == PROCFUN_ERROR)
    failure_attach (self->failure, error);
  if (debug_has (DEBUG_CALLS | DEBUG_MARKS))
    call_debug_end (self, error);
  g_atomic_int_set (&self->state, result != NULL ? PROCFUN_CALL_SUCCEEDED : PROCFUN_CALL_FAILED);
  call_join_wake (self);
  procfun_call_notify_state (self);
  procfun_call_emit_finished (self);
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
