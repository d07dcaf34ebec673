/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/request.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/core/call-debug.h"
#include "procfun/core/call.h"
#include "procfun/core/context.h"
#include "procfun/core/function.h"
#include "procfun/core/launch-context.h"
#include "procfun/process/launch.h"
#include "procfun/procfun-error.h"
#include "procfun/values/bytes.h"
#include "procfun/values/parts.h"
#include "procfun/values/schema.h"
#include "procfun/wire/loan.h"
#include "procfun/wire/sandbox-frame.h"
#include "procfun/wire/setup.h"
#include <inttypes.h>

/* @rest: (nullable): of the arguments. (transfer full) (nullable) */
static GBytes *
encode (ProcfunCall *call, ProcfunCodec *codec, GVariant *rest, GError **error)
{
  if (procfun_call_get_packed_arguments (call) != NULL && codec == procfun_codec_get_gvariant ())
    return g_bytes_ref (procfun_call_get_packed_arguments (call));
  return procfun_codec_encode (
      codec, procfun_function_get_arguments_schema (procfun_call_peek_function (call)),
      rest != NULL ? rest : procfun_call_get_arguments (call), error);
}

static gboolean
is_shared (gconstpointer data, gsize size, gpointer user_data)
{
  BytesPlace place;

  return bytes_find (data, size, &place);
}

void
exchange_take_parts (ExchangeOptions *options, GVariant *args)
{
  if (!bytes_are_shared () || options->parts != NULL || options->arguments_on_command_line
      || g_variant_get_size (args) < BYTES_SHARE_MIN)
    return;
  options->parts = parts_new ();
  options->rest
      = parts_take_out (args, BYTES_SHARE_MIN, LOAN_SLOTS, is_shared, NULL, options->parts);
  options->whole = g_variant_ref (args);
  if (options->parts->len == 0)
    exchange_clear_parts (options);
}

void
exchange_clear_parts (ExchangeOptions *options)
{
  g_clear_pointer (&options->parts, g_array_unref);
  g_clear_pointer (&options->rest, g_variant_unref);
  g_clear_pointer (&options->whole, g_variant_unref);
}

gboolean
exchange_defers_encoding (ProcfunCall *call, ExchangeOptions *options)
{
  const ProcfunSchema *schema
      = procfun_function_get_arguments_schema (procfun_call_peek_function (call));
  GVariant *args;

  options->value = NULL;
  if (procfun_call_get_packed_arguments (call) != NULL || options->parts != NULL
      || schema->has_variants || options->codec != procfun_codec_get_gvariant ()
      || options->arguments_on_command_line)
    return FALSE;
  args = procfun_call_get_arguments (call);
  if (args == NULL || g_variant_get_size (args) < CHANNEL_SHARE_MIN
      || g_variant_get_size (args) > options->max_payload || !g_variant_is_normal_form (args)
      || !g_variant_is_of_type (args, schema->type)
      || !channel_check_fds (procfun_call_peek_fd_list (call), NULL))
    return FALSE;
  options->value = args;
  return TRUE;
}

guint64
exchange_get_max_result (const ExchangeOptions *options)
{
  return options->max_payload + options->buffers_size;
}

gsize
exchange_get_arguments_size (const ExchangeOptions *options, GBytes *arguments)
{
  if (options->value != NULL)
    return g_variant_get_size (options->value);
  return g_bytes_get_size (arguments) + parts_get_size (options->parts);
}

GBytes *
exchange_encode_arguments (ProcfunCall *call, const ExchangeOptions *options, GError **error)
{
  const char *name = procfun_function_get_name (procfun_call_peek_function (call));
  g_autoptr (GBytes) bytes = encode (call, options->codec, options->rest, error);
  gsize size;

  if (bytes == NULL || !channel_check_fds (procfun_call_peek_fd_list (call), error))
    g_prefix_error (error, _ ("%s() cannot be called with this: "), name);
  else if ((size = g_bytes_get_size (bytes) + parts_get_size (options->parts))
           > options->max_payload)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                 _ ("the arguments of %s() take %zu bytes, but %" PRIu64 " is the limit"), name,
                 size, options->max_payload);
  else
    return g_steal_pointer (&bytes);
  return NULL;
}

const char *
request_get_identity (ProcfunFunction *function)
{
  const Module *module = function->module;

  return module != NULL ? module->identity : "";
}

void
request_announce (Channel *channel)
{
  channel_send (channel, FRAME_ANNOUNCE, 0, NULL, 0, NULL, NULL);
  channel_out_flush (&channel->out);
}

void
request_send_setup (Channel *channel, ProcfunFunction *function, const ExchangeOptions *options,
                    guint arena_idle)
{
  g_autoptr (GUnixFDList) fds = NULL;
  Setup setup = { .codec = procfun_codec_get_name (options->codec),
                  .identity = request_get_identity (function),
                  .depth = procfun_context_get_depth () + 1,
                  .arguments_on_command_line = options->arguments_on_command_line,
                  .max_payload = options->max_payload,
                  .arena_idle = arena_idle,
                  .locale = intl_get_locale (),
                  .name = procfun_function_get_name (function),
                  .limits = options->limits };
  g_autofree char *folder
      = launch_get_start_folder (function) != NULL ? g_get_current_dir () : NULL;
  g_autoptr (GBytes) bytes = NULL;

  setup.folder = folder;
  if (options->context != NULL)
    setup.context = procfun_launch_context_to_variant (options->context, &fds);
  bytes = setup_to_bytes (&setup);
  channel_send (channel, FRAME_SETUP, 0, NULL, 0, bytes, fds);
}

