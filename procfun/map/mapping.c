/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/map/mapping.h"

#include "procfun/base/intl.h"
#include "procfun/core/executor.h"
#include "procfun/core/function.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/procfun-error.h"
#include "procfun/values/schema.h"
#include <inttypes.h>
#include <math.h>

/* Time for a chunk in µs: long beside the cost of sending one, short beside the patience of people.
 * A chunk that takes twice as long gives back the elements that it has not begun. */
#define CHUNK_TIME 10000
#define CHUNK_TIME_MIN 1000

/* On another machine a chunk is also long beside the way to it and back. */
#define CHUNK_ROUND_TRIPS 20
#define CHUNK_TIME_MAX G_USEC_PER_SEC

/* How long the end of a map waits for that of its calls. */
#define END_TIME_MS 2000

/* So many chunks a worker may wait for those before them. */
#define READY_PER_WORKER 4

/* So often what was not begun may be given to another worker, when nothing was done in between. */
#define MAX_LOSSES 3

void
map_batch_clear (MapBatch *self)
{
  g_clear_pointer (&self->results, g_variant_unref);
  g_clear_error (&self->error);
}

static void
map_batch_free (gpointer batch)
{
  map_batch_clear (batch);
  g_free (batch);
}

static void
wake_driver (Mapping *self)
{
  if (self->driver_funcs != NULL)
    self->driver_funcs->wake (self);
}

void
mapping_stop_driver (Mapping *self)
{
  if (self->driver_funcs != NULL)
    self->driver_funcs->stop (self);
}

