/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/backend/request.h"

#include "procfun/platform/intl.h"
#include "procfun/procfun-call-debug-private.h"
#include "procfun/procfun-call-private.h"
#include "procfun/procfun-context-private.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-function-private.h"
#include "procfun/procfun-launch-context-private.h"
#include "procfun/wire/setup.h"
#include <inttypes.h>

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

const char *
request_get_identity (ProcfunFunction *function)
{
  const Module *module = procfun_function_get_loaded_module (function);

  return module != NULL ? module->identity : "";
}

void
request_send (Channel *channel, ProcfunCall *call, const ExchangeOptions *options,
              GBytes *arguments)
{
  ProcfunFunction *function = procfun_call_get_function (call);
  g_autoptr (GUnixFDList) fds = NULL;
  Setup setup = { .codec = procfun_codec_get_name (options->codec),
                  .identity = request_get_identity (function),
                  .depth = procfun_context_get_depth () + 1,
                  .arguments_on_command_line = options->arguments_on_command_line,
                  .max_payload = options->max_payload,
                  .locale = intl_get_locale (),
                  .limits = options->limits };
  const FrameCall head = { .hash = procfun_function_get_hash_number (function),
                           .deadline = procfun_call_get_deadline_time (call),
                           .flags = FRAME_CALL_LAST };
  g_autoptr (GBytes) setup_bytes = NULL;

  if (options->context != NULL)
    setup.context = procfun_launch_context_to_variant (options->context, &fds);
  setup_bytes = setup_to_bytes (&setup);
  if (debug_has (DEBUG_WIRE))
    call_debug_log (call, 0,
                    "frames sent: setup, %" G_GSIZE_FORMAT " bytes; call, %" G_GSIZE_FORMAT
                    " bytes of arguments as %s",
                    g_bytes_get_size (setup_bytes),
                    arguments != NULL ? g_bytes_get_size (arguments) : 0, setup.codec);
  channel_send (channel, FRAME_SETUP, 0, NULL, 0, setup_bytes, fds);
  channel_send (channel, FRAME_CALL, 0, &head, sizeof head, arguments,
                procfun_call_get_fd_list (call));
  channel_flush (channel);
}
