/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/reply.h"

#include "procfun/base/intl.h"
#include "procfun/base/usage.h"
#include "procfun/codecs/gvariant.h"
#include "procfun/core/call-buffers.h"
#include "procfun/core/call-debug.h"
#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/platform/pages.h"
#include "procfun/platform/syscall-filter.h"
#include "procfun/process/request.h"
#include "procfun/procfun-error.h"
#include "procfun/values/parts.h"
#include "procfun/wire/error-frame.h"
#include <inttypes.h>
#include <string.h>

void
reply_init (Reply *self, Ending *ending, guint32 call_id)
{
  self->ending = ending;
  self->function = procfun_call_peek_function (ending->call);
  self->call_id = call_id;
  items_init (&self->items);
}

void
reply_clear (Reply *self)
{
  items_clear (&self->items);
}

static void
start_clocks (Reply *self)
{
  clocks_start (&self->ending->clocks, self->ending->worker->process);
  procfun_call_started (self->ending->call, process_get_pid (self->ending->worker->process));
}

void
reply_start (Reply *self)
{
  if (self->is_started || !self->ending->worker->has_greeted)
    return;
  self->is_started = TRUE;
  start_clocks (self);
}

static void
handle_hello (Reply *self, const Frame *frame)
{
  const char *identity = request_get_identity (self->function);
  gsize size;
  const char *theirs = g_bytes_get_data (frame->payload, &size);

  self->ending->worker->has_greeted = self->is_started = TRUE;
  worker_count_memory_anew (self->ending->worker);
  g_clear_pointer (&self->ending->worker->initializer, g_free);
  if (size == 0 || (size == strlen (identity) && memcmp (theirs, identity, size) == 0))
    start_clocks (self); /* else it says so itself, with the name of the file */
}

/* Splits the usage off the beginning. (transfer full): the rest */
static GBytes *
take_usage (Reply *self, const Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->payload, &size);

  if (size < sizeof (ProcfunUsage))
    return g_bytes_new (NULL, 0);
  outcome_set_told_usage (&self->ending->outcome, data);
  return g_bytes_new_from_bytes (frame->payload, sizeof (ProcfunUsage),
                                 size - sizeof (ProcfunUsage));
}

/* To translate takes as long as to read a small value. */
static const char *
name_value (Reply *self)
{
  return procfun_function_is_generator (self->function) ? _ ("an item") : _ ("the result");
}

/* To go through the interface costs nearly as much as to read a small value. */
static GVariant *
decode (Reply *self, GBytes *payload, GError **error)
{
  ProcfunCodec *codec = self->ending->worker->codec;
  ProcfunSchema *schema = procfun_function_get_return_schema (self->function);

  return codec == procfun_codec_get_gvariant ()
             ? wire_variant_decode (schema, payload, error)
             : procfun_codec_decode (codec, schema, payload, error);
}

/* The contents of buffers stay where they are until the buffers take them over. Other bytes that
 * the process could change are copied. */
static gboolean
settle_parts (Reply *self, GArray *parts, GError **error)
{
  for (guint i = 0; i < parts->len; i++)
    {
      Part *part = &g_array_index (parts, Part, i);
      GBytes *bytes;
      gsize size;
      gconstpointer data = g_bytes_get_data (part->bytes, &size);

      if (!part->is_changeable)
        continue;
      bytes = call_keep_contents (self->ending->call, part) ? g_bytes_new (NULL, 0)
                                                            : pages_copy (data, size);
      if (bytes == NULL)
        {
          g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                       _ ("there is no memory for the %" PRIu64 " bytes that the other side sends"),
                       (guint64)size);
          return FALSE;
        }
      g_bytes_unref (part->bytes);
      part->bytes = bytes;
    }
  return TRUE;
}

/* A result, or an item of a generator, not floating. @parts: (nullable) */
static GVariant *
read_value (Reply *self, GBytes *payload, GArray *parts, GError **error)
{
  const Worker *worker = self->ending->worker;
  const char *name = procfun_function_get_name (self->function);
  const gsize size = g_bytes_get_size (payload) + parts_get_size (parts);
  GVariant *value, *whole;

  if (size > worker->max_payload + self->buffers_size)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("%s of %s() takes %zu bytes, but %" PRIu64 " is the limit"),
                   name_value (self), name, size - self->buffers_size, worker->max_payload);
      return NULL;
    }
  if (parts != NULL && !settle_parts (self, parts, error))
    return NULL;
  value = decode (self, payload, error);
  if (value == NULL)
    g_prefix_error (error, _ ("%s of %s() cannot be read: "), name_value (self), name);
  if (value == NULL || parts == NULL)
    return value;
  whole = parts_put_back (value, parts);
  g_variant_unref (value);
  if (whole == NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                 _ ("%s of %s() has other parts than its process sent"), name_value (self), name);
  return whole;
}

