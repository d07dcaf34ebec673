/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/backend/exchange.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/intl.h"
#include "procfun/procfun-call-private.h"
#include "procfun/procfun-context-private.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-function-private.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/error.h"
#include "procfun/wire/setup.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* A child that has answered, or closed its channel, ends by itself; when it does not within this
 * time, it is ended. */
#define END_WAIT_US (2 * G_USEC_PER_SEC)

/* Where the kernel has no pidfds, for which nothing can wait: as long as the channel is open, its
 * end mostly tells. */
#define BLIND_STEP_US 1000
#define BLIND_STEP_OPEN_US 20000

/* Frames that are no payload may take this, however low its limit is. */
#define FRAME_LIMIT_MIN ((guint64)64 * 1024)

struct _Exchange
{
  ProcfunCall *call;
  ProcfunFunction *function; /* the call's */
  ProcfunCodec *codec;
  guint64 max_payload; /* in bytes */
  Process *process;
  Channel *channel;
  int lifeline_fd;

  gboolean greeted; /* the child said hello */
  GVariant *result; /* what came of it: a result or an error, or neither yet */
  GError *error;
  gboolean channel_ended; /* nothing more will come */
  gint64 kill_at;         /* monotonic time in µs; 0: never */
  gboolean done;          /* the child is dead, and all is known */
};

GBytes *
exchange_encode_arguments (ProcfunCall *call, const ExchangeOptions *options, GError **error)
{
  ProcfunFunction *function = procfun_call_get_function (call);
  g_autoptr (GBytes) bytes
      = procfun_codec_encode (options->codec, procfun_function_get_arguments_schema (function),
                              procfun_call_get_arguments (call), error);

  if (bytes == NULL)
    g_prefix_error (error, _ ("%s() cannot be called with this: "),
                    procfun_function_get_name (function));
  else if (!channel_check_fds (procfun_call_get_fd_list (call), error))
    g_prefix_error (error, _ ("%s() cannot be called with this: "),
                    procfun_function_get_name (function));
  else if (g_bytes_get_size (bytes) > options->max_payload)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                 _ ("the arguments of %s() take %zu bytes, but %" PRIu64 " is the limit"),
                 procfun_function_get_name (function), g_bytes_get_size (bytes),
                 options->max_payload);
  else
    return g_steal_pointer (&bytes);
  return NULL;
}

static const char *
get_identity (ProcfunFunction *function)
{
  const Module *module = procfun_function_get_loaded_module (function);

  return module != NULL ? module->identity : "";
}

static void
send_call (Exchange *self, const ExchangeOptions *options, GBytes *arguments)
{
  const Setup setup = { .codec = procfun_codec_get_name (options->codec),
                        .identity = get_identity (self->function),
                        .depth = procfun_context_get_depth () + 1,
                        .arguments_on_command_line = options->arguments_on_command_line,
                        .max_payload = options->max_payload,
                        .locale = intl_get_locale () };
  const FrameCall head = { .hash = procfun_function_get_hash_number (self->function) };
  g_autoptr (GBytes) setup_bytes = setup_to_bytes (&setup);

  channel_send (self->channel, FRAME_SETUP, 0, NULL, 0, setup_bytes, NULL);
  channel_send (self->channel, FRAME_CALL, 0, &head, sizeof head, arguments,
                procfun_call_get_fd_list (self->call));
  channel_end_output (self->channel);
}

Exchange *
exchange_new (ProcfunCall *call, Launched *launched, const ExchangeOptions *options,
              GBytes *arguments)
{
  Exchange *self = g_new0 (Exchange, 1);

  self->call = g_object_ref (call);
  self->function = procfun_call_get_function (call);
  self->codec = g_object_ref (options->codec);
  self->process = g_steal_pointer (&launched->process);
  self->max_payload = options->max_payload;
  self->channel = channel_new (g_steal_fd (&launched->channel_fd),
                               MAX (options->max_payload, FRAME_LIMIT_MIN));
  self->lifeline_fd = g_steal_fd (&launched->lifeline_fd);
  send_call (self, options, arguments);
  return self;
}