/* A process that was forked, or has served before, may know everything but the limits. */
static gboolean
needs_setup (const Worker *worker, const ExchangeOptions *options)
{
  return worker->codec != options->codec || worker->max_payload != options->max_payload
         || worker->context != options->context || worker->arena_idle != worker->told_arena_idle;
}

static const char *
name_preparation (const Worker *worker, const ExchangeOptions *options)
{
  if (needs_setup (worker, options))
    return "setup; ";
  return options->limits != NULL ? "limits; " : "";
}

/* Those that a control group keeps are not the child's to keep. */
static void
send_worker_limits (Worker *worker)
{
  ProcfunLimits limits = *worker->limits;

  if (worker->cgroup != NULL && cgroup_limits_processes (worker->cgroup))
    limits.processes = 0;
  worker->knows_limits = TRUE;
  channel_send (worker->channel, FRAME_WORKER_LIMITS, 0, &limits, sizeof limits, NULL, NULL);
}

/* Where memory cannot be lent after all, it is copied. */
static void
send_call (Worker *worker, ProcfunCall *call, const ExchangeOptions *options, const FrameCall *head,
           GBytes *arguments)
{
  GUnixFDList *fds = procfun_call_peek_fd_list (call);
  g_autoptr (GBytes) all = NULL;

  if (options->value != NULL)
    {
      channel_out_send_value (&worker->channel->out, FRAME_CALL, worker->call_id, head,
                              sizeof *head, options->value, fds);
      return;
    }
  if (options->parts != NULL && arguments != NULL)
    {
      if (channel_send_lent (worker->channel, FRAME_CALL, worker->call_id, head, sizeof *head,
                             arguments, fds, options->parts))
        return;
      arguments = all = (options->flags & FRAME_CALL_MAP) != 0
                            ? g_variant_get_data_as_bytes (options->whole)
                            : encode (call, options->codec, NULL, NULL);
    }
  channel_send (worker->channel, FRAME_CALL, worker->call_id, head, sizeof *head, arguments, fds);
}

/* Its bytes were made when the call was prepared. */
static void
send_sandbox (Worker *worker, SandboxPlan *sandbox)
{
  if (worker->sandbox == sandbox || sandbox == NULL)
    return;
  channel_send (worker->channel, FRAME_SANDBOX, 0, NULL, 0, sandbox_to_bytes (sandbox, NULL), NULL);
  g_clear_pointer (&worker->sandbox, sandbox_plan_unref);
  worker->sandbox = sandbox_plan_ref (sandbox);
}

void
request_send (Worker *worker, ProcfunCall *call, const ExchangeOptions *options, guint64 flags,
              GBytes *arguments)
{
  ProcfunFunction *function = procfun_call_peek_function (call);
  const FrameCall head = { .hash = function->hash_number,
                           .deadline = procfun_call_get_deadline_time (call),
                           .flags = flags };

  if (debug_has (DEBUG_WIRE))
    call_debug_log (call, 0, "frames sent: %scall, %" G_GSIZE_FORMAT " bytes of arguments as %s",
                    name_preparation (worker, options),
                    arguments != NULL ? exchange_get_arguments_size (options, arguments) : 0,
                    procfun_codec_get_name (options->codec));
  if (needs_setup (worker, options))
    {
      request_send_setup (worker->channel, function, options, worker->arena_idle);
      worker->told_arena_idle = worker->arena_idle;
      worker_set_codec (worker, options->codec);
      g_set_object (&worker->context, options->context);
      worker->max_payload = options->max_payload;
    }
  else if (options->limits != NULL)
    channel_send (worker->channel, FRAME_LIMITS, 0, options->limits, sizeof *options->limits, NULL,
                  NULL);
  if (worker->limits != NULL && !worker->knows_limits && worker->is_kept
      && (flags & FRAME_CALL_INITIAL) == 0)
    send_worker_limits (worker);
  send_sandbox (worker, options->sandbox);
  send_call (worker, call, options, &head, arguments);
}

void
exchange_prepare_worker (Worker *worker, ProcfunCall *call, const ExchangeOptions *options)
{
  g_autoptr (GBytes) arguments = exchange_encode_arguments (call, options, NULL);
  ExchangeOptions open = *options;

  open.sandbox = NULL;
  worker_open_channel (worker, exchange_get_max_result (options));
  worker->has_greeted = FALSE;
  worker->initializer = g_strdup (procfun_function_get_name (procfun_call_peek_function (call)));
  request_send (worker, call, &open, FRAME_CALL_INITIAL, arguments);
  channel_out_flush (&worker->channel->out);
}
