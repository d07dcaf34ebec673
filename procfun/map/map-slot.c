/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/map/map-slot.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/codecs/gvariant.h"
#include "procfun/core/call-buffers.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/core/function.h"
#include "procfun/executors/slot-start.h"
#include "procfun/procfun-error.h"
#include "procfun/schedule/pipeline.h"
#include "procfun/values/schema.h"
#include <inttypes.h>

MapSlot *
map_slot_new (const MapConfig *config)
{
  MapSlot *self = g_new0 (MapSlot, 1);

  self->config = config;
  return self;
}

void
map_slot_forget (MapSlot *self)
{
  g_clear_object (&self->call);
  preparation_clear (&self->preparation);
}

static void
leave (MapSlot *self, GVariant *result, GError *error)
{
  g_clear_pointer (&self->exchange, exchange_free);
  procfun_call_end (self->call, result, error);
  procfun_executor_leave (self->config->executor, self->call, error);
  map_slot_forget (self);
}

void
map_slot_free (MapSlot *self)
{
  if (self->exchange != NULL)
    {
      g_autoptr (GError) error
          = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("nobody waits for the map"));

      leave (self, NULL, error);
    }
  if (self->running != NULL)
    map_call_drop (self->running);
  map_slot_forget (self);
  map_chunk_clear (&self->chunk);
  g_free (self);
}

/* At the beginning of a call */
static void
reset (MapSlot *self)
{
  self->is_aborted = FALSE;
  self->is_cut = FALSE;
  self->end = G_MAXSIZE;
}

/* A call of another executor */

static void
apply (const MapConfig *config, ProcfunCall *call, gint64 more_time)
{
  if (config->timeout > 0)
    procfun_call_set_timeout (call, config->timeout + more_time);
  if (config->limits != NULL)
    procfun_call_set_limits (call, config->limits);
  if (config->prepare != NULL)
    config->prepare (call, config->user_data);
}

static ProcfunCall *
make_call_of_element (const MapConfig *config, const MapChunk *chunk)
{
  g_autoptr (GVariant) args = g_variant_get_child_value (chunk->args, 0);

  return procfun_call_new (config->function, args);
}

static ProcfunCall *
make_call_of_chunk (const MapConfig *config, const MapChunk *chunk, double cost, gint64 budget)
{
  ProcfunCall *call = procfun_call_new_failed (config->function, NULL);
  CallChunk *given = call_chunk_new (chunk->args, chunk->n);

  given->goes_on = config->goes_on;
  given->cost = cost;
  given->budget = budget;
  procfun_call_take_chunk (call, given);
  return call;
}

gboolean
map_slot_begin_call (MapSlot *self, MapChunk *chunk, double cost, gint64 budget, MapCallFunc func,
                     gpointer user_data, GError **error)
{
  reset (self);
  self->call = self->config->chunk_limit > 0
                   ? make_call_of_chunk (self->config, chunk, cost, budget)
                   : make_call_of_element (self->config, chunk);
  apply (self->config, self->call, 0);
  self->running = map_call_begin (self->config->executor, self->call, func, user_data, error);
  if (self->running == NULL)
    {
      map_slot_forget (self);
      return FALSE;
    }
  self->chunk = map_chunk_steal (chunk);
  return TRUE;
}

/* Other elements would fail likewise. */
static gboolean
is_of_executor (MapSlot *self, const GError *error)
{
  const ProcfunFailure *failure = procfun_call_peek_failure (self->call);

  return g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED)
         || (failure != NULL
             && procfun_failure_get_cause ((ProcfunFailure *)failure) == PROCFUN_CAUSE_START);
}

static void
take_result (MapSlot *self, GVariant *result, MapYield *yield)
{
  const ProcfunSchema *schema = procfun_function_get_return_schema (self->config->function);

  yield->n_done = 1;
  yield->results = g_variant_ref_sink (g_variant_new_array (schema->type, &result, 1));
}

static void
take_chunk (CallChunk *chunk, MapYield *yield)
{
  yield->results = g_variant_ref (chunk->results);
  yield->n_done = chunk->n_gone - chunk->errors->len;
  g_array_unref (yield->errors);
  yield->errors = g_array_ref (chunk->errors);
  yield->duration = chunk->duration;
  yield->round_trip = chunk->round_trip;
}

/* All fail, because it is not known which of the elements were begun. */
static void
fail_all (MapSlot *self, MapYield *yield)
{
  g_autoptr (GError) error = g_steal_pointer (&yield->error);

  for (gsize i = 0; i < self->chunk.n; i++)
    chunk_errors_add (yield->errors, i, g_error_copy (error));
}

