/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/desk.h"

#include <unistd.h>

struct _TestDesk
{
  ProcfunExecutor parent_instance;
  GPtrArray *waiting; /* (element-type GTask) */
};

G_DEFINE_FINAL_TYPE (TestDesk, test_desk, PROCFUN_TYPE_EXECUTOR)

static GVariant *
test_desk_run (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
               GError **error)
{
  return g_variant_ref_sink (g_variant_new_int32 (5));
}

static void
test_desk_run_async (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data)
{
  g_ptr_array_add (TEST_DESK (executor)->waiting, g_task_new (executor, NULL, callback, user_data));
}

static GVariant *
test_desk_run_finish (ProcfunExecutor *executor, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
test_desk_describe (ProcfunExecutor *executor, ProcfunStatistics *statistics)
{
  guint n = TEST_DESK (executor)->waiting->len;

  procfun_statistics_set_queue (statistics, n > 0 ? n - 1 : 0, 100 * n);
  procfun_statistics_add_worker (statistics, getpid (), PROCFUN_WORKER_BUSY, 7, 8000000);
  procfun_statistics_add_worker (statistics, G_MAXINT, PROCFUN_WORKER_IDLE, 0, 9);
}

static void
test_desk_finalize (GObject *object)
{
  g_ptr_array_unref (TEST_DESK (object)->waiting);
  G_OBJECT_CLASS (test_desk_parent_class)->finalize (object);
}

static void
test_desk_class_init (TestDeskClass *klass)
{
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = test_desk_finalize;
  executor_class->run = test_desk_run;
  executor_class->run_async = test_desk_run_async;
  executor_class->run_finish = test_desk_run_finish;
  executor_class->describe = test_desk_describe;
}

static void
test_desk_init (TestDesk *self)
{
  self->waiting = g_ptr_array_new_with_free_func (g_object_unref);
}

void
test_desk_answer_all (TestDesk *self)
{
  g_autoptr (GPtrArray) waiting = g_ptr_array_ref (self->waiting);

  for (guint i = 0; i < waiting->len; i++)
    g_task_return_pointer (waiting->pdata[i], g_variant_ref_sink (g_variant_new_int32 (5)),
                           (GDestroyNotify)g_variant_unref);
  g_ptr_array_set_size (waiting, 0);
}
