/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/host-call.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/base/sandbox.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/core/failure.h"
#include "procfun/core/function.h"
#include "procfun/core/launch-context.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/host-chunk.h"
#include "procfun/values/serialised.h"
#include <string.h>

/* Cost of an item besides its bytes, as the caller counts it. */
#define ITEM_COST 64

struct _HostCall
{
  guint64 id;
  ProcfunCall *call; /* (nullable): or */
  HostChunk *chunk;  /* (nullable): elements of a map */
  guint32 output;    /* see RemoteCallHead */
  ProcfunExecutor *pool;
  ProcfunEngine *engine; /* unowned */
  HostCallFunc func;
  gpointer user_data;

  /* Of a generator */
  guint64 window;
  guint64 sent;
  guint64 taken;
  gboolean is_paused; /* the caller has enough for now */
};

void
host_call_free (HostCall *self)
{
  if (self->call != NULL)
    procfun_call_set_observer (self->call, NULL, NULL);
  g_clear_object (&self->call);
  g_clear_pointer (&self->chunk, host_chunk_free);
  g_object_unref (self->pool);
  g_free (self);
}

guint64
host_call_get_id (const HostCall *self)
{
  return self->id;
}

/* Words of the function */

static void
on_started (ProcfunCall *call, int pid, gpointer host_call)
{
  const HostCall *self = host_call;
  const RemoteStartedHead head = { .pid = pid };

  engine_answer (self->engine, self->id, LINK_STARTED, &head, sizeof head, PROCFUN_MESSAGE_NONE,
                 NULL);
}

static void
on_progress (ProcfunCall *call, double fraction, const char *text, gpointer host_call)
{
  const HostCall *self = host_call;
  const RemoteProgressHead head = { .fraction = fraction, .has_text = text != NULL ? 1 : 0 };

  engine_answer (self->engine, self->id, LINK_PROGRESS, &head, sizeof head, PROCFUN_MESSAGE_NONE,
                 text != NULL ? g_bytes_new (text, strlen (text)) : NULL);
}

static void
on_output (ProcfunCall *call, ProcfunStream stream, const char *line, gpointer host_call)
{
  const HostCall *self = host_call;
  const RemoteOutputHead head = { .stream = stream };

  engine_answer (self->engine, self->id, LINK_OUTPUT, &head, sizeof head, PROCFUN_MESSAGE_NONE,
                 g_bytes_new (line, strlen (line)));
}

/* Ends */

static void
send_end (HostCall *self, RemoteEndStatus status, GBytes *payload)
{
  const ProcfunUsage *usage = procfun_call_peek_usage (self->call);
  RemoteEndHead head = { .status = status,
                         .pid = procfun_call_get_pid (self->call),
                         .has_usage = usage != NULL,
                         .sandbox = procfun_call_get_sandbox (self->call),
                         .sandbox_parts = procfun_call_get_sandbox_parts (self->call) };

  if (usage != NULL)
    head.usage = *usage;
  engine_answer (self->engine, self->id, LINK_END, &head, sizeof head, PROCFUN_MESSAGE_END,
                 payload);
}

void
host_call_refuse (ProcfunEngine *engine, guint64 id, RemoteEndStatus status, const GError *error)
{
  const RemoteEndHead head = { .status = status };
  g_autoptr (ProcfunFailure) failure = NULL;

  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST))
    failure = procfun_failure_new (PROCFUN_CAUSE_WORKER_LOST, ""); /* its caller has the name */
  engine_answer (engine, id, LINK_END, &head, sizeof head, PROCFUN_MESSAGE_END,
                 remote_end_pack (error, failure));
}