Mapping *
mapping_new (const MapConfig *config, MapInput *input)
{
  Mapping *self = g_new0 (Mapping, 1);

  self->config = *config;
  self->config.budget = config->chunk_size > 0 ? 0 : 2 * CHUNK_TIME;
  g_object_ref (config->executor);
  g_object_ref (config->function);
  if (config->limits != NULL)
    self->config.limits = procfun_limits_copy (config->limits);
  self->input = input;
  self->slots = g_ptr_array_new ();
  self->spare = g_ptr_array_new_with_free_func ((GDestroyNotify)map_slot_free);
  g_queue_init (&self->ready);
  self->stop_at = G_MAXUINT64;
  self->cost = config->cost > 0 ? config->cost : -1;
  self->process = inherited_state_get_process ();
  if (config->pool == NULL)
    self->config.chunk_limit = procfun_executor_get_chunk_limit (config->executor);
  if (config->pool == NULL)
    self->context = g_main_context_new_with_flags (G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
  if (config->deadline > 0)
    self->end = g_get_monotonic_time () + config->deadline;
  return self;
}

static gboolean
has_running (Mapping *self)
{
  for (guint i = 0; i < self->slots->len; i++)
    if (!map_slot_advance (self->slots->pdata[i]))
      return TRUE;
  return FALSE;
}

static gboolean
note_late (gpointer is_late)
{
  *(gboolean *)is_late = TRUE;
  return G_SOURCE_REMOVE;
}

/* Calls are ended before their main context goes. Those of a parent are not ours. */
static void
end_calls (Mapping *self)
{
  g_autoptr (GSource) timeout = g_timeout_source_new (END_TIME_MS);
  gboolean is_late = FALSE;

  if (self->process != inherited_state_get_process ())
    return;
  for (guint i = 0; i < self->slots->len; i++)
    map_slot_abort_at_once (self->slots->pdata[i]);
  g_source_set_callback (timeout, note_late, &is_late, NULL);
  g_source_attach (timeout, self->context);
  g_main_context_push_thread_default (self->context);
  while (!is_late && has_running (self))
    g_main_context_iteration (self->context, TRUE);
  g_main_context_pop_thread_default (self->context);
  g_source_destroy (timeout);
  g_main_context_unref (self->context);
}

void
mapping_free (Mapping *self)
{
  mapping_stop_driver (self);
  if (self->context != NULL)
    end_calls (self);
  g_ptr_array_set_free_func (self->slots, (GDestroyNotify)map_slot_free);
  g_ptr_array_unref (self->slots);
  g_ptr_array_unref (self->spare);
  g_queue_clear_full (&self->ready, map_batch_free);
  map_input_free (self->input);
  g_clear_error (&self->error);
  g_clear_pointer (&self->cancelled, g_tree_unref);
  g_clear_pointer (&self->config.limits, procfun_limits_free);
  g_object_unref (self->config.function);
  g_object_unref (self->config.executor);
  g_free (self);
}

/* Chunks to call for */

static guint
get_max_slots (Mapping *self)
{
  const guint n = procfun_executor_get_capacity (self->config.executor);

  return self->config.max_slots > 0 ? MIN (n, self->config.max_slots) : n;
}

/* Elements that a worker gave back come before all others, and must not wait for them. */
gboolean
mapping_wants_worker (Mapping *self)
{
  guint n = get_max_slots (self);

  return self->error == NULL && !map_input_has_ended (self->input) && self->slots->len < n
         && (map_input_has_rest (self->input)
             || (!map_input_is_waiting (self->input)
                 && self->ready.length + self->slots->len < n * (READY_PER_WORKER + 1)));
}

/* In µs. */
static double
get_chunk_time (Mapping *self)
{
  return CLAMP (CHUNK_ROUND_TRIPS * self->round_trip, CHUNK_TIME, CHUNK_TIME_MAX);
}

/* The last chunks are smaller, so that all workers end at about the same time. */
static gsize
choose_size (Mapping *self)
{
  const guint64 left = map_input_get_left (self->input);
  const guint n_slots = get_max_slots (self);
  const double least = MAX (CHUNK_TIME_MIN, 2 * self->round_trip);
  double n;

  if (self->config.pool == NULL && self->config.chunk_limit == 0)
    return 1;
  if (self->config.chunk_size > 0)
    return self->config.chunk_size;
  if (self->cost < 0)
    return 1;
  n = get_chunk_time (self) / self->cost;
  if (left != MAP_INPUT_UNKNOWN && n_slots > 1)
    n = MIN (n, MAX ((double)left / (2 * n_slots), least / self->cost));
  return (gsize)CLAMP (ceil (n), 1, 1e9);
}

void
mapping_wake (Mapping *self)
{
  map_input_wake (self->input);
  wake_driver (self);
}

/* Ends of chunks */

static int
compare_batches (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const MapBatch *one = a;
  const MapBatch *other = b;

  return one->first < other->first ? -1 : one->first > other->first;
}

static void
push (Mapping *self, MapBatch batch)
{
  MapBatch *copy = g_memdup2 (&batch, sizeof batch);

  if (self->config.is_ordered && self->ready.length > 0
      && compare_batches (self->ready.tail->data, copy, NULL) > 0)
    g_queue_insert_sorted (&self->ready, copy, compare_batches, NULL);
  else
    g_queue_push_tail (&self->ready, copy);
}

/* In order those before it go on, and their results count; one of them may fail, too, and is the
 * first then. */
static void
stop_at (Mapping *self, guint64 index)
{
  guint64 from = self->config.is_ordered ? index : 0;

  self->stop_at = MIN (self->stop_at, index);
  map_input_end (self->input, from);
  for (guint i = 0; i < self->slots->len; i++)
    {
      MapSlot *slot = self->slots->pdata[i];

      if (!slot->is_aborted && slot->chunk.first >= from)
        map_slot_abort (slot);
    }
}

void
mapping_fail (Mapping *self, GError *error)
{
  if (self->error == NULL)
    self->error = error;
  else
    g_error_free (error);
  stop_at (self, 0);
}

void
mapping_begin_to_end (Mapping *self)
{
  self->stop_at = 0;
  map_input_end (self->input, 0);
}

/* @error: (nullable): it was cancelled, which also explains any other error */
static void
take_error (Mapping *self, guint64 index, GError *error)
{
  if (mapping_forget_cancelled (self, index))
    {
      g_clear_error (&error);
      g_set_error (&error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("%s() was cancelled"),
                   procfun_function_get_name (self->config.function));
    }
  self->n_failed++;
  push (self, (MapBatch){ .first = index, .n = 1, .error = error });
  if (!self->config.goes_on)
    stop_at (self, index);
}

/* Fails the elements at the beginning of @chunk that were cancelled, and gives back the next one
 * with what is behind it. */
static void
drop_cancelled (Mapping *self, MapChunk *chunk)
{
  guint64 next = mapping_find_cancelled (self, chunk->first);
  MapChunk rest;
  gsize n;

  for (n = 0; n < chunk->n && next == chunk->first + n && next < self->stop_at; n++)
    {
      take_error (self, next, NULL);
      next = mapping_find_cancelled (self, next);
    }
  if (n > 0)
    {
      rest = map_chunk_skip (chunk, n);
      map_chunk_clear (chunk);
      *chunk = rest;
    }
  if (chunk->first >= self->stop_at)
    map_chunk_clear (chunk);
  if (chunk->n > 0 && next - chunk->first < chunk->n)
    {
      rest = map_chunk_split (chunk, next - chunk->first);
      map_input_give_back (self->input, &rest);
    }
}

/* Starting a chunk */

/* Takes what is too large out of @chunk. FALSE: nothing is left. */
static gboolean
check_size (Mapping *self, guint64 limit, MapChunk *chunk)
{
  g_autoptr (GVariant) last = g_variant_get_child_value (chunk->args, chunk->n - 1);
  gsize size = g_variant_get_size (last);

  if (size <= limit && g_variant_get_size (chunk->args) <= MAX (limit, JOURNAL_ENOUGH))
    return TRUE;
  if (chunk->n > 1)
    {
      MapChunk rest = map_chunk_split (chunk, chunk->n - 1);

      map_input_give_back (self->input, &rest);
      return TRUE;
    }
  if (size <= limit)
    return TRUE;
  take_error (self, chunk->first,
              g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                           _ ("the arguments of %s() take %zu bytes, but %" PRIu64 " is the limit"),
                           procfun_function_get_name (self->config.function), size, limit));
  map_chunk_clear (chunk);
  return FALSE;
}

