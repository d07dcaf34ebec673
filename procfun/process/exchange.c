/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/exchange.h"

#include "procfun/base/intl.h"
#include "procfun/core/call-debug.h"
#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/platform/fds.h"
#include "procfun/process/crash-report.h"
#include "procfun/process/ending.h"
#include "procfun/process/naming.h"
#include "procfun/process/reply.h"
#include "procfun/process/request.h"
#include "procfun/process/streams.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/channel.h"

/* Where the kernel has no pidfds, for which nothing can wait: as long as the channel is open, its
 * end mostly tells. */
#define BLIND_STEP_US 1000
#define BLIND_STEP_OPEN_US 20000

/* When a stream of the program is full: how often to try again, and how long at the end of a call
 * while nobody reads it. */
#define HELD_UP_STEP_US 5000
#define HELD_UP_MAX_US (2 * G_USEC_PER_SEC)

/* Number of pipelined calls that are written at once. The others go with the next write. */
#define SENT_AHEAD 2

/* Until the worker is the exchange's own. */
typedef struct
{
  GList link; /* among those that wait */
  gboolean is_waiting;
  ExchangeHeadFunc func; /* (nullable) */
  gpointer user_data;
} Pipelined;

/* Progress towards the end. */
typedef enum
{
  PHASE_RUNNING,
  PHASE_ANSWERED, /* there is an answer, and more to take of what was printed before */
  PHASE_DEAD,     /* the process is dead, and there is more to take of what it left */
  PHASE_NAMING,   /* the same, and names for its report are on their way */
  PHASE_DONE      /* all is known */
} Phase;

struct _Exchange
{
  ProcfunCall *call;         /* borrowed */
  Worker worker;             /* that runs it */
  WorkerReleaseFunc release; /* (nullable) */
  gpointer release_data;
  Pipelined pipelined;
  ChannelMark mark; /* before the call was sent */
  guint64 bytes_in; /* of the arguments */

  guint ready; /* bits: which descriptors have something */
  Streams streams;
  Reply reply;
  Ending ending;
  gboolean saw_streams;      /* poll() was asked about them after what came by the channel */
  gboolean has_socket_input; /* when exchange_look() was called last */
  gboolean may_be_lost;      /* with a worker that was there before */
  gboolean is_lost;          /* the worker died before it read the call */
  gboolean has_yielded;      /* its answer was waited for before, in vain */
  Naming *naming;            /* (nullable): of the report of a crash */
  Phase phase;
};

/* In the order of exchange_get_fds(). The channel comes first: when an answer is ready, text
 * printed before it is ready by the time that poll() comes to the streams. */
#define FIRST_STREAM 2
#define READY_CHANNEL (1U << 0)
#define READY_DEATH (1U << 1)
#define READY_REPORT (STREAMS_READY_REPORT << FIRST_STREAM)

static void
receive_outputs (Exchange *self)
{
  streams_receive_outputs (&self->streams, self->ready >> FIRST_STREAM);
  if (streams_are_over_limit (&self->streams) && !ending_is_decided (&self->ending))
    ending_break_off (&self->ending, PROCFUN_CAUSE_LIMIT, PROCFUN_ERROR_LIMIT,
                      g_strdup (_ ("printed more than its limit allows")));
}

/* The end */

static gboolean
is_in_hurry (Exchange *self)
{
  return canceller_is_cancelled (procfun_call_get_canceller (self->call))
         || clocks_is_time_up (&self->ending.clocks);
}

/* FALSE: another turn is needed, or a signal handler has finished meanwhile. Output may be noticed
 * only after the answer, and the limit on output counts all the same. */
static gboolean
finish_outputs (Exchange *self, Phase phase)
{
  gint64 patience = streams_are_held_up (&self->streams) && is_in_hurry (self) ? 0 : HELD_UP_MAX_US;

  if (!streams_advance_end (&self->streams, patience) || self->phase != phase)
    return FALSE;
  if (streams_are_over_limit (&self->streams))
    {
      outcome_revoke_result (&self->ending.outcome);
      outcome_fail_by (&self->ending.outcome, PROCFUN_CAUSE_LIMIT, PROCFUN_ERROR_LIMIT,
                       g_strdup (_ ("printed more than its limit allows")));
    }
  return TRUE;
}

