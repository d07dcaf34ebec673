/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/backend/exchange.h"

#include "procfun/backend/crash-report.h"
#include "procfun/backend/items.h"
#include "procfun/backend/ladder.h"
#include "procfun/backend/outcome.h"
#include "procfun/backend/output.h"
#include "procfun/backend/request.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/intl.h"
#include "procfun/platform/limits.h"
#include "procfun/platform/usage.h"
#include "procfun/procfun-call-debug-private.h"
#include "procfun/procfun-call-private.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-function-private.h"
#include "procfun/procfun-usage-private.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/error.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

/* A child that has answered, or closed its channel, ends by itself; when it does not within this
 * time, it is ended. */
#define END_WAIT_US (2 * G_USEC_PER_SEC)

/* Where the kernel has no pidfds, for which nothing can wait: as long as the channel is open, its
 * end mostly tells. */
#define BLIND_STEP_US 1000
#define BLIND_STEP_OPEN_US 20000

/* When a stream of the program is full. */
#define HELD_UP_STEP_US 5000

/* Frames that are no payload may take this, however low its limit is. */
#define FRAME_LIMIT_MIN ((guint64)64 * 1024)

/* What a process needs to write the stacks of its threads, before it is ended for lack of time. */
#define STACKS_WAIT_US 50000

struct _Exchange
{
  ProcfunCall *call;         /* borrowed */
  ProcfunFunction *function; /* the call's */
  ProcfunCodec *codec;
  guint64 max_payload; /* in bytes */
  Process *process;
  Channel *channel;
  int lifeline_fd;
  int report_fd;
  GByteArray *report;
  Cgroup *cgroup; /* (nullable) */
  Output *outputs[2];
  Items items; /* of a generator */
  Ladder ladder;

  gboolean greeted;  /* the child said hello */
  gint64 timeout_at; /* monotonic times in µs; 0: never */
  gint64 deadline_at;
  gint64 end_by;       /* when it must have ended, because it has answered or can't any more */
  gint64 cpu_time;     /* of the child when it was last looked at, in µs; -1: never */
  gint64 cpu_at_hello; /* what it had used when the function began */
  gint64 cpu_check_at;
  gint64 stacks_until;    /* when to wait no more for the stacks of its threads */
  gboolean channel_ended; /* nothing more will come */
  Outcome outcome;
  gboolean done; /* the child is dead, and all is known */
};

static void
take_outputs (Exchange *self, Launched *launched)
{
  const ProcfunLimits *limits = procfun_call_get_limits (self->call);
  guint64 limit = limits != NULL ? procfun_limits_get_output_size (limits) : 0;

  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    self->outputs[i]
        = output_new (g_steal_fd (&launched->output_fds[i]), (ProcfunStream)i,
                      procfun_call_get_output_mode (self->call, (ProcfunStream)i), limit);
}

Exchange *
exchange_new (ProcfunCall *call, Launched *launched, const ExchangeOptions *options,
              GBytes *arguments)
{
  Exchange *self = g_new0 (Exchange, 1);

  self->call = call;
  self->function = g_object_ref (procfun_call_get_function (call));
  self->codec = g_object_ref (options->codec);
  self->process = g_steal_pointer (&launched->process);
  self->max_payload = options->max_payload;
  self->channel = channel_new (g_steal_fd (&launched->channel_fd),
                               MAX (options->max_payload, FRAME_LIMIT_MIN) + sizeof (ProcfunUsage));
  self->lifeline_fd = g_steal_fd (&launched->lifeline_fd);
  self->report_fd = g_steal_fd (&launched->report_fd);
  self->report = g_byte_array_new ();
  self->ladder.process = self->process;
  self->ladder.channel = self->channel;
  self->ladder.cgroup = self->cgroup = g_steal_pointer (&launched->cgroup);
  self->ladder.grace = procfun_call_get_grace_period (call);
  self->deadline_at = procfun_call_get_deadline_time (call);
  self->cpu_time = -1;
  outcome_init (&self->outcome, call, process_get_pid (self->process));
  take_outputs (self, launched);
  items_init (&self->items);
  if (debug_has (DEBUG_WORKERS))
    call_debug_log (call, self->outcome.pid, "process %d is there", self->outcome.pid);
  request_send (self->channel, call, options, arguments);
  if (procfun_function_is_generator (self->function))
    items_give_credit (&self->items, self->channel);
  return self;
}