void
exchange_free (Exchange *self)
{
  if (!self->done)
    process_signal (self->process, SIGKILL);
  g_object_unref (self->call);
  g_object_unref (self->codec);
  process_free (self->process);
  channel_free (self->channel);
  fd_clear (&self->lifeline_fd);
  g_clear_pointer (&self->result, g_variant_unref);
  g_clear_error (&self->error);
  g_free (self);
}

/* What came of it */

static gboolean
is_answered (Exchange *self)
{
  return self->result != NULL || self->error != NULL;
}

static void
wait_for_end (Exchange *self)
{
  if (self->kill_at == 0)
    self->kill_at = g_get_monotonic_time () + END_WAIT_US;
}

/* Takes @error. The first one counts. */
static void
fail (Exchange *self, GError *error)
{
  if (is_answered (self))
    g_error_free (error);
  else
    self->error = error;
  wait_for_end (self);
}

static void
fail_and_kill (Exchange *self, GError *error)
{
  fail (self, error);
  process_signal (self->process, SIGKILL);
}

static void
handle_hello (Exchange *self, const Frame *frame)
{
  const char *identity = get_identity (self->function);
  gsize size;
  const char *theirs = g_bytes_get_data (frame->payload, &size);

  self->greeted = TRUE;
  if (size > 0 && (size != strlen (identity) || memcmp (theirs, identity, size) != 0))
    return; /* it says so itself, with the name of the file */
  procfun_call_started (self->call, process_get_pid (self->process));
}

static GVariant *
read_result (Exchange *self, const Frame *frame, GError **error)
{
  const char *name = procfun_function_get_name (self->function);
  GVariant *result;

  if (g_bytes_get_size (frame->payload) > self->max_payload)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("the result of %s() takes %zu bytes, but %" PRIu64 " is the limit"), name,
                   g_bytes_get_size (frame->payload), self->max_payload);
      return NULL;
    }
  result = procfun_codec_decode (self->codec, procfun_function_get_return_schema (self->function),
                                 frame->payload, error);
  if (result == NULL)
    g_prefix_error (error, _ ("the result of %s() cannot be read: "), name);
  return result;
}

static void
handle_result (Exchange *self, const Frame *frame)
{
  GError *error = NULL;

  self->result = read_result (self, frame, &error);
  if (self->result == NULL)
    {
      fail_and_kill (self, error);
      return;
    }
  if (frame->fds != NULL)
    procfun_call_take_result_fd_list (self->call, g_object_ref (frame->fds));
  wait_for_end (self);
}

static void
handle_exit (Exchange *self, const Frame *frame)
{
  gint32 code = 0;

  memcpy (&code, g_bytes_get_data (frame->payload, NULL),
          MIN (g_bytes_get_size (frame->payload), sizeof code));
  fail (self,
        g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_EXITED, _ ("%s() ended its process by exit (%d)"),
                     procfun_function_get_name (self->function), code));
}

static void
handle_frame (Exchange *self, const Frame *frame)
{
  if (frame->type == FRAME_HELLO && !self->greeted)
    handle_hello (self, frame);
  else if (frame->type == FRAME_RESULT && !is_answered (self))
    handle_result (self, frame);
  else if (frame->type == FRAME_ERROR && !is_answered (self))
    fail (self, error_from_bytes (frame->payload));
  else if (frame->type == FRAME_EXIT && !is_answered (self))
    handle_exit (self, frame);
  else
    fail_and_kill (self, g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                                      _ ("%s() failed: its process sent a frame out of turn"),
                                      procfun_function_get_name (self->function)));
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
          fail_and_kill (self, error);
          self->channel_ended = TRUE;
          break;
        case CHANNEL_END:
        default:
          self->channel_ended = TRUE;
          wait_for_end (self);
          break;
        }
    }
}

/* Without "SIG"; real-time signals have no names of their own. (transfer full) */
static char *
name_signal (int signum)
{
  const char *name = sigabbrev_np (signum);

  return name != NULL ? g_strdup (name) : g_strdup_printf ("RTMIN+%d", signum - SIGRTMIN);
}