static void
handle_result (Reply *self, const Frame *frame)
{
  g_autoptr (GBytes) payload = take_usage (self, frame);
  GError *error = NULL;
  GVariant *result;

  if (procfun_function_is_generator (self->function) || self->is_map)
    result = g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  else
    {
      if (self->buffers_size > 0)
        call_drop_contents (self->ending->call); /* of a try before */
      self->bytes_out = g_bytes_get_size (payload) + parts_get_size (frame->parts);
      result = read_value (self, payload, frame->parts, &error);
    }
  if (result == NULL)
    {
      ending_fail_and_kill (self->ending, PROCFUN_CAUSE_PROTOCOL, error);
      return;
    }
  outcome_succeed (&self->ending->outcome, result);
  if (frame->fds != NULL)
    procfun_call_take_result_fd_list (self->ending->call, g_object_ref (frame->fds));
  ending_await (self->ending);
}

/* In a sandbox, a function often has no more to say than “Permission denied”. */
static void
explain (Reply *self, GError *error)
{
  g_autofree char *name = syscall_filter_name (self->refused_call);
  char *message = g_strdup_printf (_ ("%s; %s() was refused the system call %s"), error->message,
                                   procfun_function_get_name (self->function), name);

  g_free (error->message);
  error->message = message;
}

static void
handle_error (Reply *self, const Frame *frame)
{
  g_autoptr (GBytes) payload = take_usage (self, frame);
  GError *error = error_from_bytes (payload);

  if (self->refused_call > 0)
    explain (self, error);
  worker_note_error (self->ending->worker, error);
  ending_fail (self->ending, PROCFUN_CAUSE_ERROR, error);
}

static void
handle_exit (Reply *self, const Frame *frame)
{
  g_autoptr (GBytes) payload = take_usage (self, frame);
  gint32 code = 0;

  memcpy (&code, g_bytes_get_data (payload, NULL), MIN (g_bytes_get_size (payload), sizeof code));
  outcome_exit (&self->ending->outcome, code);
  ending_await (self->ending);
}

/* Counts also when the outcome is known: it says how the process is to be ended. */
static void
handle_event (Reply *self, const Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->payload, &size);
  g_autofree char *text = NULL;
  FrameEvent event;

  memcpy (&event, data, sizeof event);
  event.name[sizeof event.name - 1] = '\0';
  if (size > sizeof event)
    text = g_utf8_make_valid ((const char *)data + sizeof event, (gssize)(size - sizeof event));
  if (strcmp (event.name, FRAME_EVENT_LISTENS) == 0)
    self->ending->escalation.listens = TRUE;
  else if (strcmp (event.name, FRAME_EVENT_REFUSED) == 0)
    self->refused_call = (int)CLAMP (event.number, 0, G_MAXINT);
  else if (strcmp (event.name, FRAME_EVENT_RETURNED) == 0)
    clocks_note_return (&self->ending->clocks, 0);
  else if (!ending_is_decided (self->ending))
    procfun_call_emit_event (self->ending->call,
                             &(Event){ .name = event.name, .number = event.number, .text = text });
}

/* The function is told that nobody wants more when it yields the next item. */
static void
handle_item (Reply *self, const Frame *frame)
{
  GError *error = NULL;
  GVariant *item = read_value (self, frame->payload, frame->parts, &error);
  const gsize size = g_bytes_get_size (frame->payload) + parts_get_size (frame->parts);

  self->bytes_out += size;
  self->ending->escalation.listens = TRUE;
  if (item == NULL)
    ending_fail_and_kill (self->ending, PROCFUN_CAUSE_PROTOCOL, error);
  else if (!items_push (&self->items, item, frame->fds != NULL ? g_object_ref (frame->fds) : NULL,
                        size))
    ending_break_off (self->ending, PROCFUN_CAUSE_PROTOCOL, PROCFUN_ERROR_PROTOCOL,
                      g_strdup (_ ("failed: its process sent more items than it may")));
}

