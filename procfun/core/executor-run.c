/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls on an executor: they are counted, and what its class answers is checked. */

#include "procfun/core/executor.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/procfun-error.h"

/* Whoever derives from this class may err, but for the library's own, whose results were read as
 * values of the type; those who convert the result to C values rely on it. Takes @result. */
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

/* (nullable): not for those who look at the call itself */
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

  return check_result (call, item, error);
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

  return check_result (call, item, error);
}