/* What happens before the child says hello is not the function's doing. */
static GError *
error_before_start (const char *name, int status)
{
  g_autofree char *signal_name = NULL;

  if (WIFEXITED (status))
    return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                        _ ("the process for %s() did not start: it ended with exit code %d"), name,
                        WEXITSTATUS (status));
  signal_name = name_signal (WTERMSIG (status));
  return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                      _ ("the process for %s() did not start: it was ended by SIG%s (%s)"), name,
                      signal_name, g_strsignal (WTERMSIG (status)));
}

static GError *
error_of_function (const char *name, int status)
{
  g_autofree char *signal_name = NULL;

  if (WIFEXITED (status))
    return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_EXITED,
                        _ ("%s() ended its process with exit code %d"), name, WEXITSTATUS (status));
  signal_name = name_signal (WTERMSIG (status));
  return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, _ ("%s() crashed: SIG%s (%s)"), name,
                      signal_name, g_strsignal (WTERMSIG (status)));
}

static GError *
error_of_unknown_end (Exchange *self, const char *name)
{
  if (!self->greeted)
    return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                        _ ("the process for %s() did not start; how it ended is not known"), name);
  return g_error_new (
      PROCFUN_ERROR, PROCFUN_ERROR_EXITED,
      _ ("%s() ended its process without an answer; how is not known, because this program "
         "ignores or collects the end of its children"),
      name);
}

/* The child is dead and left no answer: its wait status is all there is. */
static GError *
error_from_status (Exchange *self)
{
  const char *name = procfun_function_get_name (self->function);
  int status;

  if (!process_get_status (self->process, &status))
    return error_of_unknown_end (self, name);
  if (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL)
    return g_error_new (
        PROCFUN_ERROR, PROCFUN_ERROR_KILLED,
        _ ("%s() was killed: SIGKILL from outside this program, maybe by the system for lack of "
           "memory"),
        name);
  return self->greeted ? error_of_function (name, status) : error_before_start (name, status);
}

static void
handle_death (Exchange *self)
{
  receive (self); /* what it had still written */
  if (!is_answered (self))
    fail (self, error_from_status (self));
  process_signal (self->process, SIGKILL); /* whom it left behind in its group */
  self->done = TRUE;
}

/* The machine: looks at everything, since asking costs less than remembering. */
static void
advance (Exchange *self, GCancellable *cancellable)
{
  g_autoptr (GError) cancelled = NULL;

  channel_flush (self->channel);
  receive (self);
  if (!is_answered (self) && g_cancellable_set_error_if_cancelled (cancellable, &cancelled))
    fail_and_kill (self, g_steal_pointer (&cancelled));
  if (process_has_died (self->process))
    {
      handle_death (self);
      return;
    }
  if (self->kill_at == 0 || g_get_monotonic_time () < self->kill_at)
    return;
  fail_and_kill (self, g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                                    _ ("%s() closed its channel without an answer"),
                                    procfun_function_get_name (self->function)));
  self->kill_at = g_get_monotonic_time () + END_WAIT_US;
}

static short
wanted_events (Exchange *self)
{
  if (self->channel_ended)
    return 0;
  return (short)(POLLIN | (channel_has_output (self->channel) ? POLLOUT : 0));
}

/* When to look again although nothing happens: monotonic time in µs, or -1. */
static gint64
get_wake_time (Exchange *self)
{
  if (process_get_pidfd (self->process) < 0)
    return g_get_monotonic_time () + (self->channel_ended ? BLIND_STEP_US : BLIND_STEP_OPEN_US);
  return self->kill_at > 0 ? self->kill_at : -1;
}

static GVariant *
take_outcome (Exchange *self, GError **error)
{
  if (self->error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->error));
  return g_steal_pointer (&self->result);
}

/* Driven by poll() */

static int
get_timeout_ms (Exchange *self)
{
  gint64 wake_time = get_wake_time (self);

  return wake_time < 0 ? -1
                       : (int)CLAMP ((wake_time - g_get_monotonic_time ()) / 1000 + 1, 0, G_MAXINT);
}