static void
handle_confined (Reply *self, const Frame *frame)
{
  SandboxState *state = &self->ending->worker->confined;

  memcpy (state, g_bytes_get_data (frame->payload, NULL), sizeof *state);
  state->level = MIN (state->level, PROCFUN_SANDBOX_PURE_COMPUTE);
  procfun_call_set_confined (self->ending->call, state->level, state->parts);
}

static void
handle_frame (Reply *self, const Frame *frame)
{
  static const struct
  {
    FrameType type;
    void (*handle) (Reply *self, const Frame *frame);
    gboolean is_answer;
  } handlers[] = { { FRAME_RESULT, handle_result, TRUE },
                   { FRAME_ERROR, handle_error, TRUE },
                   { FRAME_EXIT, handle_exit, TRUE },
                   { FRAME_ITEM, handle_item, FALSE } };

  if (debug_has (DEBUG_WIRE))
    call_debug_log (self->ending->call, self->ending->outcome.pid,
                    "frame received: %s, %" G_GSIZE_FORMAT " bytes",
                    frame_type_get_name (frame->type), g_bytes_get_size (frame->payload));
  if (frame->type == FRAME_CONFINED)
    {
      handle_confined (self, frame);
      return;
    }
  if (frame->call_id != self->call_id && self->ending->worker->call_id > 0
      && frame->type != FRAME_HELLO)
    return; /* a word of a call that has ended */
  if (frame->type == FRAME_STATE)
    {
      worker_set_state (self->ending->worker, frame->payload);
      return;
    }
  if (frame->type == FRAME_EVENT)
    {
      handle_event (self, frame);
      return;
    }
  if (frame->type == FRAME_HELLO && !self->ending->worker->has_greeted)
    {
      handle_hello (self, frame);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    if (handlers[i].type == frame->type && self->ending->worker->has_greeted)
      {
        self->ending->answered = handlers[i].is_answer && frame->type != FRAME_EXIT;
        if (!ending_is_decided (self->ending))
          handlers[i].handle (self, frame);
        else if (handlers[i].is_answer)
          ending_await (self->ending); /* it heard that it is to end */
        return;
      }
  ending_break_off (self->ending, PROCFUN_CAUSE_PROTOCOL, PROCFUN_ERROR_PROTOCOL,
                    g_strdup (_ ("failed: its process sent a frame out of turn")));
}

/* The function has returned and all below it is dead. Closing the lifeline ends the process itself,
 * and nobody needs to wait for that. */
gboolean
reply_is_complete (Reply *self)
{
  if (self->ending->worker->is_kept)
    return self->ending->answered;
  return self->ending->outcome.result != NULL && self->ending->escalation.step == PROCFUN_STEP_NONE
         && worker_ends_with_result (self->ending->worker);
}

/* Where a part of the result is there, the function has returned. */
static void
note_part (Reply *self)
{
  gsize n_bytes
      = channel_in_get_begun (&self->ending->worker->channel->in, FRAME_RESULT, self->call_id);

  if (n_bytes > 0)
    clocks_note_return (&self->ending->clocks, n_bytes);
}

guint
reply_receive (Reply *self)
{
  guint n = 0;

  channel_in_begin_turn (&self->ending->worker->channel->in);
  while (!self->has_ended && !reply_is_complete (self))
    {
      g_auto (Frame) frame = { 0 };
      GError *error = NULL;

      switch (channel_receive (self->ending->worker->channel, &frame, &error))
        {
        case CHANNEL_FRAME:
          handle_frame (self, &frame);
          n++;
          break;
        case CHANNEL_AGAIN:
          note_part (self);
          return n;
        case CHANNEL_FAILED:
          g_prefix_error (&error, _ ("%s() failed: "), procfun_function_get_name (self->function));
          ending_fail_and_kill (self->ending, PROCFUN_CAUSE_PROTOCOL, error);
          self->has_ended = TRUE;
          break;
        case CHANNEL_END:
        default:
          self->has_ended = TRUE;
          channel_shut_down (self->ending->worker->channel); /* or it may wait for another call */
          ending_await (self->ending);
          break;
        }
    }
  return n;
}