/* @limit: of an element, in bytes. Only the last element of what the input gives can be larger. */
static gboolean
take_chunk (Mapping *self, guint64 limit, MapChunk *chunk)
{
  ProcfunSchema *schema = procfun_function_get_arguments_schema (self->config.function);
  ProcfunSchema *results = procfun_function_get_return_schema (self->config.function);
  gsize n = choose_size (self);
  GError *error = NULL;

  if (results->fixed_size > 0)
    n = MIN (n, MAX (1, JOURNAL_ENOUGH / results->fixed_size));
  while (map_input_take (self->input, schema, n, MIN (JOURNAL_ENOUGH, limit), chunk, &error))
    {
      if (chunk->n == 0)
        return FALSE;
      drop_cancelled (self, chunk);
      if (chunk->n > 0 && check_size (self, limit, chunk))
        return TRUE;
    }
  mapping_fail (self, error);
  return FALSE;
}

static MapSlot *
take_slot (Mapping *self)
{
  if (self->spare->len > 0)
    return g_ptr_array_steal_index_fast (self->spare, self->spare->len - 1);
  return map_slot_new (&self->config);
}

MapSlot *
mapping_prepare_slot (Mapping *self, SlotRequest *request)
{
  MapSlot *slot = take_slot (self);
  GError *error = NULL;

  if (map_slot_prepare (slot, request, &error))
    return slot;
  g_ptr_array_add (self->spare, slot);
  mapping_fail (self, error);
  return NULL;
}

void
mapping_start_slot (Mapping *self, MapSlot *slot, WorkerSlot *member)
{
  g_auto (MapChunk) chunk = { 0 };
  GError *error = NULL;

  if (member != NULL && take_chunk (self, slot->preparation.options.max_payload, &chunk))
    {
      if (map_slot_begin (slot, member, &chunk, &error))
        {
          if (!slot->has_journal)
            self->config.chunk_size = 1;
          g_ptr_array_add (self->slots, slot);
          return;
        }
      map_input_give_back (self->input, &chunk);
    }
  else if (member != NULL)
    worker_slot_give_back (member);
  map_slot_forget (slot);
  g_ptr_array_add (self->spare, slot);
  if (error != NULL)
    mapping_fail (self, error);
}

