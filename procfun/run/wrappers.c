/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Typed wrappers of a definition: C values become a call, and its result C values. */

#include "procfun/base/intl.h"
#include "procfun/core/call-buffers.h"
#include "procfun/core/call-streams.h"
#include "procfun/core/call.h"
#include "procfun/core/context.h"
#include "procfun/core/function.h"
#include "procfun/core/plain-async.h"
#include "procfun/procfun-definition.h"
#include "procfun/run/call-run.h"
#include "procfun/run/default-executor.h"
#include "procfun/values/bytes.h"
#include "procfun/values/parts.h"
#include "procfun/values/type-packed.h"
#include "procfun/values/type.h"

/* FALSE: the arguments need a GVariant, or cannot be sent. */
static gboolean
pack_arguments (ProcfunDefinition *self, const ProcfunFunction *function,
                gconstpointer const *values, Buffer *out)
{
  const TypePlain *plain = function->plain_args;

  if (plain == NULL)
    return function->packs_args
           && type_pack_arguments (self->args, function->args_schema, values, out);
  type_plain_pack (plain, values, memset (buffer_reserve (out, plain->size), 0, plain->size));
  out->length += plain->size;
  return TRUE;
}

/* By way of GVariants, which tells what is wrong with a value. */
static ProcfunCall *
make_call (ProcfunDefinition *self, ProcfunFunction *function, gconstpointer const *values)
{
  g_autoptr (GUnixFDList) fds = NULL;
  g_auto (PipedValues) piped = { 0 };
  GError *error = NULL;
  GVariant *args = NULL;
  ProcfunCall *call;

  if (function->takes_streams)
    {
      if (piped_values_init (&piped, self->args, self->n_args, values, &error))
        values = piped.values;
      else
        values = NULL;
    }
  if (values != NULL)
    args = type_arguments_to_variant (self->args, self->n_args, values, &fds, &error);
  if (args == NULL)
    {
      g_prefix_error (&error, _ ("%s() cannot be called with this: "), self->name);
      return procfun_call_new_failed (function, error);
    }
  call = procfun_call_new (function, args);
  if (fds != NULL)
    procfun_call_set_fd_list (call, fds);
  if (function->takes_streams)
    call_take_pumps (call, &piped);
  if (function->n_buffers > 0)
    call_keep_buffers (call, self->args, self->n_args, values);
  return call;
}

ProcfunCall *
procfun_definition_call (ProcfunDefinition *self, gconstpointer const *values)
{
  ProcfunFunction *function = procfun_definition_get_function (self);
  BufferRoom room;
  g_auto (Buffer) args = BUFFER_IN (room);

  return pack_arguments (self, function, values, &args)
             ? procfun_call_new_packed (function, wire_buffer_steal (&args))
             : make_call (self, function, values);
}

/* Whether there may be large bytes in it, which serialising would copy. */
static gboolean
has_parts (GVariant *variant)
{
  return g_variant_is_container (variant) && g_variant_get_size (variant) >= BYTES_SHARE_MIN
         && parts_is_built (variant);
}

/* FALSE if the result needs type_from_variant(): it has variants or descriptors, a number is out of
 * range, or @variant is not in normal form. */
static gboolean
unpack_result (ProcfunDefinition *self, GVariant *variant, gpointer result)
{
  const ProcfunFunction *function = procfun_definition_get_function (self);
  g_autoptr (GBytes) owner = NULL;
  const guint8 *data;

  if (!function->packs_result || has_parts (variant))
    return FALSE;
  data = g_variant_get_data (variant);
  if (data == NULL)
    return FALSE;
  if (function->plain_result == NULL) /* else there is nothing to share */
    {
      owner = g_variant_get_data_as_bytes (variant);
      data = g_bytes_get_data (owner, NULL);
    }
  return type_unpack (&self->result, function->return_schema, data, g_variant_get_size (variant),
                      owner, result);
}

static gboolean
read_result (ProcfunDefinition *self, ProcfunCall *call, GVariant *variant, gpointer result,
             GError **error)
{
  return self->result_size == 0 || unpack_result (self, variant, result)
         || type_from_variant (&self->result, variant, procfun_call_get_result_fd_list (call),
                               result, error);
}

/* The buffers of the caller change only when all else has been read. */
static gboolean
read_with_buffers (ProcfunDefinition *self, ProcfunCall *call, GVariant *variant, gpointer result,
                   GError **error)
{
  g_autoptr (GVariant) first = g_variant_get_child_value (variant, 0);

  if (!call_check_buffers (call, error) || !read_result (self, call, first, result, error))
    return FALSE;
  call_write_buffers (call);
  return TRUE;
}

/* Takes @variant: NULL when the call failed, and at the end of a generator. */
static gboolean
finish (ProcfunDefinition *self, ProcfunCall *call, GVariant *variant, gpointer result,
        GError **error)
{
  gboolean ok = variant != NULL;

  type_init (&self->result, result);
  if (ok && procfun_definition_get_function (self)->n_buffers > 0)
    ok = read_with_buffers (self, call, variant, result, error);
  else if (ok)
    ok = read_result (self, call, variant, result, error);
  g_clear_pointer (&variant, g_variant_unref);
  return ok;
}

