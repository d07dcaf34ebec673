/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Closing the executors of a program that ends. */

#include "procfun/core/executor.h"

/* They refuse calls before the first one is waited for, or its callbacks would call by another. */
static GPtrArray *
begin (ProcfunCloseFlags flags)
{
  GPtrArray *executors = executor_list_ref_all ();

  for (guint i = 0; i < executors->len; i++)
    procfun_executor_begin_to_close (executors->pdata[i], flags);
  return executors;
}

/**
 * procfun_executor_close_all:
 * @flags: what becomes of the calls that wait and of those that run
 * @cancellable: (nullable): a #GCancellable, which ends the waiting only
 * @error: return location for a #GError
 *
 * Closes all executors of this process, the default one among them, as
 * procfun_executor_close_full() does: for the end of a program. The library needs nothing like
 * that, since no process outlives the program; but calls then have their end, and memory checkers
 * find nothing. Executors that are made later are not closed.
 *
 * Where one cannot be closed the others are, all the same.
 *
 * Returns: %TRUE, or %FALSE with @error set to the first error
 *
 * Since: 0.1
 */
gboolean
procfun_executor_close_all (ProcfunCloseFlags flags, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) executors = NULL;
  gboolean ok = TRUE;

  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  executors = begin (flags);
  for (guint i = 0; i < executors->len; i++)
    if (!procfun_executor_close_full (executors->pdata[i], flags, cancellable, ok ? error : NULL))
      ok = FALSE;
  return ok;
}

typedef struct
{
  GTask *task;
  guint n_left;
  GError *error; /* (nullable): the first one */
} ClosingAll;

/* Takes one away from those that are waited for. */
static void
end_one (ClosingAll *self)
{
  g_autoptr (GTask) task = NULL;

  if (--self->n_left > 0)
    return;
  task = self->task;
  if (self->error != NULL)
    g_task_return_error (task, self->error);
  else
    g_task_return_boolean (task, TRUE);
  g_free (self);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ClosingAll *self = user_data;
  g_autoptr (GError) error = NULL;

  procfun_executor_close_full_finish (PROCFUN_EXECUTOR (source), result, &error);
  if (self->error == NULL)
    self->error = g_steal_pointer (&error);
  end_one (self);
}

/**
 * procfun_executor_close_all_async:
 * @flags: what becomes of the calls that wait and of those that run
 * @cancellable: (nullable): a #GCancellable
 * @callback: called in the thread-default main context when all are closed
 * @user_data: for @callback
 *
 * Does what procfun_executor_close_all() does, without waiting. The source object that @callback
 * gets is %NULL.
 *
 * Since: 0.1
 */
void
procfun_executor_close_all_async (ProcfunCloseFlags flags, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GPtrArray) executors = begin (flags);
  ClosingAll *self = g_new0 (ClosingAll, 1);

  self->task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, procfun_executor_close_all_async);
  g_task_set_check_cancellable (self->task, FALSE);
  self->n_left = executors->len + 1;
  for (guint i = 0; i < executors->len; i++)
    procfun_executor_close_full_async (executors->pdata[i], flags, cancellable, on_closed, self);
  end_one (self);
}

/**
 * procfun_executor_close_all_finish:
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Ends what procfun_executor_close_all_async() began.
 *
 * Returns: %TRUE, or %FALSE with @error set to the first error
 *
 * Since: 0.1
 */
gboolean
procfun_executor_close_all_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_executor_close_all_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