/* The end of a chunk */

static void
take_cost (Mapping *self, const MapYield *yield)
{
  gsize n = yield->n_done + yield->errors->len;
  double cost = n > 0 && yield->duration >= 0 ? (yield->duration + 0.5) / n : -1;

  if (cost >= 0 && self->cost >= 0 && n == 1)
    self->cost = (self->cost + cost) / 2; /* one says little of the others */
  else if (cost >= 0)
    self->cost = cost;
  if (yield->round_trip >= 0)
    self->round_trip
        = self->round_trip > 0 ? (self->round_trip + yield->round_trip) / 2 : yield->round_trip;
}

/* The elements that are left were not begun: another worker calls for them. */
static void
take_rest (Mapping *self, const MapChunk *chunk, gsize n_gone)
{
  MapChunk rest = map_chunk_skip (chunk, n_gone);

  drop_cancelled (self, &rest);
  if (rest.n > 0 && rest.first < self->stop_at)
    map_input_give_back (self->input, &rest);
  map_chunk_clear (&rest);
}

static void
take_results (Mapping *self, const MapYield *yield, gsize from, gsize n, guint64 first)
{
  const gsize stride = procfun_function_get_return_schema (self->config.function)->fixed_size;

  if (n > 0)
    push (self, (MapBatch){ .first = first,
                            .n = n,
                            .results = map_slice (yield->results, stride, from, n) });
}

/* Results between errors. Returns how many elements have ended. */
static gsize
take_elements (Mapping *self, const MapChunk *chunk, const MapYield *yield)
{
  gsize at = 0;
  gsize n_taken = 0;

  for (guint i = 0; i < yield->errors->len; i++)
    {
      ChunkError *failed = &g_array_index (yield->errors, ChunkError, i);

      take_results (self, yield, n_taken, failed->at - at, chunk->first + at);
      n_taken += failed->at - at;
      take_error (self, chunk->first + failed->at, g_steal_pointer (&failed->error));
      at = failed->at + 1;
    }
  take_results (self, yield, n_taken, yield->n_done - n_taken, chunk->first + at);
  return at + yield->n_done - n_taken;
}

static void
take_yield (Mapping *self, const MapChunk *chunk, MapYield *yield)
{
  gsize n_gone;

  self->n_losses = yield->n_done > 0 ? 0 : self->n_losses + (yield->by_loss ? 1 : 0);
  self->n_done += yield->n_done;
  n_gone = take_elements (self, chunk, yield);
  if (yield->error != NULL && !(yield->by_loss && self->n_losses <= MAX_LOSSES))
    mapping_fail (self, g_steal_pointer (&yield->error));
  take_rest (self, chunk, n_gone);
}

static void
finish_slot (Mapping *self, MapSlot *slot)
{
  g_auto (MapYield) yield = { 0 };
  g_auto (MapChunk) chunk = { 0 };

  map_slot_end (slot, &yield);
  chunk = map_chunk_steal (&slot->chunk);
  g_ptr_array_remove_fast (self->slots, slot);
  g_ptr_array_add (self->spare, slot);
  if (slot->is_aborted)
    return;
  if (yield.is_cancelled && yield.error != NULL) /* by who closes the pool */
    {
      mapping_fail (self, g_steal_pointer (&yield.error));
      return;
    }
  take_cost (self, &yield);
  take_yield (self, &chunk, &yield);
}

/* Results that nobody has taken yet are not late. */
static gboolean
is_late (Mapping *self)
{
  if (self->end == 0 || self->end > g_get_monotonic_time ())
    return FALSE;
  self->end = 0;
  return self->error == NULL && (self->slots->len > 0 || !map_input_has_ended (self->input));
}

void
mapping_check_cancelled (Mapping *self, GCancellable *cancellable)
{
  GError *error = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, &error))
    mapping_fail (self, error);
  else if (is_late (self))
    mapping_fail (self, g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                                     _ ("the map of %s() missed its deadline of %.6g s"),
                                     procfun_function_get_name (self->config.function),
                                     (double)self->config.deadline / G_USEC_PER_SEC));
}