static gboolean
is_call_of (ProcfunDefinition *self, ProcfunCall *call)
{
  return PROCFUN_IS_CALL (call)
         && procfun_call_get_function (call) == procfun_definition_get_function (self);
}

gboolean
procfun_definition_run (ProcfunDefinition *self, ProcfunCall *call, GCancellable *cancellable,
                        gpointer result, GError **error)
{
  GVariant *variant = NULL;

  if (!is_call_of (self, call))
    g_critical ("%s_run() was given something else than a call of %s()", self->name, self->name);
  else
    variant = call_run (call, cancellable, error);
  return finish (self, call, variant, result, error);
}

static gboolean
run_call (ProcfunDefinition *self, ProcfunCall *call, gpointer result, GError **error)
{
  gboolean ok = procfun_definition_run (self, call, NULL, result, error);

  g_object_unref (call);
  return ok;
}

/* With arguments that are packed. */
static gboolean
run_plain (ProcfunDefinition *self, ProcfunExecutor *executor, PlainCall *plain, GError **error)
{
  PlainCallStatus status = PLAIN_CALL_NOT_BEGUN;
  ProcfunCall *call;

  if (plain->function->is_plain)
    status = procfun_executor_run_plain (executor, plain);
  switch (status)
    {
    case PLAIN_CALL_DONE:
      return TRUE;
    case PLAIN_CALL_MADE:
    case PLAIN_CALL_FAILED:
      if (plain->error != NULL)
        g_propagate_error (error, g_steal_pointer (&plain->error));
      return finish (self, plain->call, g_steal_pointer (&plain->variant), plain->result, error);
    case PLAIN_CALL_NOT_BEGUN:
    default:
      call = procfun_call_new_packed (plain->function, wire_buffer_steal (&plain->args));
      procfun_call_set_executor (call, executor);
      return run_call (self, call, plain->result, error);
    }
}

static gboolean
process (ProcfunDefinition *self, ProcfunExecutor *executor, gconstpointer const *values,
         gpointer result, GError **error)
{
  ProcfunFunction *function = procfun_definition_get_function (self);
  BufferRoom room;
  g_auto (PlainCall) plain
      = { .function = function, .definition = self, .args = BUFFER_IN (room), .result = result };
  ProcfunCall *call;

  if (pack_arguments (self, function, values, &plain.args))
    return run_plain (self, executor, &plain, error);
  call = make_call (self, function, values);
  procfun_call_set_executor (call, executor);
  return run_call (self, call, result, error);
}

gboolean
procfun_definition_process (ProcfunDefinition *self, gconstpointer const *values, gpointer result,
                            GError **error)
{
  g_autoptr (ProcfunExecutor) executor = procfun_executor_ref_default ();

  return process (self, executor, values, result, error);
}

/* @executor and @settings: (nullable). (transfer full) */
static ProcfunCall *
make_call_with (ProcfunDefinition *self, gconstpointer const *values, ProcfunExecutor *executor,
                const ProcfunCallSettings *settings)
{
  ProcfunCall *call = procfun_definition_call (self, values);

  procfun_call_set_executor (call, executor);
  if (settings == NULL)
    return call;
  procfun_call_set_timeout (call, settings->timeout);
  procfun_call_set_deadline (call, settings->deadline);
  if (settings->grace_period != 0)
    procfun_call_set_grace_period (call, MAX (settings->grace_period, 0));
  procfun_call_set_priority (call, settings->priority);
  procfun_call_set_io_priority (call, settings->io_priority);
  procfun_call_set_limits (call, settings->limits);
  procfun_call_set_launch_context (call, settings->launch_context);
  return call;
}

gboolean
procfun_definition_process_with (ProcfunDefinition *self, gconstpointer const *values,
                                 ProcfunExecutor *executor, const ProcfunCallSettings *settings,
                                 gpointer result, GError **error)
{
  if (settings != NULL)
    return run_call (self, make_call_with (self, values, executor, settings), result, error);
  if (executor == NULL)
    return procfun_definition_process (self, values, result, error);
  return process (self, executor, values, result, error);
}

/* With arguments that are packed. FALSE: it has to be an object. */
static gboolean
run_plain_async (ProcfunExecutor *executor, PlainCall *plain)
{
  if (!plain->function->is_plain)
    return FALSE;
  executor = executor != NULL ? g_object_ref (executor) : procfun_executor_ref_default ();
  if (procfun_executor_run_plain (executor, plain) == PLAIN_CALL_SENT)
    return TRUE;
  g_object_unref (executor);
  return FALSE;
}