void
exchange_free (Exchange *self)
{
  if (!self->done)
    process_kill_all (self->process);
  g_object_unref (self->function);
  g_object_unref (self->codec);
  process_free (self->process);
  channel_free (self->channel);
  fd_clear (&self->lifeline_fd);
  fd_clear (&self->report_fd);
  g_clear_pointer (&self->cgroup, cgroup_free);
  g_byte_array_unref (self->report);
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    output_free (self->outputs[i]);
  items_clear (&self->items);
  outcome_clear (&self->outcome);
  g_free (self);
}

/* What comes of it */

static void
await_end (Exchange *self)
{
  if (self->end_by == 0)
    self->end_by = g_get_monotonic_time () + END_WAIT_US;
}

/* It may not be able to say so itself any more. */
static void
measure (Exchange *self)
{
  ProcfunUsage usage = { 0 };

  if (usage_of_process (process_get_pid (self->process), &usage)
      && !process_has_died (self->process))
    {
      usage.bytes_in = channel_get_bytes_written (self->channel);
      usage.bytes_out = channel_get_bytes_read (self->channel);
      outcome_set_usage (&self->outcome, &usage);
    }
}

/* Takes @error. */
static void
fail (Exchange *self, ProcfunCause cause, GError *error)
{
  outcome_fail (&self->outcome, cause, error);
  await_end (self);
}

static void
fail_and_kill (Exchange *self, ProcfunCause cause, GError *error)
{
  fail (self, cause, error);
  ladder_kill (&self->ladder);
}

/* Takes @sentence, whose subject is the function. */
static void
break_off (Exchange *self, ProcfunCause cause, ProcfunError code, char *sentence)
{
  measure (self);
  outcome_fail_by (&self->outcome, cause, code, sentence);
  ladder_kill (&self->ladder);
}

/* Asks first. What it says from now on changes nothing. */
static void
fail_and_end (Exchange *self, ProcfunCause cause, GError *error)
{
  measure (self);
  outcome_fail (&self->outcome, cause, error);
  ladder_begin (&self->ladder);
}

static void
handle_hello (Exchange *self, const Frame *frame)
{
  const char *identity = request_get_identity (self->function);
  gsize size;
  const char *theirs = g_bytes_get_data (frame->payload, &size);
  gint64 timeout = procfun_call_get_effective_timeout (self->call);

  self->greeted = TRUE;
  if (size > 0 && (size != strlen (identity) || memcmp (theirs, identity, size) != 0))
    return; /* it says so itself, with the name of the file */
  self->cpu_at_hello = limits_read_cpu_time (process_get_pid (self->process));
  if (timeout > 0)
    self->timeout_at = g_get_monotonic_time () + timeout;
  procfun_call_started (self->call, process_get_pid (self->process));
}

/* The usage that answers begin with; the rest is returned. (transfer full) */
static GBytes *
take_usage (Exchange *self, const Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->payload, &size);

  if (size < sizeof (ProcfunUsage))
    return g_bytes_new (NULL, 0);
  outcome_set_usage (&self->outcome, data);
  return g_bytes_new_from_bytes (frame->payload, sizeof (ProcfunUsage),
                                 size - sizeof (ProcfunUsage));
}

/* A result, or an item of a generator. */
static GVariant *
read_value (Exchange *self, GBytes *payload, GError **error)
{
  const char *name = procfun_function_get_name (self->function);
  const char *what
      = procfun_function_is_generator (self->function) ? _ ("an item") : _ ("the result");
  GVariant *value;

  if (g_bytes_get_size (payload) > self->max_payload)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("%s of %s() takes %zu bytes, but %" PRIu64 " is the limit"), what, name,
                   g_bytes_get_size (payload), self->max_payload);
      return NULL;
    }
  value = procfun_codec_decode (self->codec, procfun_function_get_return_schema (self->function),
                                payload, error);
  if (value == NULL)
    g_prefix_error (error, _ ("%s of %s() cannot be read: "), what, name);
  return value;
}

static void
handle_result (Exchange *self, const Frame *frame)
{
  g_autoptr (GBytes) payload = take_usage (self, frame);
  GError *error = NULL;
  GVariant *result;

  if (procfun_function_is_generator (self->function))
    result = g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  else
    result = read_value (self, payload, &error);
  if (result == NULL)
    {
      fail_and_kill (self, PROCFUN_CAUSE_PROTOCOL, error);
      return;
    }
  outcome_succeed (&self->outcome, result);
  if (frame->fds != NULL)
    procfun_call_take_result_fd_list (self->call, g_object_ref (frame->fds));
  await_end (self);
}

