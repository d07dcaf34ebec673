/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a child says, and what comes of it. */

#include "procfun/process/exchange-private.h"

#include "procfun/base/intl.h"
#include "procfun/base/usage.h"
#include "procfun/core/call-debug.h"
#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/platform/limits-apply.h"
#include "procfun/process/request.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/error-frame.h"
#include <inttypes.h>
#include <string.h>

void
exchange_start_clocks (Exchange *self)
{
  const ProcfunLimits *limits = self->call->limits;
  gint64 timeout = procfun_call_get_effective_timeout (self->call);

  if (limits != NULL && procfun_limits_get_cpu_time (limits) > 0)
    self->cpu_at_hello = limits_read_cpu_time (process_get_pid (self->worker.process));
  if (timeout > 0)
    self->timeout_at = g_get_monotonic_time () + timeout;
  procfun_call_started (self->call, process_get_pid (self->worker.process));
}

static void
handle_hello (Exchange *self, const Frame *frame)
{
  const char *identity = request_get_identity (self->function);
  gsize size;
  const char *theirs = g_bytes_get_data (frame->payload, &size);

  self->worker.has_greeted = self->started = TRUE;
  if (size == 0 || (size == strlen (identity) && memcmp (theirs, identity, size) == 0))
    exchange_start_clocks (self); /* else it says so itself, with the name of the file */
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

/* To translate takes as long as to read a small value. */
static const char *
name_value (Exchange *self)
{
  return procfun_function_is_generator (self->function) ? _ ("an item") : _ ("the result");
}

/* A result, or an item of a generator. */
static GVariant *
read_value (Exchange *self, GBytes *payload, GError **error)
{
  const char *name = procfun_function_get_name (self->function);
  GVariant *value;

  if (g_bytes_get_size (payload) > self->worker.max_payload)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("%s of %s() takes %zu bytes, but %" PRIu64 " is the limit"),
                   name_value (self), name, g_bytes_get_size (payload), self->worker.max_payload);
      return NULL;
    }
  value = procfun_codec_decode (
      self->worker.codec, procfun_function_get_return_schema (self->function), payload, error);
  if (value == NULL)
    g_prefix_error (error, _ ("%s of %s() cannot be read: "), name_value (self), name);
  return value;
}

static void
handle_result (Exchange *self, const Frame *frame)
{
  g_autoptr (GBytes) payload = take_usage (self, frame);
  GError *error = NULL;
  GVariant *result;

  if (procfun_function_is_generator (self->function) || self->is_map)
    result = g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  else
    {
      self->bytes_out = g_bytes_get_size (payload);
      result = read_value (self, payload, &error);
    }
  if (result == NULL)
    {
      exchange_fail_and_kill (self, PROCFUN_CAUSE_PROTOCOL, error);
      return;
    }
  outcome_succeed (&self->outcome, result);
  if (frame->fds != NULL)
    procfun_call_take_result_fd_list (self->call, g_object_ref (frame->fds));
  exchange_await_end (self);
}

static void
handle_error (Exchange *self, const Frame *frame)
{
  g_autoptr (GBytes) payload = take_usage (self, frame);

  exchange_fail (self, PROCFUN_CAUSE_ERROR, error_from_bytes (payload));
}

static void
handle_exit (Exchange *self, const Frame *frame)
{
  g_autoptr (GBytes) payload = take_usage (self, frame);
  gint32 code = 0;

  memcpy (&code, g_bytes_get_data (payload, NULL), MIN (g_bytes_get_size (payload), sizeof code));
  outcome_exit (&self->outcome, code);
  exchange_await_end (self);
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

  self->bytes_out += g_bytes_get_size (frame->payload);
  self->escalation.listens = TRUE;
  if (item == NULL)
    exchange_fail_and_kill (self, PROCFUN_CAUSE_PROTOCOL, error);
  else if (!items_push (&self->items, item, frame->fds != NULL ? g_object_ref (frame->fds) : NULL,
                        g_bytes_get_size (frame->payload)))
    exchange_break_off (self, PROCFUN_CAUSE_PROTOCOL, PROCFUN_ERROR_PROTOCOL,
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
  if (frame->call_id != self->call_id && self->worker.call_id > 0 && frame->type != FRAME_HELLO)
    return; /* a word of a call that has ended */
  if (frame->type == FRAME_STATE)
    {
      worker_set_state (&self->worker, frame->payload);
      return;
    }
  if (frame->type == FRAME_LISTENS)
    {
      self->escalation.listens = TRUE;
      return;
    }
  if (frame->type == FRAME_HELLO && !self->worker.has_greeted)
    {
      handle_hello (self, frame);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    if (handlers[i].type == frame->type && self->worker.has_greeted)
      {
        self->answered = handlers[i].is_answer && frame->type != FRAME_EXIT;
        if (!outcome_is_known (&self->outcome))
          handlers[i].handle (self, frame);
        else if (handlers[i].is_answer)
          exchange_await_end (self); /* it heard that it is to end */
        return;
      }
  exchange_break_off (self, PROCFUN_CAUSE_PROTOCOL, PROCFUN_ERROR_PROTOCOL,
                      g_strdup (_ ("failed: its process sent a frame out of turn")));
}

guint
exchange_receive (Exchange *self)
{
  guint n = 0;

  while (!self->channel_ended && !exchange_has_answered (self))
    {
      g_auto (Frame) frame = { 0 };
      GError *error = NULL;

      switch (channel_receive (self->worker.channel, &frame, &error))
        {
        case CHANNEL_FRAME:
          handle_frame (self, &frame);
          n++;
          break;
        case CHANNEL_AGAIN:
          return n;
        case CHANNEL_FAILED:
          g_prefix_error (&error, _ ("%s() failed: "), procfun_function_get_name (self->function));
          exchange_fail_and_kill (self, PROCFUN_CAUSE_PROTOCOL, error);
          self->channel_ended = TRUE;
          break;
        case CHANNEL_END:
        default:
          self->channel_ended = TRUE;
          exchange_await_end (self);
          break;
        }
    }
  return n;
}
