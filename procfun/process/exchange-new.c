/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How an exchange gets its worker, at once or when its turn comes, and what becomes of that. */

#include "procfun/process/exchange-private.h"

#include "procfun/base/usage.h"
#include "procfun/core/call-debug.h"
#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/process/request.h"

/* A call that takes longer leaves the processor to others. */
#define FORK_AHEAD_US 1000

#define FRAME_LIMIT_MIN ((guint64)64 * 1024)

static void
take_outputs (Exchange *self)
{
  const ProcfunLimits *limits = self->call->limits;
  guint64 limit = limits != NULL ? procfun_limits_get_output_size (limits) : 0;

  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    output_init (&self->outputs[i], g_steal_fd (&self->worker.output_fds[i]), (ProcfunStream)i,
                 self->call->output_modes[i], limit);
}

/* Frames that are no payload may take some bytes, however low its limit is. */
static void
open_channel (Worker *worker, const ExchangeOptions *options)
{
  if (worker->channel != NULL)
    {
      worker->call_id++;
      return;
    }
  worker->channel
      = channel_new (g_steal_fd (&worker->channel_fd),
                     MAX (options->max_payload, FRAME_LIMIT_MIN) + sizeof (ProcfunUsage));
  if (worker->is_kept)
    channel_offer_ring (worker->channel);
}

static void
init_escalation (Exchange *self)
{
  self->escalation = (Escalation){ .process = self->worker.process,
                                   .channel = self->worker.channel,
                                   .call_id = self->call_id,
                                   .cgroup = self->worker.cgroup,
                                   .grace = self->call->grace_period };
}

static Exchange *
make (ProcfunCall *call, const Worker *worker, GBytes *arguments)
{
  Exchange *self = g_new (Exchange, 1); /* calloc() does not take what was freed last */
  const Worker nothing = WORKER_INIT;

  *self = (Exchange){ 0 };
  self->link.data = self;
  self->call = call;
  self->function = call->function;
  self->worker = nothing;
  self->call_id = worker->call_id;
  channel_get_mark (worker->channel, &self->mark);
  self->bytes_in = g_bytes_get_size (arguments);
  self->deadline_at = procfun_call_get_deadline_time (call);
  self->cpu_time = -1;
  outcome_init (&self->outcome, call, process_get_pid (worker->process));
  items_init (&self->items);
  return self;
}

static void
take_worker (Exchange *self, Worker *worker)
{
  self->worker = worker_steal (worker);
  if (self->worker.n_spares > 0)
    self->fork_ahead_at = g_get_monotonic_time () + FORK_AHEAD_US;
  init_escalation (self);
  take_outputs (self);
  if (debug_has (DEBUG_WORKERS))
    call_debug_log (self->call, self->outcome.pid, "process %d is there", self->outcome.pid);
}

gboolean
exchange_takes_result_for_end (const Worker *worker)
{
  return process_get_pidfd (worker->process) >= 0 && worker->cgroup == NULL;
}

static guint64
get_call_flags (const Worker *worker)
{
  if (worker->is_kept)
    return 0;
  return FRAME_CALL_LAST | (exchange_takes_result_for_end (worker) ? FRAME_CALL_ENDED : 0);
}

Exchange *
exchange_new (ProcfunCall *call, Worker *worker, const ExchangeOptions *options, GBytes *arguments)
{
  Exchange *self;

  open_channel (worker, options);
  self = make (call, worker, arguments);
  take_worker (self, worker);
  self->is_map = (options->flags & FRAME_CALL_MAP) != 0;
  request_send (&self->worker, call, options, options->flags | get_call_flags (&self->worker),
                options->arguments_on_command_line ? NULL : arguments);
  channel_flush (self->worker.channel);
  if (procfun_function_is_generator (self->function))
    items_give_credit (&self->items, self->worker.channel, self->call_id);
  return self;
}

/* Ahead of its turn */

/* So many are written at once; the rest goes with what happens next. */
#define SENT_AHEAD 2

Exchange *
exchange_new_pipelined (ProcfunCall *call, Exchange *front, const ExchangeOptions *options,
                        GBytes *arguments)
{
  Worker *worker = &front->worker;
  Exchange *self;

  open_channel (worker, options);
  self = make (call, worker, arguments);
  self->is_pipelined = TRUE;
  request_send (worker, call, options, 0, arguments);
  if (self->call_id - front->call_id <= SENT_AHEAD)
    channel_flush (worker->channel);
  return self;
}

gboolean
exchange_is_pipelined (Exchange *self)
{
  return self->is_pipelined;
}

void
exchange_wait_for_head (Exchange *self, ExchangeHeadFunc func, gpointer user_data)
{
  self->turn = func;
  self->turn_data = user_data;
}

void
exchange_move_up (Exchange *self, Worker *worker)
{
  self->is_pipelined = FALSE;
  take_worker (self, worker);
  self->turn (self, EXCHANGE_HEAD_COME, self->turn_data);
}

void
exchange_lose_head (Exchange *self, ExchangeHead turn)
{
  self->turn (self, turn, self->turn_data);
}

GList *
exchange_get_link (Exchange *self)
{
  return &self->link;
}

ProcfunCall *
exchange_get_call (Exchange *self)
{
  return self->call;
}

gboolean
exchange_has_input (Exchange *self)
{
  return channel_has_input (self->worker.channel);
}

void
exchange_set_release (Exchange *self, WorkerReleaseFunc release, gpointer user_data)
{
  self->release = release;
  self->release_data = user_data;
}

void
exchange_prepare_worker (Worker *worker, ProcfunCall *call, const ExchangeOptions *options)
{
  g_autoptr (GBytes) arguments = exchange_encode_arguments (call, options, NULL);

  open_channel (worker, options);
  worker->has_greeted = FALSE;
  request_send (worker, call, options, FRAME_CALL_INITIAL, arguments);
  channel_flush (worker->channel);
}

gboolean
exchange_was_sent (Exchange *self)
{
  return !channel_has_lost (self->worker.channel, &self->mark);
}

/* Not after what may still come from the call that has ended. */
gboolean
exchange_can_go_on (Exchange *self)
{
  return self->done && self->worker.is_kept && self->answered
         && self->escalation.step <= PROCFUN_STEP_CANCELLABLE && !self->asked_for_stacks
         && self->report == NULL && self->worker.report_fd >= 0
         && output_get_fd (&self->outputs[0]) >= 0 && output_get_fd (&self->outputs[1]) >= 0;
}

Worker *
exchange_get_worker (Exchange *self)
{
  return &self->worker;
}

void
exchange_free (Exchange *self)
{
  gboolean is_usable = exchange_can_go_on (self);
  gboolean has_worker = self->worker.process != NULL;

  if (!self->done && has_worker)
    process_kill_all (self->worker.process);
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs) && is_usable; i++)
    self->worker.output_fds[i] = output_steal_fd (&self->outputs[i]);
  if (self->release != NULL && has_worker)
    self->release (&self->worker, is_usable, self->release_data);
  worker_clear (&self->worker);
  g_clear_pointer (&self->report, g_byte_array_unref);
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs) && has_worker; i++)
    output_clear (&self->outputs[i]);
  items_clear (&self->items);
  outcome_clear (&self->outcome);
  g_free (self);
}