static void
end_call (MapSlot *self, MapYield *yield)
{
  g_autoptr (GVariant) result = map_call_finish (g_steal_pointer (&self->running), &yield->error);
  CallChunk *chunk = procfun_call_get_chunk (self->call);

  yield->is_cancelled = canceller_is_cancelled (procfun_call_get_canceller (self->call));
  if (result != NULL && chunk != NULL)
    take_chunk (chunk, yield);
  else if (result != NULL)
    take_result (self, result, yield);
  else if (!yield->is_cancelled && !is_of_executor (self, yield->error))
    fail_all (self, yield);
  map_slot_forget (self);
}

gboolean
map_slot_advance (MapSlot *self)
{
  return self->exchange != NULL ? exchange_advance (self->exchange)
                                : map_call_has_ended (self->running);
}

gint64
map_slot_get_wake_time (MapSlot *self)
{
  if (self->exchange == NULL)
    return -1;
  return exchange_fall_asleep (self->exchange) ? 0 : exchange_get_wake_time (self->exchange);
}

/* A chunk for a worker of a pool */

/* As for a call of a pool. */
static gboolean
is_last (const MapConfig *config)
{
  return config->limits != NULL && limits_need_process (config->limits);
}

static ProcfunCall *
make_call (const MapConfig *config)
{
  ProcfunCall *call = procfun_call_new_failed (config->function, NULL);

  apply (config, call, config->budget);
  return call;
}

gboolean
map_slot_prepare (MapSlot *self, SlotRequest *request, GError **error)
{
  const MapConfig *config = self->config;

  reset (self);
  self->call = make_call (config);
  self->preparation.arguments = g_bytes_new (NULL, 0);
  self->preparation.options.flags = FRAME_CALL_MAP;
  *request = (SlotRequest){ .function = config->function,
                            .call = self->call,
                            .options = &self->preparation.options,
                            .is_last = is_last (config) };
  if (procfun_process_executor_prepare (PROCFUN_PROCESS_EXECUTOR (config->pool), self->call, NULL,
                                        &self->preparation, error))
    {
      request->is_first = self->preparation.has_own_sandbox;
      request->is_last = request->is_last || request->is_first;
      return TRUE;
    }
  map_slot_forget (self);
  return FALSE;
}

GCancellable *
map_slot_get_cancellable (MapSlot *self)
{
  return canceller_get_cancellable (procfun_call_get_canceller (self->call));
}

void
map_slot_abort (MapSlot *self)
{
  self->is_aborted = TRUE;
  canceller_cancel (procfun_call_get_canceller (self->call));
}

void
map_slot_abort_at_once (MapSlot *self)
{
  procfun_call_set_urgent (self->call);
  map_slot_abort (self);
}

/* TRUE: the function has been called for it, or for all that is known. */
static gboolean
end_chunk_at (MapSlot *self, gsize at)
{
  if (!self->has_journal)
    return at == 0;
  if (at >= self->end)
    return FALSE;
  self->end = at;
  return journal_end_at (&exchange_get_worker (self->exchange)->journal, at);
}

void
map_slot_cancel_element (MapSlot *self, gsize at)
{
  CallChunk *chunk = procfun_call_get_chunk (self->call);

  if (chunk != NULL)
    call_chunk_cancel_element (chunk, at);
  else if (self->exchange == NULL || end_chunk_at (self, at))
    {
      self->is_cut = TRUE;
      canceller_cancel (procfun_call_get_canceller (self->call));
    }
}

static gsize
get_max_result (MapSlot *self)
{
  const ProcfunFunction *function = self->config->function;
  const gsize max_payload = MIN (self->preparation.options.max_payload, CHANNEL_DEFAULT_LIMIT);

  if (function->return_schema->fixed_size > 0)
    return function->return_schema->fixed_size;
  return function->n_buffers > 0 ? 2 * max_payload : max_payload;
}

/* Without shared memory, an element is a call like any other. */
static gboolean
prepare_one (MapSlot *self, const MapChunk *chunk, GError **error)
{
  g_autoptr (GVariant) args = g_variant_get_child_value (chunk->args, 0);
  GBytes *bytes = procfun_codec_encode (
      self->preparation.options.codec,
      procfun_function_get_arguments_schema (self->config->function), args, error);

  if (bytes == NULL)
    return FALSE;
  self->preparation.options.flags = 0;
  self->preparation.options.buffers_size = call_buffers_get_size (self->config->function, args);
  g_bytes_unref (self->preparation.arguments);
  self->preparation.arguments = bytes;
  return TRUE;
}

static gboolean
prepare_chunk (MapSlot *self, Worker *worker, const MapChunk *chunk, GError **error)
{
  ExchangeOptions *options = &self->preparation.options;
  g_autoptr (GUnixFDList) fds
      = journal_begin (&worker->journal, get_max_result (self), self->config->budget);

  self->has_journal = fds != NULL;
  if (!self->has_journal)
    return prepare_one (self, chunk, error);
  exchange_take_parts (options, chunk->args);
  g_bytes_unref (self->preparation.arguments);
  self->preparation.arguments
      = g_variant_get_data_as_bytes (options->rest != NULL ? options->rest : chunk->args);
  procfun_call_set_fd_list (self->call, fds);
  return TRUE;
}

