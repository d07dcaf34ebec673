/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/host-chunk.h"

#include "procfun/base/intl.h"
#include "procfun/core/function.h"
#include "procfun/map/map-collector.h"
#include "procfun/map/mapping-wait.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-pool.h"
#include "procfun/remote/remote-chunk.h"

/* No element is begun when results and errors take so many bytes. */
#define ENOUGH_BYTES JOURNAL_ENOUGH

/* Usual size of an error. */
#define ERROR_BYTES 1024

struct _HostChunk
{
  guint64 id;
  ProcfunEngine *engine; /* unowned */
  HostChunkFunc func;
  gpointer user_data;

  Mapping *mapping;
  MapCollector *results;
  GArray *errors; /* (element-type ChunkError) */
  gsize n_bytes;
  gint64 budget; /* in µs; 0: none */
  gint64 began_at;
};

void
host_chunk_free (HostChunk *self)
{
  mapping_free (self->mapping);
  map_collector_free (self->results);
  g_array_unref (self->errors);
  g_free (self);
}

/* The end */

static void
send_results (HostChunk *self)
{
  g_autoptr (GVariant) results = map_collector_end (self->results);
  RemoteEndHead head = { .status = REMOTE_END_RESULT };
  GBytes *payload = remote_chunk_pack (results, self->errors, &head.chunk);

  head.chunk.n_gone = g_variant_n_children (results) + self->errors->len;
  head.chunk.duration = g_get_monotonic_time () - self->began_at;
  engine_answer (self->engine, self->id, LINK_END, &head, sizeof head, PROCFUN_MESSAGE_END,
                 payload);
}

static void
send_error (HostChunk *self, const GError *error)
{
  const RemoteEndHead head = { .status = REMOTE_END_ERROR };
  ProcfunFailure *failure = procfun_error_get_failure (error);

  engine_answer (self->engine, self->id, LINK_END, &head, sizeof head, PROCFUN_MESSAGE_END,
                 remote_end_pack (error, failure));
}

/* Elements */

/* TRUE: it was the failure at which the map ends. */
static gboolean
take (HostChunk *self, MapBatch *batch)
{
  if (batch->error == NULL)
    {
      map_collector_add (self->results, batch->results);
      self->n_bytes += g_variant_get_size (batch->results);
      return FALSE;
    }
  chunk_errors_add (self->errors, batch->first, g_steal_pointer (&batch->error));
  self->n_bytes += ERROR_BYTES;
  return !self->mapping->config.goes_on;
}

/* TRUE: nothing more is to be taken. */
static gboolean
take_all (HostChunk *self)
{
  gboolean is_over = FALSE;

  while (!is_over)
    {
      g_auto (MapBatch) batch = { 0 };

      if (!mapping_take (self->mapping, &batch))
        break;
      is_over = take (self, &batch);
    }
  if (self->n_bytes >= ENOUGH_BYTES
      || (self->budget > 0 && g_get_monotonic_time () - self->began_at >= self->budget))
    mapping_begin_to_end (self->mapping);
  return is_over;
}

static void
on_batches (gpointer user_data)
{
  HostChunk *self = user_data;
  const GError *error = NULL;

  if (!take_all (self))
    {
      if (!mapping_has_ended (self->mapping, &error))
        {
          mapping_wait_async (self->mapping, NULL, on_batches, self);
          return;
        }
      if (error != NULL)
        {
          send_error (self, error);
          self->func (self->user_data);
          return;
        }
    }
  send_results (self);
  self->func (self->user_data);
}

void
host_chunk_cancel (HostChunk *self, gboolean is_urgent)
{
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();

  g_cancellable_cancel (cancelled);
  mapping_check_cancelled (self->mapping, cancelled);
  for (guint i = 0; is_urgent && i < self->mapping->slots->len; i++)
    map_slot_abort_at_once (self->mapping->slots->pdata[i]);
  mapping_wake (self->mapping);
}

void
host_chunk_cancel_element (HostChunk *self, guint64 at)
{
  mapping_cancel_element (self->mapping, at);
}

HostChunk *
host_chunk_new (ProcfunEngine *engine, guint64 id, GBytes *payload, const RemoteCallHead *head,
                ProcfunLimits *limits, ProcfunFunction *function, ProcfunExecutor *executor,
                void (*prepare) (ProcfunCall *call, gpointer user_data), HostChunkFunc func,
                gpointer user_data, GError **error)
{
  const MapConfig config = { .executor = executor,
                             .pool = PROCFUN_IS_POOL (executor) ? PROCFUN_POOL (executor) : NULL,
                             .max_slots = 1,
                             .function = function,
                             .is_ordered = TRUE,
                             .goes_on = head->goes_on != 0,
                             .timeout = MAX (head->timeout, 0),
                             .limits = limits,
                             .cost = head->cost > 0 ? head->cost : 0, /* not a number: likewise */
                             .prepare = prepare,
                             .user_data = user_data };
  g_autoptr (GVariant) args = remote_chunk_read_args (payload, head->n_elements, function);
  HostChunk *self;

  if (args == NULL || procfun_function_is_generator (function))
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE,
                   _ ("the arguments of %s() cannot be read"),
                   procfun_function_get_name (function));
      return NULL;
    }
  self = g_new0 (HostChunk, 1);
  self->id = id;
  self->engine = engine;
  self->func = func;
  self->user_data = user_data;
  self->mapping = mapping_new (&config, map_input_new_array (args));
  self->results = map_collector_new (procfun_function_get_return_schema (function), FALSE);
  self->errors = chunk_errors_new ();
  self->budget = MAX (head->budget, 0);
  self->began_at = g_get_monotonic_time ();
  mapping_wait_async (self->mapping, NULL, on_batches, self);
  return self;
}