static void
handle_error (Exchange *self, const Frame *frame)
{
  g_autoptr (GBytes) payload = take_usage (self, frame);

  fail (self, PROCFUN_CAUSE_ERROR, error_from_bytes (payload));
}

static void
handle_exit (Exchange *self, const Frame *frame)
{
  g_autoptr (GBytes) payload = take_usage (self, frame);
  gint32 code = 0;

  memcpy (&code, g_bytes_get_data (payload, NULL), MIN (g_bytes_get_size (payload), sizeof code));
  outcome_exit (&self->outcome, code);
  await_end (self);
}

static void
handle_progress (Exchange *self, const Frame *frame)
{
  gsize size;
  const char *data = g_bytes_get_data (frame->payload, &size);
  g_autofree char *message = NULL;
  double fraction;

  if (size < sizeof fraction)
    return;
  memcpy (&fraction, data, sizeof fraction);
  if (size > sizeof fraction)
    message = g_utf8_make_valid (data + sizeof fraction, (gssize)(size - sizeof fraction));
  procfun_call_emit_progress (self->call, fraction, message);
}

/* Who yields will see that nobody wants more. */
static void
handle_item (Exchange *self, const Frame *frame)
{
  GError *error = NULL;
  GVariant *item = read_value (self, frame->payload, &error);

  self->ladder.listens = TRUE;
  if (item == NULL)
    fail_and_kill (self, PROCFUN_CAUSE_PROTOCOL, error);
  else if (!items_push (&self->items, item, frame->fds != NULL ? g_object_ref (frame->fds) : NULL,
                        g_bytes_get_size (frame->payload)))
    break_off (self, PROCFUN_CAUSE_PROTOCOL, PROCFUN_ERROR_PROTOCOL,
               g_strdup (_ ("failed: its process sent more items than it may")));
}

static void
handle_frame (Exchange *self, const Frame *frame)
{
  static const struct
  {
    FrameType type;
    void (*handle) (Exchange *self, const Frame *frame);
    gboolean is_answer;
  } handlers[] = { { FRAME_RESULT, handle_result, TRUE },
                   { FRAME_ERROR, handle_error, TRUE },
                   { FRAME_EXIT, handle_exit, TRUE },
                   { FRAME_PROGRESS, handle_progress, FALSE },
                   { FRAME_ITEM, handle_item, FALSE } };

  if (debug_has (DEBUG_WIRE))
    call_debug_log (self->call, self->outcome.pid, "frame received: %s, %" G_GSIZE_FORMAT " bytes",
                    frame_type_get_name (frame->type), g_bytes_get_size (frame->payload));
  if (frame->type == FRAME_LISTENS)
    {
      self->ladder.listens = TRUE;
      return;
    }
  if (frame->type == FRAME_HELLO && !self->greeted)
    {
      handle_hello (self, frame);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    if (handlers[i].type == frame->type && self->greeted)
      {
        if (!outcome_is_known (&self->outcome))
          handlers[i].handle (self, frame);
        else if (handlers[i].is_answer)
          await_end (self); /* it heard that it is to end */
        return;
      }
  break_off (self, PROCFUN_CAUSE_PROTOCOL, PROCFUN_ERROR_PROTOCOL,
             g_strdup (_ ("failed: its process sent a frame out of turn")));
}

static void
receive (Exchange *self)
{
  while (!self->channel_ended)
    {
      g_auto (Frame) frame = { 0 };
      GError *error = NULL;

      switch (channel_receive (self->channel, &frame, &error))
        {
        case CHANNEL_FRAME:
          handle_frame (self, &frame);
          break;
        case CHANNEL_AGAIN:
          return;
        case CHANNEL_FAILED:
          g_prefix_error (&error, _ ("%s() failed: "), procfun_function_get_name (self->function));
          fail_and_kill (self, PROCFUN_CAUSE_PROTOCOL, error);
          self->channel_ended = TRUE;
          break;
        case CHANNEL_END:
        default:
          self->channel_ended = TRUE;
          await_end (self);
          break;
        }
    }
}

static void
receive_report (Exchange *self)
{
  while (self->report_fd >= 0)
    {
      guint8 data[4096];
      gssize n = read (self->report_fd, data, sizeof data);

      if (n > 0 && self->report->len < CRASH_REPORT_MAX)
        g_byte_array_append (self->report, data, (guint)n);
      else if (n >= 0 || (errno != EINTR && errno != EAGAIN))
        fd_clear (&self->report_fd);
      else if (errno == EAGAIN)
        return;
    }
}

static void
receive_output (Exchange *self)
{
  const ProcfunLimits *limits = procfun_call_get_limits (self->call);
  guint64 limit = limits != NULL ? procfun_limits_get_output_size (limits) : 0;
  guint64 size = 0;

  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    {
      output_advance (self->outputs[i], self->call);
      size += output_get_size (self->outputs[i]);
    }
  if (limit > 0 && size > limit && !outcome_is_known (&self->outcome))
    break_off (self, PROCFUN_CAUSE_LIMIT, PROCFUN_ERROR_LIMIT,
               g_strdup (_ ("printed more than its limit allows")));
}

/* When it must end */

static void
check_cancelled (Exchange *self, GCancellable *cancellable)
{
  GError *error = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, &error))
    fail_and_end (self, PROCFUN_CAUSE_CANCELLED, error);
}