/* Of a process whose death is not waited for. */
static void
settle (Exchange *self)
{
  OutcomeRemains remains = { .greeted = TRUE,
                             .step = self->ending.escalation.step,
                             .cpu_time = self->ending.clocks.cpu_time,
                             .bytes_in = self->bytes_in,
                             .bytes_out = self->reply.bytes_out };

  for (guint i = 0; i < G_N_ELEMENTS (remains.outputs); i++)
    remains.outputs[i] = &self->streams.outputs[i];
  outcome_settle (&self->ending.outcome, &remains);
  self->phase = PHASE_DONE;
}

static void
handle_answer (Exchange *self)
{
  settle (self);
  if (debug_has (DEBUG_WORKERS))
    call_debug_log (self->call, self->ending.outcome.pid, "process %d has ended with a result",
                    self->ending.outcome.pid);
}

/* It may still end when its zygote or its lifeline does. */
static void
abandon (Exchange *self)
{
  settle (self);
  if (debug_has (DEBUG_WORKERS))
    call_debug_log (self->call, self->ending.outcome.pid, "process %d cannot be ended",
                    self->ending.outcome.pid);
}

/* TRUE: the process has answered, and may have begun the next call. */
static gboolean
is_followed (Exchange *self)
{
  return exchange_was_answered (self) && self->worker.call_id != self->reply.call_id;
}

/* A worker that ends by itself has read all frames sent to it. A worker that dies may not have. */
static void
check_lost (Exchange *self)
{
  self->is_lost = self->may_be_lost && !ending_is_decided (&self->ending)
                  && channel_out_has_lost_at_death (&self->worker.channel->out, &self->mark);
  if (self->is_lost)
    outcome_fail_by (&self->ending.outcome, PROCFUN_CAUSE_WORKER_LOST, PROCFUN_ERROR_WORKER_LOST,
                     g_strdup (_ ("lost its process before it began")));
}

/* TRUE: names are on their way. Stacks that were asked for are named when somebody reads them. */
static gboolean
begin_naming (Exchange *self)
{
  const Module *module = procfun_call_peek_function (self->call)->module;
  g_autoptr (GBytes) report = NULL;

  streams_receive_report (&self->streams);
  report = streams_get_report (&self->streams);
  if (g_bytes_get_size (report) == 0 || self->ending.outcome.result != NULL)
    return FALSE;
  self->naming = crash_report_new_naming (report, worker_get_parent_pid (&self->worker),
                                          module != NULL ? module->path : NULL);
  self->has_yielded = TRUE;
  return self->naming != NULL && streams_has_death (&self->streams) && !is_in_hurry (self)
         && naming_start (self->naming);
}

static void
handle_death (Exchange *self)
{
  OutcomeRemains remains = { .step = self->ending.escalation.step,
                             .cpu_time = self->ending.clocks.cpu_time,
                             .bytes_in = self->bytes_in };
  g_autoptr (GBytes) report = NULL;
  g_autoptr (GBytes) names = self->naming != NULL ? naming_get_answer (self->naming) : NULL;

  remains.lost = worker_is_lost (&self->worker);
  remains.has_status = process_get_status (self->worker.process, &remains.wait_status);
  check_lost (self);
  remains.greeted = self->worker.has_greeted;
  remains.initializer = self->worker.initializer;
  for (guint i = 0; i < G_N_ELEMENTS (remains.outputs); i++)
    remains.outputs[i] = &self->streams.outputs[i];
  if (self->worker.cgroup != NULL)
    {
      remains.oom_killed = cgroup_was_oom_killed (self->worker.cgroup);
      remains.fork_refused = cgroup_get_refused_processes (self->worker.cgroup) > 0;
    }
  remains.bytes_out = self->reply.bytes_out;
  remains.report = report = streams_get_report (&self->streams);
  remains.request = self->naming != NULL ? naming_get_request (self->naming) : NULL;
  remains.names = names;
  outcome_settle (&self->ending.outcome, &remains);
  g_clear_pointer (&self->naming, naming_free);
  if (debug_has (DEBUG_WORKERS))
    call_debug_log (self->call, self->ending.outcome.pid, "process %d has ended, wait status 0x%x",
                    self->ending.outcome.pid, remains.has_status ? (guint)remains.wait_status : 0);
  self->phase = PHASE_DONE;
}

