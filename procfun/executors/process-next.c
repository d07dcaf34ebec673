/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Items of generators. */

#include "procfun/executors/process-next.h"

#include "procfun/core/call.h"
#include "procfun/executors/process-start.h"
#include "procfun/process/item-stream.h"

/* The first item starts the call. */
static ItemStream *
make_stream (ProcfunCall *call, Exchange *exchange)
{
  ItemStream *stream = item_stream_new (exchange);

  procfun_call_take_stream (call, stream, item_stream_free);
  return stream;
}

GVariant *
procfun_process_executor_next (ProcfunExecutor *executor, ProcfunCall *call,
                               GCancellable *cancellable, GError **error)
{
  ItemStream *stream = procfun_call_get_stream (call);
  Exchange *exchange;

  if (stream == NULL)
    {
      exchange = PROCFUN_PROCESS_EXECUTOR_GET_CLASS (executor)->start (
          PROCFUN_PROCESS_EXECUTOR (executor), call, error);
      if (exchange == NULL)
        return NULL;
      stream = make_stream (call, exchange);
    }
  return item_stream_next (stream, error);
}

static void
on_stream_started (ProcessStart *self, Exchange *exchange, GError *error)
{
  g_autoptr (GTask) task = self->user_data;
  ProcfunCall *call = self->call;

  process_start_free (self);
  if (exchange != NULL)
    item_stream_next_async (make_stream (call, exchange), g_steal_pointer (&task));
  else
    g_task_return_error (task, error);
}

void
procfun_process_executor_next_async (ProcfunExecutor *executor, ProcfunCall *call,
                                     GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  GTask *task = g_task_new (executor, NULL, callback, user_data);
  ItemStream *stream = procfun_call_get_stream (call);
  ProcessStart *to_start;

  if (stream != NULL)
    {
      item_stream_next_async (stream, task);
      return;
    }
  to_start = process_start_new (executor, call, g_task_get_context (task));
  to_start->callback = on_stream_started;
  to_start->user_data = task;
  process_start_begin (to_start);
}