/* @result: (nullable): nothing, of a generator */
static void
finish (HostCall *self, GVariant *result, GError *error)
{
  g_autoptr (GVariant) nothing = NULL;

  if (result == NULL && error == NULL)
    nothing = g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  procfun_call_end (self->call, result != NULL ? result : nothing, error);
  if (error != NULL)
    send_end (self, REMOTE_END_ERROR,
              remote_end_pack (error, procfun_call_peek_failure (self->call)));
  else
    send_end (self, REMOTE_END_RESULT,
              result != NULL ? g_variant_get_data_as_bytes (result) : NULL);
  self->func (self, self->user_data);
}

static void
on_run (GVariant *result, GError *error, gpointer user_data)
{
  HostCall *self = user_data;
  g_autoptr (GError) own_error = error;
  g_autoptr (GVariant) own_result
      = procfun_executor_end (self->pool, self->call, result, &own_error);

  finish (self, own_result, own_error);
}

/* Items */

static void on_item (GObject *source, GAsyncResult *result, gpointer user_data);

static void
ask_for_item (HostCall *self)
{
  self->is_paused = self->sent - self->taken >= self->window
                    && !canceller_is_cancelled (procfun_call_get_canceller (self->call));
  if (!self->is_paused)
    procfun_executor_next_async (self->pool, self->call, on_item, self);
}

static void
on_item (GObject *source, GAsyncResult *result, gpointer user_data)
{
  HostCall *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) item = procfun_executor_next_finish (self->pool, self->call, result, &error);

  if (item != NULL)
    {
      self->sent += g_variant_get_size (item) + ITEM_COST;
      engine_answer (self->engine, self->id, LINK_ITEM, NULL, 0, PROCFUN_MESSAGE_NONE,
                     g_variant_get_data_as_bytes (item));
      ask_for_item (self);
      return;
    }
  procfun_call_take_stream (self->call, NULL, NULL);
  procfun_executor_leave (self->pool, self->call, error);
  finish (self, NULL, error);
}

/* Words of the caller */

void
host_call_cancel (HostCall *self, gboolean is_urgent)
{
  if (self->chunk != NULL)
    {
      host_chunk_cancel (self->chunk, is_urgent);
      return;
    }
  if (is_urgent)
    procfun_call_set_urgent (self->call);
  canceller_cancel (procfun_call_get_canceller (self->call));
  if (self->is_paused)
    ask_for_item (self);
}

void
host_call_cancel_element (HostCall *self, guint64 at)
{
  if (self->chunk != NULL)
    host_chunk_cancel_element (self->chunk, at);
}

void
host_call_take (HostCall *self, guint64 bytes)
{
  self->taken = CLAMP (bytes, self->taken, self->sent);
  if (self->is_paused)
    ask_for_item (self);
}

/* Beginning */

static GVariant *
read_args (ProcfunFunction *function, GBytes *bytes, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (wire_serialised_is_normal (procfun_function_get_arguments_schema (function), data, size))
    return g_variant_new_from_bytes (procfun_function_get_arguments_type (function), bytes, TRUE);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE,
               _ ("the arguments of %s() cannot be read"), procfun_function_get_name (function));
  return NULL;
}

/* (nullable): none */
static ProcfunLimits *
read_limits (GVariant *options)
{
  g_autoptr (GVariant) limits
      = g_variant_lookup_value (options, "limits", G_VARIANT_TYPE ("a{st}"));

  return limits != NULL ? limits_from_variant (limits) : NULL;
}

static void
set_sandbox (ProcfunCall *call, GVariant *options)
{
  g_autoptr (GVariant) told
      = g_variant_lookup_value (options, "sandbox-rules", G_VARIANT_TYPE (SANDBOX_RULES_TYPE));
  guint32 level;

  if (g_variant_lookup (options, "sandbox", "u", &level))
    procfun_call_set_sandbox (call, (ProcfunSandbox)MIN (level, PROCFUN_SANDBOX_PURE_COMPUTE));
  if (told != NULL)
    {
      g_autoptr (ProcfunSandboxRules) rules = sandbox_rules_from_variant (told);

      procfun_call_set_sandbox_rules (call, rules);
    }
}