/* Reads only the descriptors that poll() has found ready: each other read would be a system call in
 * vain. */
static void
receive (Exchange *self)
{
  guint n = 0;

  receive_outputs (self); /* first: it was written before the result, and may be too much */
  if ((self->ready & READY_CHANNEL) != 0)
    n = reply_receive (&self->reply);
  if (n > 1 || (n == 1 && !self->saw_streams && reply_is_complete (&self->reply)))
    exchange_look (self); /* for what was printed before the last frame */
  if ((self->ready & READY_REPORT) == 0 || is_followed (self))
    return; /* it may be that of the next call */
  streams_receive_report (&self->streams);
  if (streams_has_death (&self->streams))
    ending_await (&self->ending);
}

static gboolean
has_died (Exchange *self)
{
  return ((self->ready & READY_DEATH) != 0 || process_get_pidfd (self->worker.process) < 0)
         && process_has_died (self->worker.process);
}

/* Frames that were sent before the cancellation count: an answer, or the report that the function
 * listens. */
static void
receive_before_end (Exchange *self)
{
  if (self->phase != PHASE_RUNNING || ending_is_decided (&self->ending)
      || !canceller_is_cancelled (procfun_call_get_canceller (self->call)))
    return;
  exchange_look (self);
  self->ready |= READY_CHANNEL;
  receive (self);
}

/* The program has forked itself: this process reads nothing that is meant for its parent, and ends
 * nothing of it. */
static void
give_up (Exchange *self)
{
  outcome_fail_by (&self->ending.outcome, PROCFUN_CAUSE_WORKER_LOST, PROCFUN_ERROR_WORKER_LOST,
                   g_strdup (_ ("belongs to the process that forked this one")));
  settle (self);
}

gboolean
exchange_is_own (Exchange *self)
{
  return self->worker.process == NULL || process_is_own (self->worker.process);
}

/* Frames, output, cancellation and clocks, each for one turn. */
static void
advance_running (Exchange *self)
{
  reply_start (&self->reply);
  channel_out_flush (&self->worker.channel->out);
  receive (self);
  receive_before_end (self);
  if (self->phase != PHASE_RUNNING) /* by a handler that took the next item */
    return;
  if (!ending_is_decided (&self->ending))
    ending_check (&self->ending);
  if (reply_is_complete (&self->reply))
    {
      self->phase = PHASE_ANSWERED;
      streams_begin_end (&self->streams, self->ready >> FIRST_STREAM);
    }
  else if (has_died (self))
    {
      self->phase = PHASE_DEAD;
      channel_in_take_rest (&self->worker.channel->in);
      streams_begin_end (&self->streams, G_MAXUINT);
    }
  else if (escalation_is_in_vain (&self->ending.escalation))
    abandon (self);
  else
    ending_advance (&self->ending, &self->streams);
}

/* Takes the frames that were still written, maybe even HELLO. */
static void
advance_dead (Exchange *self)
{
  reply_receive (&self->reply);
  if (is_followed (self))
    self->phase = PHASE_ANSWERED;
  else if (!self->worker.channel->in.has_more && finish_outputs (self, PHASE_DEAD))
    {
      worker_kill_family (&self->worker);
      if (begin_naming (self))
        self->phase = PHASE_NAMING;
      else
        handle_death (self);
    }
}

gboolean
exchange_advance (Exchange *self)
{
  if (self->phase != PHASE_DONE && !exchange_is_own (self))
    give_up (self);
  if (self->phase == PHASE_RUNNING)
    advance_running (self);
  if (self->phase == PHASE_DEAD)
    advance_dead (self);
  if (self->phase == PHASE_NAMING && (is_in_hurry (self) || naming_advance (self->naming)))
    handle_death (self);
  if (self->phase == PHASE_ANSWERED && finish_outputs (self, PHASE_ANSWERED))
    handle_answer (self);
  self->ready = 0;
  self->saw_streams = FALSE;
  return self->phase == PHASE_DONE;
}

