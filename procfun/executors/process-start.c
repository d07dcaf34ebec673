/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/executors/process-start.h"

void
process_start_begin (ProcessStart *self)
{
  PROCFUN_PROCESS_EXECUTOR_GET_CLASS (self->executor)->start_async (self->executor, self);
}

ProcessStart *
process_start_new (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context)
{
  ProcessStart *self = g_new (ProcessStart, 1);

  *self = (ProcessStart){ .executor = PROCFUN_PROCESS_EXECUTOR (executor),
                          .call = call,
                          .context = context,
                          .preparation = PREPARATION_INIT };
  return self;
}

void
process_start_free (ProcessStart *self)
{
  preparation_clear (&self->preparation);
  g_free (self);
}

static void
start_again (ProcessStart *self)
{
  preparation_clear (&self->preparation);
  process_start_begin (self);
}

/* A call that the worker had not begun can be given to another one. */
static void
on_head (Exchange *exchange, ExchangeHead turn, gpointer user_data)
{
  ProcessStart *self = user_data;

  if (turn == EXCHANGE_HEAD_COME)
    {
      self->callback (self, exchange, NULL);
      return;
    }
  exchange_free (exchange);
  if (turn == EXCHANGE_HEAD_LOST)
    start_again (self);
  else
    process_start_free (self);
}

void
process_start_end (ProcessStart *self, Exchange *exchange, GError *error)
{
  if (exchange != NULL && exchange_is_pipelined (exchange))
    {
      exchange_wait_for_head (exchange, on_head, self);
      return;
    }
  self->callback (self, exchange, error);
}