static void
set_options (ProcfunCall *call, GVariant *options)
{
  g_autoptr (ProcfunLimits) limits = read_limits (options);
  g_autoptr (GVariant) context
      = g_variant_lookup_value (options, "context", G_VARIANT_TYPE_VARDICT);

  if (limits != NULL)
    procfun_call_set_limits (call, limits);
  if (context != NULL)
    {
      g_autoptr (ProcfunLaunchContext) read = procfun_launch_context_from_variant (context);

      procfun_call_set_launch_context (call, read);
    }
  set_sandbox (call, options);
}

static void
set_output (ProcfunCall *call, guint32 output)
{
  for (guint i = 0; i < 2; i++)
    procfun_call_set_output_mode (call, (ProcfunStream)i,
                                  (output & (1U << i)) != 0 ? PROCFUN_OUTPUT_CAPTURE
                                                            : PROCFUN_OUTPUT_DISCARD);
}

static void
configure (ProcfunCall *call, const RemoteCallHead *head, GVariant *options)
{
  procfun_call_set_timeout (call, MAX (head->timeout, 0));
  procfun_call_set_deadline (call, MAX (head->left, 0));
  procfun_call_set_grace_period (call, MAX (head->grace_period, 0));
  procfun_call_set_priority (call, head->priority);
  set_output (call, head->output);
  if (g_variant_n_children (options) > 1) /* more than its name */
    set_options (call, options);
}

/* A chunk */

static void
prepare_element (ProcfunCall *call, gpointer user_data)
{
  static const CallObserver observer = { .output = on_output };
  HostCall *self = user_data;

  set_output (call, self->output);
  procfun_call_set_observer (call, &observer, self);
}

static void
on_chunk_ended (gpointer user_data)
{
  HostCall *self = user_data;

  self->func (self, self->user_data);
}

/* FALSE: it was not begun. */
static gboolean
begin_chunk (HostCall *self, GBytes *payload, const RemoteCallHead *head, GVariant *options,
             ProcfunFunction *function, GError **error)
{
  g_autoptr (ProcfunLimits) limits = read_limits (options);

  self->output = head->output;
  self->chunk = host_chunk_new (self->engine, self->id, payload, head, limits, function, self->pool,
                                prepare_element, on_chunk_ended, self, error);
  return self->chunk != NULL;
}

/* A call */

static gboolean
begin_call (HostCall *self, GBytes *payload, const RemoteCallHead *head, GVariant *options,
            ProcfunFunction *function, GError **error)
{
  static const CallObserver observer
      = { .started = on_started, .progress = on_progress, .output = on_output };
  GVariant *args = read_args (function, payload, error);

  if (args == NULL)
    return FALSE;
  self->call = procfun_call_new (function, args);
  self->window = MAX (head->window, 1);
  configure (self->call, head, options);
  procfun_call_set_observer (self->call, &observer, self);
  procfun_call_begin (self->call);
  if (!procfun_executor_enter (self->pool, self->call, error))
    return FALSE;
  if (procfun_function_is_generator (function))
    ask_for_item (self);
  else
    procfun_executor_run_async (self->pool, self->call, g_main_context_get_thread_default (),
                                on_run, self);
  return TRUE;
}

HostCall *
host_call_new (ProcfunEngine *engine, guint64 id, GBytes *payload, const RemoteCallHead *head,
               GVariant *options, ProcfunFunction *function, ProcfunExecutor *pool,
               HostCallFunc func, gpointer user_data, GError **error)
{
  HostCall *self = g_new0 (HostCall, 1);

  self->id = id;
  self->pool = g_object_ref (pool);
  self->engine = engine;
  self->func = func;
  self->user_data = user_data;
  if (head->n_elements > 0 ? begin_chunk (self, payload, head, options, function, error)
                           : begin_call (self, payload, head, options, function, error))
    return self;
  host_call_free (self);
  return NULL;
}