/* Watching */

void
exchange_get_fds (Exchange *self, GPollFD fds[EXCHANGE_N_FDS])
{
  gushort channel_events = G_IO_IN;

  if (self->phase != PHASE_RUNNING) /* the rest was there before */
    {
      for (guint i = 0; i < EXCHANGE_N_FDS; i++)
        fds[i] = (GPollFD){ .fd = -1 };
      if (self->phase == PHASE_NAMING)
        fds[0] = (GPollFD){ naming_get_fd (self->naming), G_IO_IN, 0 };
      return;
    }
  if (!channel_out_is_empty (&self->worker.channel->out))
    channel_events |= G_IO_OUT;
  fds[0] = (GPollFD){ self->reply.has_ended ? -1 : self->worker.channel->fd, channel_events, 0 };
  fds[1] = (GPollFD){ process_get_pidfd (self->worker.process), G_IO_IN, 0 };
  streams_get_fds (&self->streams, fds + FIRST_STREAM);
}

void
exchange_note_ready (Exchange *self, const GPollFD fds[EXCHANGE_N_FDS])
{
  for (guint i = 0; i < EXCHANGE_N_FDS; i++)
    if (fds[i].fd >= 0 && fds[i].revents != 0)
      self->ready |= 1U << i;
  self->saw_streams = fds[0].revents != 0 && !self->worker.is_kept;
}

void
exchange_look (Exchange *self)
{
  GPollFD fds[EXCHANGE_N_FDS];

  exchange_get_fds (self, fds);
  fds[0] = (GPollFD){ self->worker.channel->fd, G_IO_IN, 0 };
  fds[1].fd = -1;
  fds_poll (fds, EXCHANGE_N_FDS, 0);
  self->has_socket_input = fds[0].revents != 0;
  fds[0] = (GPollFD){ .fd = -1 };
  exchange_note_ready (self, fds);
}

void
exchange_note_input (Exchange *self)
{
  self->ready |= READY_CHANNEL;
}

/* A process that was forked ahead sleeps until its call comes, and may be woken on this processor.
 * Others get that when this one sleeps, but not when it yields, for each session can have a share
 * of its own: sched(7), autogroup. */
static gboolean
is_waking_up (Exchange *self)
{
  return self->worker.parent != NULL && !self->worker.is_kept && self->reply.bytes_out == 0;
}

gboolean
exchange_yield (Exchange *self)
{
  if (!exchange_is_own (self))
    return TRUE;
  if (self->reply.has_ended || self->has_yielded || is_waking_up (self)
      || !channel_yield (self->worker.channel))
    return FALSE;
  self->ready |= READY_CHANNEL;
  return TRUE;
}

gboolean
exchange_fall_asleep (Exchange *self)
{
  if (!exchange_is_own (self))
    return TRUE;
  if (self->phase != PHASE_RUNNING || self->reply.has_ended
      || (!self->worker.channel->in.has_more && !channel_fall_asleep (self->worker.channel)))
    return FALSE;
  self->ready |= READY_CHANNEL;
  return TRUE;
}

gint64
exchange_get_wake_time (Exchange *self)
{
  gint64 time = clocks_get_time_up (&self->ending.clocks);

  if (self->phase == PHASE_NAMING) /* whose time may be 0: at once */
    return MIN (time < 0 ? G_MAXINT64 : time, naming_get_wake_time (self->naming));
  if (self->phase != PHASE_RUNNING)
    return g_get_monotonic_time () + (streams_are_held_up (&self->streams) ? HELD_UP_STEP_US : 0);
  if (self->worker.has_greeted && !self->reply.is_started)
    return g_get_monotonic_time ();
  time = ending_get_wake_time (&self->ending);
  if (process_get_pidfd (self->worker.process) < 0)
    clocks_take_earlier (&time, g_get_monotonic_time ()
                                    + (self->reply.has_ended ? BLIND_STEP_US : BLIND_STEP_OPEN_US));
  if (streams_are_held_up (&self->streams))
    clocks_take_earlier (&time, g_get_monotonic_time () + HELD_UP_STEP_US);
  return time;
}

