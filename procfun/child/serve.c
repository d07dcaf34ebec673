/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/serve.h"

#include "procfun/child/setup.h"
#include "procfun/platform/intl.h"
#include "procfun/procfun-codec.h"
#include "procfun/procfun-context-private.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-function-private.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/error.h"
#include "procfun/wire/setup.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  Channel *channel;
  ProcfunFunction *function;
  const GError *why;     /* (nullable): there is no function */
  const char *arguments; /* (nullable): as JSON, from the command line */
  ProcfunCodec *codec;
  guint64 max_payload;
  guint32 call_id; /* of the call that runs, for the exit handler */
  gboolean running;
  pid_t pid; /* of the process that was started, and not of one that the function forks */
} Server;

/* exit() may come from anywhere in the function. */
static Server *exiting_server;

static void
send_error (Server *self, guint32 call_id, const GError *error)
{
  g_autoptr (GBytes) bytes = error_to_bytes (error);

  channel_send (self->channel, FRAME_ERROR, call_id, NULL, 0, bytes, NULL);
  channel_flush_blocking (self->channel);
}

static void
on_exit_called (int code, void *user_data)
{
  Server *self = exiting_server;
  gint32 number = code;

  if (self == NULL || !self->running || getpid () != self->pid)
    return;
  channel_send (self->channel, FRAME_EXIT, self->call_id, &number, sizeof number, NULL, NULL);
  channel_flush_blocking (self->channel);
}

static gboolean
check_payload (Server *self, GBytes *payload, GError **error)
{
  if (g_bytes_get_size (payload) <= self->max_payload)
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
               _ ("the result of %s() takes %zu bytes, but %" PRIu64 " is the limit"),
               procfun_function_get_name (self->function), g_bytes_get_size (payload),
               self->max_payload);
  return FALSE;
}

static GVariant *
decode_arguments (Server *self, GBytes *payload, GError **error)
{
  ProcfunSchema *schema = procfun_function_get_arguments_schema (self->function);
  g_autoptr (GBytes) bytes = NULL;
  GVariant *args;

  if (self->arguments != NULL)
    bytes = g_bytes_new_static (self->arguments, strlen (self->arguments));
  else
    bytes = g_bytes_new_from_bytes (payload, sizeof (FrameCall),
                                    g_bytes_get_size (payload) - sizeof (FrameCall));
  args = procfun_codec_decode (self->arguments != NULL ? procfun_codec_get_json () : self->codec,
                               schema, bytes, error);
  if (args == NULL)
    g_prefix_error (error, _ ("the arguments of %s() cannot be read: "),
                    procfun_function_get_name (self->function));
  return args;
}

/* From the frame of a call to the bytes of its result. */
static GBytes *
run_call (Server *self, const Frame *frame, GUnixFDList **result_fds, GError **error)
{
  g_autoptr (GVariant) args = decode_arguments (self, frame->payload, error);
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GBytes) payload = NULL;

  if (args == NULL)
    return NULL;
  self->call_id = frame->call_id;
  self->running = TRUE;
  result = procfun_function_invoke (self->function, args, frame->fds, result_fds, error);
  self->running = FALSE;
  if (getpid () != self->pid) /* the other one answers */
    _exit (0);
  fflush (NULL);
  if (result == NULL)
    return NULL;
  payload = procfun_codec_encode (self->codec, procfun_function_get_return_schema (self->function),
                                  result, error);
  if (payload == NULL || !channel_check_fds (*result_fds, error))
    g_prefix_error (error, _ ("the result of %s() cannot be sent: "),
                    procfun_function_get_name (self->function));
  else if (check_payload (self, payload, error))
    return g_steal_pointer (&payload);
  return NULL;
}

static gboolean
check_call (Server *self, const Frame *frame, GError **error)
{
  const FrameCall *head = g_bytes_get_data (frame->payload, NULL);

  if (self->codec == NULL || g_bytes_get_size (frame->payload) < sizeof *head)
    g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                         _ ("the caller sent a call that cannot be read"));
  else if (self->function == NULL)
    g_propagate_error (error, g_error_copy (self->why));
  else if (procfun_function_is_ambiguous (self->function))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, _ ("%s is defined twice"),
                 procfun_function_get_signature (self->function));
  else if (head->hash != procfun_function_get_hash_number (self->function))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
                 _ ("%s() was called, but this process serves %s"),
                 procfun_function_get_name (self->function),
                 procfun_function_get_signature (self->function));
  else
    return TRUE;
  return FALSE;
}

static void
handle_call (Server *self, const Frame *frame)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GUnixFDList) result_fds = NULL;
  g_autoptr (GBytes) result = NULL;

  if (check_call (self, frame, &error))
    result = run_call (self, frame, &result_fds, &error);
  if (result == NULL)
    {
      send_error (self, frame->call_id, error);
      return;
    }
  channel_send (self->channel, FRAME_RESULT, frame->call_id, NULL, 0, result, result_fds);
  channel_flush_blocking (self->channel);
}

static gboolean
apply_setup (Server *self, const Setup *setup, GError **error)
{
  const Module *module
      = self->function != NULL ? procfun_function_get_loaded_module (self->function) : NULL;

  intl_set_locale (setup->locale);
  procfun_context_set_depth (setup->depth);
  self->max_payload = setup->max_payload;
  if (module != NULL && strcmp (module->identity, setup->identity) != 0)
    {
      g_set_error (
          error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
          _ ("%s() cannot be called: %s was replaced by another build since the caller started"),
          procfun_function_get_name (self->function),
          module->path != NULL ? module->path : _ ("the program"));
      return FALSE;
    }
  self->codec = procfun_codec_lookup (setup->codec);
  if (self->codec == NULL)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
                   _ ("the codec “%s” is not registered in the process of the call"), setup->codec);
      return FALSE;
    }
  return TRUE;
}

static gboolean
handle_setup (Server *self, const Frame *frame)
{
  g_autoptr (GVariant) holder = NULL;
  g_autoptr (GError) error = NULL;
  Setup setup;

  if (setup_from_bytes (&setup, frame->payload, &holder, &error)
      && apply_setup (self, &setup, &error))
    return TRUE;
  send_error (self, frame->call_id, error);
  return FALSE;
}

static gboolean
handle_frame (Server *self, const Frame *frame)
{
  switch (frame->type)
    {
    case FRAME_SETUP:
      return handle_setup (self, frame);
    case FRAME_CALL:
      handle_call (self, frame);
      return TRUE;
    default:
      return FALSE;
    }
}

static void
say_hello (Server *self)
{
  const Module *module
      = self->function != NULL ? procfun_function_get_loaded_module (self->function) : NULL;
  const char *identity = module != NULL ? module->identity : "";

  channel_send (self->channel, FRAME_HELLO, 0, identity, strlen (identity), NULL, NULL);
  channel_flush (self->channel);
}

void
serve (const Command *command, ProcfunFunction *function, GError *why, const char *arguments)
{
  Server *self = g_new0 (Server, 1);
  gboolean go_on = TRUE;

  self->channel = channel_new (SETUP_CHANNEL_FD, G_MAXSIZE / 4);
  self->function = function;
  self->why = why;
  self->arguments = arguments;
  self->pid = getpid ();
  exiting_server = self;
  on_exit (on_exit_called, NULL);
  say_hello (self);
  while (go_on)
    {
      g_auto (Frame) frame = { 0 };

      go_on = channel_receive_blocking (self->channel, &frame, NULL) == CHANNEL_FRAME
              && handle_frame (self, &frame);
    }
  fflush (NULL);
  setup_end ();
}
