/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/run/unknown-executor.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"

struct _UnknownExecutor
{
  ProcfunExecutor parent_instance;

  GError *why;
};

G_DEFINE_FINAL_TYPE (UnknownExecutor, unknown_executor, PROCFUN_TYPE_EXECUTOR)

static GVariant *
refuse (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("%s() cannot be called: PROCFUN_EXECUTOR: %s"),
               procfun_function_get_name (procfun_call_get_function (call)),
               UNKNOWN_EXECUTOR (executor)->why->message);
  return NULL;
}

static void
refuse_async (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
              GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (executor, NULL, callback, user_data);
  GError *error = NULL;

  refuse (executor, call, cancellable, &error);
  g_task_return_error (task, error);
}

static GVariant *
refuse_finish (ProcfunExecutor *executor, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
unknown_executor_finalize (GObject *object)
{
  g_error_free (UNKNOWN_EXECUTOR (object)->why);
  G_OBJECT_CLASS (unknown_executor_parent_class)->finalize (object);
}

static void
unknown_executor_class_init (UnknownExecutorClass *klass)
{
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = unknown_executor_finalize;
  executor_class->run = refuse;
  executor_class->run_async = refuse_async;
  executor_class->run_finish = refuse_finish;
  executor_class->next = refuse;
}

static void
unknown_executor_init (UnknownExecutor *self)
{
}

ProcfunExecutor *
unknown_executor_new (GError *why)
{
  UnknownExecutor *self = g_object_new (UNKNOWN_TYPE_EXECUTOR, NULL);

  self->why = why;
  return PROCFUN_EXECUTOR (self);
}