Canceller *
exchange_get_canceller (Exchange *self)
{
  return procfun_call_get_canceller (self->call);
}

gboolean
exchange_is_ending (Exchange *self)
{
  return ending_is_decided (&self->ending);
}

gboolean
exchange_has_ended (Exchange *self)
{
  return self->phase == PHASE_DONE;
}

gboolean
exchange_has_item (Exchange *self)
{
  return !items_is_empty (&self->reply.items);
}

GVariant *
exchange_take_item (Exchange *self)
{
  GError *error = NULL;
  GUnixFDList *fds;
  GVariant *item;

  if (exchange_has_item (self)
      && canceller_set_error_if_cancelled (procfun_call_get_canceller (self->call), &error))
    {
      items_clear (&self->reply.items);
      outcome_revoke (&self->ending.outcome, error);
      if (self->phase != PHASE_DONE)
        escalation_begin (&self->ending.escalation);
      return NULL;
    }
  item = items_pop (&self->reply.items, &fds);
  if (item != NULL)
    {
      procfun_call_take_result_fd_list (self->call, fds);
      items_give_credit (&self->reply.items, self->worker.channel, self->reply.call_id);
    }
  return item;
}

GVariant *
exchange_finish (Exchange *self, GError **error)
{
  return outcome_take (&self->ending.outcome, error);
}

/* Its worker */

/* Copying these takes a millisecond or more. */
#define ANNOUNCE_MIN ((gsize)1 << 20)

static Exchange *
make (ProcfunCall *call, const Worker *worker, guint32 call_id, gsize bytes_in)
{
  Exchange *self = g_new (Exchange, 1); /* calloc() does not take what was freed last */

  *self = (Exchange){ .call = call, .worker = WORKER_INIT };
  self->pipelined.link.data = self;
  if (bytes_in >= ANNOUNCE_MIN && worker->has_greeted)
    request_announce (worker->channel);
  channel_out_get_mark (&worker->channel->out, &self->mark);
  self->bytes_in = bytes_in;
  ending_init (&self->ending, call, process_get_pid (worker->process));
  self->ending.escalation.call_id = call_id;
  reply_init (&self->reply, &self->ending, call_id);
  return self;
}

static void
take_worker (Exchange *self, Worker *worker)
{
  self->worker = worker_steal (worker);
  if (self->worker.n_spares > 0)
    clocks_delay_spares (&self->ending.clocks);
  ending_take_worker (&self->ending, &self->worker);
  streams_init (&self->streams, self->call, self->ending.limits, &self->worker);
  if (self->worker.confined.parts != 0)
    procfun_call_set_confined (self->call, self->worker.confined.level,
                               self->worker.confined.parts);
  if (debug_has (DEBUG_WORKERS))
    call_debug_log (self->call, self->ending.outcome.pid, "process %d is there",
                    self->ending.outcome.pid);
}

Exchange *
exchange_new (ProcfunCall *call, Worker *worker, const ExchangeOptions *options, GBytes *arguments)
{
  Exchange *self;

  worker_open_channel (worker, exchange_get_max_result (options));
  self = make (call, worker, worker->call_id, exchange_get_arguments_size (options, arguments));
  self->may_be_lost = worker->has_greeted;
  take_worker (self, worker);
  if (self->worker.initializer != NULL)
    clocks_limit_preparation (&self->ending.clocks);
  self->reply.buffers_size = options->buffers_size;
  self->reply.is_map = (options->flags & FRAME_CALL_MAP) != 0;
  request_send (&self->worker, call, options,
                options->flags | worker_get_call_flags (&self->worker),
                options->arguments_on_command_line ? NULL : arguments);
  channel_out_flush (&self->worker.channel->out);
  if (procfun_function_is_generator (procfun_call_peek_function (call)))
    items_give_credit (&self->reply.items, self->worker.channel, self->reply.call_id);
  return self;
}

