/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/manual-executor.h"

#include <unistd.h>

struct _TestManualExecutor
{
  ProcfunExecutor parent_instance;
  GPtrArray *waiting; /* (element-type GTask) */
};

G_DEFINE_FINAL_TYPE (TestManualExecutor, test_manual_executor, PROCFUN_TYPE_EXECUTOR)

static GVariant *
test_manual_executor_run (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                          GError **error)
{
  return g_variant_ref_sink (g_variant_new_int32 (5));
}

static void
test_manual_executor_run_async (ProcfunExecutor *executor, ProcfunCall *call,
                                GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_ptr_array_add (TEST_MANUAL_EXECUTOR (executor)->waiting,
                   g_task_new (executor, NULL, callback, user_data));
}

static GVariant *
test_manual_executor_run_finish (ProcfunExecutor *executor, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
test_manual_executor_describe (ProcfunExecutor *executor, ProcfunStatistics *statistics)
{
  guint n = TEST_MANUAL_EXECUTOR (executor)->waiting->len;

  procfun_statistics_set_queue (statistics, n > 0 ? n - 1 : 0, 100 * n);
  procfun_statistics_add_worker (statistics, getpid (), PROCFUN_WORKER_BUSY, 7, 8000000);
  procfun_statistics_add_worker (statistics, G_MAXINT, PROCFUN_WORKER_IDLE, 0, 9);
}

static void
test_manual_executor_finalize (GObject *object)
{
  g_ptr_array_unref (TEST_MANUAL_EXECUTOR (object)->waiting);
  G_OBJECT_CLASS (test_manual_executor_parent_class)->finalize (object);
}

static void
test_manual_executor_class_init (TestManualExecutorClass *klass)
{
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = test_manual_executor_finalize;
  executor_class->run = test_manual_executor_run;
  executor_class->run_async = test_manual_executor_run_async;
  executor_class->run_finish = test_manual_executor_run_finish;
  executor_class->describe = test_manual_executor_describe;
}

static void
test_manual_executor_init (TestManualExecutor *self)
{
  self->waiting = g_ptr_array_new_with_free_func (g_object_unref);
}

void
test_manual_executor_answer_all (TestManualExecutor *self)
{
  g_autoptr (GPtrArray) waiting = g_ptr_array_ref (self->waiting);

  for (guint i = 0; i < waiting->len; i++)
    g_task_return_pointer (waiting->pdata[i], g_variant_ref_sink (g_variant_new_int32 (5)),
                           (GDestroyNotify)g_variant_unref);
  g_ptr_array_set_size (waiting, 0);
}