GVariant *
exchange_run (Exchange *self, GCancellable *cancellable, GError **error)
{
  int cancel_fd = cancellable != NULL ? g_cancellable_get_fd (cancellable) : -1;

  while (!self->done)
    {
      short events = wanted_events (self);
      struct pollfd fds[]
          = { { .fd = events != 0 ? channel_get_fd (self->channel) : -1, .events = events },
              { .fd = process_get_pidfd (self->process), .events = POLLIN },
              { .fd = is_answered (self) ? -1 : cancel_fd, .events = POLLIN } };

      poll (fds, G_N_ELEMENTS (fds), get_timeout_ms (self));
      advance (self, cancellable);
    }
  if (cancel_fd >= 0)
    g_cancellable_release_fd (cancellable);
  return take_outcome (self, error);
}

/* Driven by a GSource */

typedef struct
{
  GSource source;
  Exchange *exchange;
  GCancellable *cancellable; /* (nullable) */
  GTask *task;
  GSource *cancel_source; /* (nullable) (unowned): not when it is too late to cancel */
  gpointer channel_tag;   /* (nullable): not when nothing more comes */
} ExchangeSource;

static void
update_source (ExchangeSource *self)
{
  Exchange *exchange = self->exchange;
  GSource *source = &self->source;
  short events = wanted_events (exchange);

  if (events == 0 && self->channel_tag != NULL)
    g_source_remove_unix_fd (source, g_steal_pointer (&self->channel_tag));
  else if (events != 0)
    g_source_modify_unix_fd (source, self->channel_tag, (GIOCondition)events);
  g_source_set_ready_time (source, get_wake_time (exchange));
  if (is_answered (exchange) && self->cancel_source != NULL)
    g_source_remove_child_source (source, g_steal_pointer (&self->cancel_source));
}

static gboolean
exchange_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  ExchangeSource *self = (ExchangeSource *)source;
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;
  GVariant *result;

  advance (self->exchange, self->cancellable);
  if (!self->exchange->done)
    {
      update_source (self);
      return G_SOURCE_CONTINUE;
    }
  task = g_steal_pointer (&self->task);
  result = take_outcome (self->exchange, &error);
  g_clear_pointer (&self->exchange, exchange_free);
  if (result != NULL)
    g_task_return_pointer (task, result, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, error);
  return G_SOURCE_REMOVE;
}

static void
exchange_source_finalize (GSource *source)
{
  ExchangeSource *self = (ExchangeSource *)source;

  g_clear_pointer (&self->exchange, exchange_free);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->task);
}

static GSourceFuncs exchange_source_funcs
    = { .dispatch = exchange_source_dispatch, .finalize = exchange_source_finalize };

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  return G_SOURCE_CONTINUE; /* being ready is enough: the parent source is dispatched, too */
}

void
exchange_run_async (Exchange *exchange, GCancellable *cancellable, GTask *task)
{
  g_autoptr (GSource) source = g_source_new (&exchange_source_funcs, sizeof (ExchangeSource));
  ExchangeSource *self = (ExchangeSource *)source;

  self->exchange = exchange;
  self->task = task;
  self->channel_tag = g_source_add_unix_fd (source, channel_get_fd (exchange->channel),
                                            (GIOCondition)wanted_events (exchange));
  if (process_get_pidfd (exchange->process) >= 0)
    g_source_add_unix_fd (source, process_get_pidfd (exchange->process), G_IO_IN);
  if (cancellable != NULL)
    {
      g_autoptr (GSource) cancel_source = g_cancellable_source_new (cancellable);

      self->cancellable = g_object_ref (cancellable);
      g_source_set_callback (cancel_source, G_SOURCE_FUNC (on_cancelled), NULL, NULL);
      g_source_add_child_source (source, cancel_source);
      self->cancel_source = cancel_source;
    }
  g_source_set_priority (source, g_task_get_priority (task));
  g_source_set_static_name (source, "procfun exchange");
  update_source (self);
  g_source_attach (source, g_task_get_context (task));
}