Exchange *
exchange_new_sent (ProcfunCall *call, Worker *worker, const Exchange *front, guint32 call_id,
                   const ChannelMark *mark)
{
  GBytes *arguments = procfun_call_get_packed_arguments (call);
  Exchange *self
      = make (call, front != NULL ? &front->worker : worker, call_id, g_bytes_get_size (arguments));

  self->mark = *mark;
  self->may_be_lost = TRUE;
  self->pipelined.is_waiting = front != NULL;
  if (front != NULL)
    return self;
  self->has_yielded = TRUE;
  self->ending.clocks.began_at = procfun_call_get_started_at (call);
  take_worker (self, worker);
  if (exchange_has_input (self))
    exchange_note_input (self);
  return self;
}

/* Pipelined calls */

Exchange *
exchange_new_pipelined (ProcfunCall *call, Exchange *front, const ExchangeOptions *options,
                        GBytes *arguments)
{
  Worker *worker = &front->worker;
  Exchange *self;

  worker_open_channel (worker, exchange_get_max_result (options));
  self = make (call, worker, worker->call_id, exchange_get_arguments_size (options, arguments));
  self->may_be_lost = TRUE;
  self->reply.buffers_size = options->buffers_size;
  self->pipelined.is_waiting = TRUE;
  request_send (worker, call, options, 0, arguments);
  if (self->reply.call_id - front->reply.call_id <= SENT_AHEAD)
    channel_out_flush (&worker->channel->out);
  return self;
}

gboolean
exchange_is_pipelined (Exchange *self)
{
  return self->pipelined.is_waiting;
}

void
exchange_wait_for_head (Exchange *self, ExchangeHeadFunc func, gpointer user_data)
{
  self->pipelined.func = func;
  self->pipelined.user_data = user_data;
}

void
exchange_move_up (Exchange *self, Worker *worker)
{
  self->pipelined.is_waiting = FALSE;
  take_worker (self, worker);
  self->pipelined.func (self, EXCHANGE_HEAD_COME, self->pipelined.user_data);
}

void
exchange_lose_head (Exchange *self, ExchangeHead turn)
{
  self->pipelined.func (self, turn, self->pipelined.user_data);
}

GList *
exchange_get_link (Exchange *self)
{
  return &self->pipelined.link;
}

ProcfunCall *
exchange_get_call (Exchange *self)
{
  return self->call;
}

gboolean
exchange_has_input (Exchange *self)
{
  return channel_in_is_filled (&self->worker.channel->in);
}

void
exchange_set_release (Exchange *self, WorkerReleaseFunc release, gpointer user_data)
{
  self->release = release;
  self->release_data = user_data;
}

gboolean
exchange_was_sent (Exchange *self)
{
  return !channel_out_has_lost (&self->worker.channel->out, &self->mark);
}

/* FALSE if frames or output of the call that has ended may still come, or it broke its limit, or
 * something stands in the socket that would be read as the beginning of the next answer. */
gboolean
exchange_can_go_on (Exchange *self)
{
  return self->phase == PHASE_DONE && exchange_was_answered (self)
         && self->ending.escalation.step <= PROCFUN_STEP_CANCELLABLE
         && !self->ending.clocks.asked_for_stacks && streams_are_intact (&self->streams)
         && (is_followed (self)
             || (!streams_are_over_limit (&self->streams)
                 && !channel_is_disturbed (self->worker.channel, self->has_socket_input)));
}

gboolean
exchange_was_answered (Exchange *self)
{
  return self->worker.is_kept && self->ending.answered;
}

gboolean
exchange_was_begun (Exchange *self)
{
  return !self->is_lost;
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

  if (self->worker.channel != NULL)
    channel_sweep (self->worker.channel);
  if (self->phase != PHASE_DONE && has_worker)
    process_kill_all (self->worker.process);
  if (is_usable) /* the call that was cancelled has ended, and they with it */
    process_forget_noted (self->worker.process);
  if (has_worker)
    streams_clear (&self->streams, is_usable || is_followed (self) ? &self->worker : NULL);
  if (self->release != NULL && has_worker && exchange_is_own (self))
    self->release (&self->worker, is_usable, self->release_data);
  worker_clear (&self->worker);
  reply_clear (&self->reply);
  ending_clear (&self->ending);
  g_clear_pointer (&self->naming, naming_free);
  g_free (self);
}