static gboolean
is_over (gint64 time, gint64 now)
{
  return time > 0 && now >= time;
}

static void
time_out (Exchange *self, char *sentence)
{
  measure (self);
  outcome_fail_by (&self->outcome, PROCFUN_CAUSE_TIMED_OUT, PROCFUN_ERROR_TIMED_OUT, sentence);
  if (!self->greeted || self->ladder.step != PROCFUN_STEP_NONE)
    {
      ladder_begin (&self->ladder);
      return;
    }
  process_signal_alone (self->process, CRASH_STACKS_SIGNAL);
  self->stacks_until = g_get_monotonic_time () + STACKS_WAIT_US;
}

/* What it was doing when its time was up has been told, or it does not tell. */
static void
check_stacks (Exchange *self)
{
  if (self->stacks_until == 0
      || (g_get_monotonic_time () < self->stacks_until
          && !crash_report_has_stacks (self->report->data, self->report->len)))
    return;
  self->stacks_until = 0;
  ladder_begin (&self->ladder);
}

static double
to_seconds (gint64 us)
{
  return (double)us / G_USEC_PER_SEC;
}

static void
check_clocks (Exchange *self)
{
  gint64 now = g_get_monotonic_time ();

  if (is_over (self->timeout_at, now))
    time_out (self, g_strdup_printf (_ ("timed out after %.6g s"),
                                     to_seconds (procfun_call_get_effective_timeout (self->call))));
  else if (is_over (self->deadline_at, now))
    time_out (self, g_strdup_printf (_ ("missed its deadline of %.6g s"),
                                     to_seconds (procfun_call_get_deadline (self->call))));
}

/* Looked at when it could be used up at the earliest, and not more often. */
static void
check_cpu_time (Exchange *self)
{
  const ProcfunLimits *limits = procfun_call_get_limits (self->call);
  gint64 budget = limits != NULL ? procfun_limits_get_cpu_time (limits) : 0;
  pid_t pid = process_get_pid (self->process);
  gint64 now = g_get_monotonic_time ();
  gint64 used;

  if (budget == 0 || !self->greeted || now < self->cpu_check_at)
    return;
  used = limits_read_cpu_time (pid) - self->cpu_at_hello;
  if (process_has_died (self->process))
    return; /* the number may be somebody else's */
  self->cpu_time = used;
  self->cpu_check_at = now + limits_get_cpu_wait (budget - used, limits_count_cpus (pid));
  if (used >= budget)
    break_off (self, PROCFUN_CAUSE_CPU_LIMIT, PROCFUN_ERROR_CPU_LIMIT,
               g_strdup_printf (_ ("used more CPU time than its limit of %.6g s allows"),
                                to_seconds (budget)));
}

/* It has answered or closed its channel, and should be gone. */
static void
check_end (Exchange *self)
{
  if (!is_over (self->end_by, g_get_monotonic_time ()))
    return;
  break_off (self, PROCFUN_CAUSE_PROTOCOL, PROCFUN_ERROR_PROTOCOL,
             g_strdup (_ ("closed its channel without an answer")));
  self->end_by = 0;
}

/* What it printed may be noticed after what it answered; whether that was too much must not depend
 * on it. */
static void
finish_outputs (Exchange *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    {
      output_finish (self->outputs[i], self->call);
      if (!output_is_over_limit (self->outputs[i]))
        continue;
      outcome_revoke_result (&self->outcome);
      outcome_fail_by (&self->outcome, PROCFUN_CAUSE_LIMIT, PROCFUN_ERROR_LIMIT,
                       g_strdup (_ ("printed more than its limit allows")));
    }
}

