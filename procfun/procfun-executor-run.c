/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls on an executor: they are counted, and what its class answers is checked. */

#include "procfun/procfun-executor-private.h"

#include "procfun/platform/intl.h"
#include "procfun/procfun-error.h"

/* Whoever derives from this class may err; those who convert the result to C values rely on its
 * type. Takes @result. */
static GVariant *
check_result (ProcfunCall *call, GVariant *result, GError **error)
{
  ProcfunFunction *function = procfun_call_get_function (call);
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

GVariant *
procfun_executor_run (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                      GError **error)
{
  GError *own_error = NULL;
  GVariant *result;

  if (!procfun_executor_enter (self, call, error))
    return NULL;
  result = PROCFUN_EXECUTOR_GET_CLASS (self)->run (self, call, cancellable, &own_error);
  result = check_result (call, result, &own_error);
  procfun_executor_leave (self, call, own_error);
  if (own_error != NULL)
    g_propagate_error (error, own_error);
  return result;
}

static void
on_run (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ProcfunExecutor *self = PROCFUN_EXECUTOR (source);
  g_autoptr (GTask) task = user_data;
  ProcfunCall *call = g_task_get_task_data (task);
  GError *error = NULL;
  GVariant *variant = PROCFUN_EXECUTOR_GET_CLASS (self)->run_finish (self, result, &error);

  variant = check_result (call, variant, &error);
  procfun_executor_leave (self, call, error);
  if (variant != NULL)
    g_task_return_pointer (task, variant, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, error);
}

void
procfun_executor_run_async (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, procfun_executor_run_async);
  g_task_set_task_data (task, call,
                        NULL); /* borrowed: it may be noticed that nobody else holds it */
  if (procfun_executor_enter (self, call, &error))
    PROCFUN_EXECUTOR_GET_CLASS (self)->run_async (self, call, cancellable, on_run,
                                                  g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

GVariant *
procfun_executor_run_finish (ProcfunExecutor *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

GVariant *
procfun_executor_next (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                       GError **error)
{
  GVariant *item = PROCFUN_EXECUTOR_GET_CLASS (self)->next (self, call, cancellable, error);

  return check_result (call, item, error);
}

void
procfun_executor_next_async (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  PROCFUN_EXECUTOR_GET_CLASS (self)->next_async (self, call, cancellable, callback, user_data);
}

GVariant *
procfun_executor_next_finish (ProcfunExecutor *self, ProcfunCall *call, GAsyncResult *result,
                              GError **error)
{
  GVariant *item = PROCFUN_EXECUTOR_GET_CLASS (self)->next_finish (self, result, error);

  return check_result (call, item, error);
}
