/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/executors/process-run.h"

#include "procfun/core/call-wait.h"
#include "procfun/core/call.h"
#include "procfun/executors/process-executor.h"
#include "procfun/executors/process-start.h"
#include "procfun/executors/slot-start.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/process/exchange-drive.h"

/* Workers that die before they read the call. Where the caller is slow, they may have been idle for
 * too long just then, several in a row, and nothing is wrong with the call. */
#define LOST_TRIES_MAX 30

static Exchange *
start (ProcfunExecutor *executor, ProcfunCall *call, GError **error)
{
  return PROCFUN_PROCESS_EXECUTOR_GET_CLASS (executor)->start (PROCFUN_PROCESS_EXECUTOR (executor),
                                                               call, error);
}

/* The next try has an error of its own. */
static void
forget_try (ProcfunCall *call, GError **error)
{
  procfun_call_take_failure (call, NULL);
  g_clear_error (error);
}

/* A cancellable comes from executors of others that hand calls on. */
GVariant *
process_run (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
             GError **error)
{
  const gint64 began_at = g_get_monotonic_time ();
  GVariant *result = NULL;
  gboolean was_begun = FALSE;
  CallLink link;

  call_link_init (&link, call, cancellable);
  for (guint n_tries = 1; !was_begun; n_tries++)
    {
      g_autoptr (Exchange) exchange = start (executor, call, error);

      if (exchange == NULL)
        break;
      result = exchange_run (exchange, error);
      was_begun = exchange_was_begun (exchange) || n_tries >= LOST_TRIES_MAX;
      if (!was_begun)
        forget_try (call, error);
    }
  call_link_clear (&link);
  inherited_state_note_wait (began_at, g_get_monotonic_time ());
  return result;
}

static void
on_ended (GVariant *result, GError *error, gboolean was_begun, gpointer user_data)
{
  ProcessStart *self = user_data;
  ProcfunExecutorFunc func = self->func;
  gpointer func_data = self->user_data;

  if (!was_begun && ++self->n_tries < LOST_TRIES_MAX)
    {
      forget_try (self->call, &error);
      process_start_begin (self);
      return;
    }
  process_start_free (self);
  func (result, error, func_data);
}

static void
on_started (ProcessStart *self, Exchange *exchange, GError *error)
{
  preparation_clear (&self->preparation);
  if (exchange != NULL)
    exchange_run_async (exchange, self->context, on_ended, self);
  else
    on_ended (NULL, error, TRUE, self);
}

static ProcessStart *
make_start (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
            ProcfunExecutorFunc func, gpointer user_data)
{
  ProcessStart *to_start = process_start_new (executor, call, context);

  to_start->callback = on_started;
  to_start->func = func;
  to_start->user_data = user_data;
  return to_start;
}

void
process_run_then (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
                  ProcfunExecutorFunc func, gpointer user_data)
{
  process_start_begin (make_start (executor, call, context, func, user_data));
}

void
process_run_on (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
                Exchange *exchange, ProcfunExecutorFunc func, gpointer user_data)
{
  process_start_end (make_start (executor, call, context, func, user_data), exchange, NULL);
}

void
process_run_with (ProcfunExecutor *executor, ProcfunCall *call, GMainContext *context,
                  WorkerSlot *slot, const Preparation *shared, ProcfunExecutorFunc func,
                  gpointer user_data)
{
  ProcessStart *to_start = make_start (executor, call, context, func, user_data);
  GError *error = NULL;

  if (preparation_init_from (&to_start->preparation, shared, call, &error))
    {
      slot_start_have_slot (to_start, slot);
      return;
    }
  worker_slot_give_back (slot);
  process_start_end (to_start, NULL, error);
}