static void
handle_death (Exchange *self)
{
  OutcomeRemains remains = { .step = self->ladder.step, .cpu_time = self->cpu_time };
  g_autoptr (GBytes) report = NULL;

  remains.has_status = process_get_status (self->process, &remains.wait_status);
  receive (self); /* what it had still written, maybe even its hello */
  remains.greeted = self->greeted;
  receive_report (self);
  finish_outputs (self);
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    remains.outputs[i] = self->outputs[i];
  process_signal (self->process, SIGKILL); /* whom it left behind in its group */
  process_kill_noted (self->process);
  if (self->cgroup != NULL)
    {
      cgroup_kill (self->cgroup);
      remains.oom_killed = cgroup_was_oom_killed (self->cgroup);
      remains.fork_refused = cgroup_get_refused_processes (self->cgroup) > 0;
    }
  remains.report = report = g_bytes_new (self->report->data, self->report->len);
  outcome_settle (&self->outcome, &remains);
  if (debug_has (DEBUG_WORKERS))
    call_debug_log (self->call, self->outcome.pid, "process %d has ended, wait status 0x%x",
                    self->outcome.pid, remains.has_status ? (guint)remains.wait_status : 0);
  self->done = TRUE;
}

gboolean
exchange_advance (Exchange *self, GCancellable *cancellable)
{
  if (self->done)
    return TRUE;
  channel_flush (self->channel);
  receive_output (self); /* first: it was written before the result, and may be too much */
  receive (self);
  receive_report (self);
  if (self->done) /* by who was called meanwhile */
    return TRUE;
  if (!outcome_is_known (&self->outcome))
    check_cancelled (self, cancellable);
  if (!outcome_is_known (&self->outcome))
    check_clocks (self);
  if (!outcome_is_known (&self->outcome))
    check_cpu_time (self);
  if (process_has_died (self->process))
    {
      handle_death (self);
      return TRUE;
    }
  check_stacks (self);
  check_end (self);
  ladder_advance (&self->ladder);
  return FALSE;
}

/* What to wait for */

void
exchange_get_fds (Exchange *self, GPollFD fds[EXCHANGE_N_FDS])
{
  gushort channel_events = G_IO_IN;

  if (channel_has_output (self->channel))
    channel_events |= G_IO_OUT;
  fds[0]
      = (GPollFD){ self->channel_ended ? -1 : channel_get_fd (self->channel), channel_events, 0 };
  fds[1] = (GPollFD){ process_get_pidfd (self->process), G_IO_IN, 0 };
  fds[2] = (GPollFD){ self->report_fd, G_IO_IN, 0 };
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    fds[3 + i] = (GPollFD){ output_get_fd (self->outputs[i]), G_IO_IN, 0 };
}

static void
take_earlier (gint64 *time, gint64 other)
{
  if (other > 0 && (*time < 0 || other < *time))
    *time = other;
}

gint64
exchange_get_wake_time (Exchange *self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 time = -1;

  if (!outcome_is_known (&self->outcome))
    {
      take_earlier (&time, self->timeout_at);
      take_earlier (&time, self->deadline_at);
      take_earlier (&time, self->cpu_check_at);
    }
  take_earlier (&time, self->end_by);
  take_earlier (&time, self->stacks_until);
  take_earlier (&time, self->ladder.next_at);
  if (process_get_pidfd (self->process) < 0)
    take_earlier (&time, now + (self->channel_ended ? BLIND_STEP_US : BLIND_STEP_OPEN_US));
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    if (output_is_held_up (self->outputs[i]))
      take_earlier (&time, now + HELD_UP_STEP_US);
  return time;
}

gboolean
exchange_is_ending (Exchange *self)
{
  return outcome_is_known (&self->outcome);
}

gboolean
exchange_has_ended (Exchange *self)
{
  return self->done;
}

gboolean
exchange_has_item (Exchange *self)
{
  return !items_is_empty (&self->items);
}

GVariant *
exchange_take_item (Exchange *self, GCancellable *cancellable)
{
  GError *error = NULL;
  GUnixFDList *fds;
  GVariant *item;

  if (exchange_has_item (self) && g_cancellable_set_error_if_cancelled (cancellable, &error))
    {
      items_clear (&self->items);
      outcome_revoke (&self->outcome, error);
      if (!self->done)
        ladder_begin (&self->ladder);
      return NULL;
    }
  item = items_pop (&self->items, &fds);
  if (item != NULL)
    {
      procfun_call_take_result_fd_list (self->call, fds);
      items_give_credit (&self->items, self->channel);
    }
  return item;
}

GVariant *
exchange_finish (Exchange *self, GError **error)
{
  return outcome_take (&self->outcome, error);
}