gint64
mapping_get_wake_time (Mapping *self)
{
  gint64 wake_time = self->error == NULL && self->end > 0 ? self->end : -1;

  for (guint i = 0; i < self->slots->len; i++)
    {
      gint64 time = map_slot_get_wake_time (self->slots->pdata[i]);

      if (time >= 0 && (wake_time < 0 || time < wake_time))
        wake_time = time;
    }
  return wake_time;
}

/* The program has forked itself: the parent's workers go on with the map for the parent alone. */
static void
check_process (Mapping *self)
{
  if (self->process == inherited_state_get_process () || self->error != NULL)
    return;
  mapping_fail (self, g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                                   _ ("the map of %s() belongs to the process that forked this "
                                      "one"),
                                   procfun_function_get_name (self->config.function)));
}

/* Backwards: slots that have ended leave the list. */
gboolean
mapping_advance (Mapping *self)
{
  gboolean has_ended = FALSE;

  check_process (self);
  for (guint i = self->slots->len; i-- > 0;)
    {
      MapSlot *slot = self->slots->pdata[i];

      if (map_slot_advance (slot))
        {
          finish_slot (self, slot);
          has_ended = TRUE;
        }
    }
  return has_ended;
}

static void
on_call (gpointer mapping)
{
  wake_driver (mapping);
}

/* In µs; 0: none. */
static gint64
get_budget (Mapping *self)
{
  return self->config.chunk_size > 0 ? 0 : (gint64)(2 * get_chunk_time (self));
}

/* FALSE: there is no element for it, or the map has failed. */
static gboolean
begin_call (Mapping *self)
{
  const guint64 limit = self->config.chunk_limit;
  g_auto (MapChunk) chunk = { 0 };
  MapSlot *slot;
  GError *error = NULL;
  gboolean ok;

  if (!take_chunk (self, limit > 0 ? limit : G_MAXUINT64, &chunk))
    return FALSE;
  slot = take_slot (self);
  g_main_context_push_thread_default (self->context);
  ok = map_slot_begin_call (slot, &chunk, self->cost, get_budget (self), on_call, self, &error);
  g_main_context_pop_thread_default (self->context);
  g_ptr_array_add (ok ? self->slots : self->spare, slot);
  if (!ok)
    mapping_fail (self, error);
  return ok;
}

void
mapping_advance_calls (Mapping *self)
{
  do
    while (mapping_wants_worker (self) && begin_call (self))
      ;
  while (mapping_advance (self));
}

/* Results for the reader */

gboolean
mapping_has_batch (Mapping *self)
{
  const MapBatch *batch = g_queue_peek_head (&self->ready);

  return self->error == NULL && batch != NULL
         && (!self->config.is_ordered || batch->first == self->next);
}

gboolean
mapping_take (Mapping *self, MapBatch *batch)
{
  MapBatch *head;

  if (!mapping_has_batch (self))
    return FALSE;
  head = g_queue_pop_head (&self->ready);
  *batch = *head;
  g_free (head);
  self->next += batch->n;
  wake_driver (self); /* more can be taken from the input */
  if (batch->error != NULL && !self->config.goes_on)
    mapping_fail (self, g_error_copy (batch->error));
  return TRUE;
}

gboolean
mapping_has_ended (Mapping *self, const GError **error)
{
  if (self->slots->len > 0
      || (self->error == NULL
          && !(g_queue_is_empty (&self->ready) && map_input_has_ended (self->input))))
    return FALSE;
  if (error != NULL)
    *error = self->error;
  return TRUE;
}

gboolean
mapping_is_over (Mapping *self)
{
  return mapping_has_batch (self) || mapping_has_ended (self, NULL);
}

guint64
mapping_get_total (Mapping *self)
{
  return map_input_get_total (self->input);
}

guint64
mapping_get_n_done (Mapping *self)
{
  return self->n_done;
}

guint64
mapping_get_n_failed (Mapping *self)
{
  return self->n_failed;
}