/* @executor: (nullable) */
static void
process_async (ProcfunDefinition *self, ProcfunExecutor *executor, gconstpointer const *values,
               GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  const PlainReceiver receiver = { callback, user_data, procfun_call_run_async };
  BufferRoom room;
  g_auto (PlainCall) plain = { .function = procfun_definition_get_function (self),
                               .definition = self,
                               .args = BUFFER_IN (room),
                               .receiver = &receiver };
  g_autoptr (ProcfunCall) call = NULL;

  if (!pack_arguments (self, plain.function, values, &plain.args))
    call = make_call (self, plain.function, values);
  else if (cancellable == NULL && run_plain_async (executor, &plain))
    return;
  else
    call = procfun_call_new_packed (plain.function, wire_buffer_steal (&plain.args));
  procfun_call_set_executor (call, executor);
  procfun_call_run_async (call, cancellable, callback, user_data);
}

void
procfun_definition_process_with_async (ProcfunDefinition *self, gconstpointer const *values,
                                       ProcfunExecutor *executor,
                                       const ProcfunCallSettings *settings,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  g_autoptr (ProcfunCall) call = NULL;

  if (settings == NULL)
    {
      process_async (self, executor, values, cancellable, callback, user_data);
      return;
    }
  call = make_call_with (self, values, executor, settings);
  procfun_call_run_async (call, cancellable, callback, user_data);
}

void
procfun_definition_process_async (ProcfunDefinition *self, gconstpointer const *values,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  process_async (self, NULL, values, cancellable, callback, user_data);
}

gboolean
procfun_definition_process_finish (ProcfunDefinition *self, GAsyncResult *async_result,
                                   gpointer result, GError **error)
{
  ProcfunCall *call = (ProcfunCall *)async_result; /* which is its own result */
  GVariant *variant = NULL;

  if (PLAIN_IS_ASYNC (async_result) && ((PlainAsync *)async_result)->plain.definition == self)
    {
      if (plain_async_take ((PlainAsync *)async_result, result))
        return TRUE;
    }
  else if (!is_call_of (self, call))
    g_critical ("%s_process_finish() was given something else than the result of %s()", self->name,
                self->name);
  else
    variant = call_run_finish (call, async_result, error);
  return finish (self, call, variant, result, error);
}

/* Generators */

static GPrivate receivers; /* the innermost */

void
procfun_receiver_push (ProcfunReceiver *self)
{
  self->outer = g_private_get (&receivers);
  g_private_set (&receivers, self);
}

void
procfun_receiver_pop (ProcfunReceiver *self)
{
  g_private_set (&receivers, self->outer);
}

/* Items yielded meanwhile go to the next receiver outwards: the one that takes items may yield them
 * itself. */
static gboolean
give_to_receiver (ProcfunReceiver *receiver, gconstpointer item)
{
  ProcfunReceiver *innermost = g_private_get (&receivers);

  if (receiver->has_enough)
    return FALSE;
  g_private_set (&receivers, receiver->outer);
  receiver->has_enough = !receiver->take (item, receiver->user_data);
  g_private_set (&receivers, innermost);
  return !receiver->has_enough;
}

static gboolean
give_to_caller (ProcfunDefinition *self, gconstpointer item)
{
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GVariant) variant = NULL;
  GError *error = NULL;

  if (!procfun_context_wants_item (procfun_definition_get_function (self)))
    return FALSE;
  variant = type_to_variant (&self->result, item, &fds, &error);
  if (variant == NULL)
    {
      g_prefix_error (&error, _ ("an item of %s() cannot be sent: "), self->name);
      procfun_context_fail_item (error);
      return FALSE;
    }
  g_variant_ref_sink (variant);
  return procfun_context_yield (variant, fds);
}

gboolean
procfun_definition_yield (ProcfunDefinition *self, gconstpointer item)
{
  ProcfunReceiver *receiver = g_private_get (&receivers);
  g_autoptr (GVariant) sunk = NULL;

  if (self->result.kind == PROCFUN_KIND_VARIANT && *(GVariant *const *)item != NULL)
    sunk = g_variant_ref_sink (*(GVariant *const *)item);
  while (receiver != NULL && receiver->definition != self)
    receiver = receiver->outer;
  return receiver != NULL ? give_to_receiver (receiver, item) : give_to_caller (self, item);
}

gboolean
procfun_definition_next (ProcfunDefinition *self, ProcfunCall *call, gpointer item,
                         GCancellable *cancellable, GError **error)
{
  GVariant *variant = NULL;

  if (!is_call_of (self, call))
    g_critical ("%s_next() was given something else than a call of %s()", self->name, self->name);
  else
    variant = procfun_call_next (call, cancellable, error);
  return finish (self, call, variant, item, error);
}

gboolean
procfun_definition_next_finish (ProcfunDefinition *self, ProcfunCall *call,
                                GAsyncResult *async_result, gpointer item, GError **error)
{
  GVariant *variant = NULL;

  if (!is_call_of (self, call))
    g_critical ("%s_next_finish() was given something else than a call of %s()", self->name,
                self->name);
  else
    variant = procfun_call_next_finish (call, async_result, error);
  return finish (self, call, variant, item, error);
}

void
procfun_value_clear (const ProcfunTypeInfo *info, gpointer value)
{
  const ProcfunMember member = { NULL, info, 0, info->kind };

  type_clear (&member, value);
}