/* As a pool begins a call, but none is sent behind it. */
static Exchange *
begin (MapSlot *self, WorkerSlot *member, GError **error)
{
  if (is_last (self->config) || self->preparation.has_own_sandbox)
    member->worker.is_kept = FALSE;
  return slot_start_begin (self->call, &self->preparation, member, 1, worker_slot_release, member,
                           error);
}

gboolean
map_slot_begin (MapSlot *self, WorkerSlot *member, MapChunk *chunk, GError **error)
{
  GError *own_error = NULL;
  gboolean ok;

  if (!procfun_executor_enter (self->config->executor, self->call, error))
    {
      worker_slot_give_back (member);
      map_slot_forget (self);
      return FALSE;
    }
  ok = prepare_chunk (self, &member->worker, chunk, &own_error);
  procfun_call_begin (self->call);
  if (ok)
    self->exchange = begin (self, member, &own_error);
  else
    worker_slot_give_back (member);
  if (self->exchange != NULL)
    {
      worker_drop_source (exchange_get_worker (self->exchange)); /* that waited for a call */
      self->chunk = map_chunk_steal (chunk);
      return TRUE;
    }
  if (own_error == NULL)
    g_set_error_literal (&own_error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                         _ ("the worker had ended"));
  leave (self, NULL, own_error);
  if (g_error_matches (own_error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST))
    g_error_free (own_error);
  else
    g_propagate_error (error, own_error);
  return FALSE;
}

static gint64
get_duration (ProcfunCall *call)
{
  return procfun_call_peek_usage (call) != NULL ? procfun_call_peek_usage (call)->wall_time
                                                : -1; /* it has not ended yet for others */
}

/* TRUE: the process failed, and not the function. */
static gboolean
is_loss (const GError *error)
{
  return g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_KILLED)
         || g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED)
         || g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_EXITED)
         || g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT)
         || g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
}

/* The element after those that are done has failed, unless somebody has ended all. */
static void
fail_element (MapYield *yield)
{
  if (!yield->is_cancelled)
    chunk_errors_add (yield->errors, yield->n_done, g_steal_pointer (&yield->error));
}

static void
read_journal (MapSlot *self, MapYield *yield)
{
  ProcfunSchema *schema = procfun_function_get_return_schema (self->config->function);
  Journal *journal = &exchange_get_worker (self->exchange)->journal;
  JournalHead head;
  GError *error = NULL;

  if (!journal_read_head (journal, self->chunk.n, schema, &head)
      || (yield->error == NULL && head.n_done == 0 && self->end > 0))
    g_set_error (&error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                 _ ("%s() failed: its process left nothing that can be read"),
                 procfun_function_get_name (self->config->function));
  else if (head.n_done > 0)
    yield->results = journal_read_results (journal, &head, schema, &error);
  if (error != NULL)
    {
      g_clear_error (&yield->error);
      yield->error = error;
      return;
    }
  yield->n_done = head.n_done;
  if (yield->error != NULL && head.n_begun > head.n_done)
    fail_element (yield);
  else
    yield->by_loss = yield->error != NULL && is_loss (yield->error);
}

static void
take_one (MapSlot *self, GVariant *result, MapYield *yield)
{
  if (result != NULL)
    take_result (self, result, yield);
  else
    fail_element (yield);
}

/* A call ends with a result or an error. */
static void
end_exchange (MapSlot *self, MapYield *yield)
{
  g_autoptr (GVariant) result = NULL;
  GError *error;

  result = exchange_finish (self->exchange, &yield->error);
  yield->duration = get_duration (self->call);
  yield->is_cancelled = canceller_is_cancelled (procfun_call_get_canceller (self->call));
  if (self->has_journal)
    read_journal (self, yield);
  else
    take_one (self, result, yield);
  error
      = yield->errors->len > 0 ? g_array_index (yield->errors, ChunkError, 0).error : yield->error;
  if (error != NULL)
    g_clear_pointer (&result, g_variant_unref);
  leave (self, result, error);
}

void
map_slot_end (MapSlot *self, MapYield *yield)
{
  *yield = (MapYield){ .errors = chunk_errors_new (), .duration = -1, .round_trip = -1 };
  if (self->running != NULL)
    end_call (self, yield);
  else
    end_exchange (self, yield);
  if (!self->is_cut)
    return;
  g_clear_error (&yield->error);
  yield->by_loss = FALSE;
  yield->duration = -1;
}

void
map_yield_clear (MapYield *self)
{
  g_clear_pointer (&self->results, g_variant_unref);
  g_clear_pointer (&self->errors, g_array_unref);
  g_clear_error (&self->error);
}
