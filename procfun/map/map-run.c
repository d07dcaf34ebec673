/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A map while it runs: as a whole, and result by result. */

#include "procfun/base/intl.h"
#include "procfun/core/function.h"
#include "procfun/map/map-collector.h"
#include "procfun/map/map.h"
#include "procfun/map/mapping-wait.h"
#include <inttypes.h>

#define NO_INDEX G_MAXUINT64

static gboolean
begin_waiting (ProcfunMap *self, GError **error)
{
  if (self->is_running)
    {
      g_critical ("This map of %s() is waited for already",
                  procfun_function_get_name (self->function));
      return FALSE;
    }
  if (!map_begin (self, error))
    return FALSE;
  self->is_running = TRUE;
  return TRUE;
}

/* Nothing more will come. @error: (nullable): why not; borrowed */
static gboolean
has_ended (ProcfunMap *self, const GError **error)
{
  const GError *end = NULL;

  if (!mapping_has_ended (self->mapping, &end))
    return FALSE;
  if (error != NULL)
    *error = end != NULL ? end : self->input_error;
  return TRUE;
}

/* As a whole */

typedef struct
{
  MapCollector *results;
  GError *error; /* (nullable): of the first element that failed, where that stops the map */
} Collected;

static Collected *
collected_new (ProcfunMap *self)
{
  Collected *collected = g_new0 (Collected, 1);

  collected->results = map_collector_new (procfun_function_get_return_schema (self->function),
                                          self->on_error == PROCFUN_MAP_COLLECT);
  return collected;
}

static void
collected_free (Collected *self)
{
  g_clear_pointer (&self->results, map_collector_free);
  g_clear_error (&self->error);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Collected, collected_free)

static void
keep_error (ProcfunMap *self, guint64 index, GError *error)
{
  g_hash_table_insert (self->errors, g_memdup2 (&index, sizeof index), error);
}

static void
collect_batch (ProcfunMap *self, Collected *collected, MapBatch *batch)
{
  if (batch->error == NULL || self->on_error == PROCFUN_MAP_COLLECT)
    map_collector_add (collected->results, batch->results);
  else
    {
      collected->error = g_error_copy (batch->error);
      g_prefix_error (&collected->error, _ ("element %" PRIu64 ": "), batch->first);
    }
  if (batch->error != NULL)
    keep_error (self, batch->first, g_steal_pointer (&batch->error));
}

/* FALSE: the map has ended, and no worker runs for it. */
static gboolean
collect (ProcfunMap *self, Collected *collected)
{
  MapBatch batch;
  const GError *end = NULL;

  while (collected->error == NULL && mapping_take (self->mapping, &batch))
    {
      collect_batch (self, collected, &batch);
      map_batch_clear (&batch);
      map_emit_progress (self);
    }
  if (!has_ended (self, &end))
    return TRUE;
  if (end != NULL && collected->error == NULL)
    collected->error = g_error_copy (end);
  return FALSE;
}

/**
 * procfun_map_run:
 * @self: a #ProcfunMap that was not started
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for a #GError
 *
 * Calls the function for all elements, and waits in this thread, without running its main context.
 *
 * Fails with the error of the first element that failed, in order where #ProcfunMap:ordered is set,
 * unless #ProcfunMap:on-error says that errors are collected; with %G_IO_ERROR_CANCELLED; and with
 * %PROCFUN_ERROR_INVALID, %PROCFUN_ERROR_SPAWN, %PROCFUN_ERROR_CLOSED and other errors for which no
 * single element is to blame. When it returns, no worker runs for the map any more.
 *
 * Returns: (transfer full): an array of the results; where errors are collected, an array of
 *   maybes, which is nothing in the place of those that failed. Or %NULL with @error set
 *
 * Since: 0.1
 */
GVariant *
procfun_map_run (ProcfunMap *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (Collected) collected = NULL;

  g_return_val_if_fail (PROCFUN_IS_MAP (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);
  if (!begin_waiting (self, error))
    return NULL;

  collected = collected_new (self);
  do
    mapping_wait (self->mapping, cancellable);
  while (collect (self, collected));
  self->is_running = FALSE;
  if (collected->error == NULL)
    return map_collector_end (collected->results);
  g_propagate_error (error, g_steal_pointer (&collected->error));
  return NULL;
}

static void
on_batches (gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ProcfunMap *self = g_task_get_source_object (task);
  Collected *collected = g_task_get_task_data (task);

  if (collect (self, collected))
    {
      mapping_wait_async (self->mapping, g_task_get_cancellable (task), on_batches, task);
      (void)g_steal_pointer (&task);
      return;
    }
  self->is_running = FALSE;
  if (collected->error == NULL)
    g_task_return_pointer (task, map_collector_end (collected->results),
                           (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, g_steal_pointer (&collected->error));
}

/* A task that is cancelled only by what comes of the map. (nullable): it has failed */
static GTask *
make_task (ProcfunMap *self, GCancellable *cancellable, GAsyncReadyCallback callback,
           gpointer user_data, gpointer tag)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_check_cancellable (task, FALSE);
  g_task_set_source_tag (task, tag);
  if (begin_waiting (self, &error))
    return g_steal_pointer (&task);
  if (error == NULL)
    g_set_error_literal (&error, G_IO_ERROR, G_IO_ERROR_PENDING, _ ("the map is waited for"));
  g_task_return_error (task, error);
  return NULL;
}

/**
 * procfun_map_run_async:
 * @self: a #ProcfunMap that was not started
 * @cancellable: (nullable): a #GCancellable
 * @callback: called when all is done
 * @user_data: for @callback
 *
 * Does what procfun_map_run() does, without waiting. Signals and @callback come in the main context
 * that is this thread's default now.
 *
 * Since: 0.1
 */
void
procfun_map_run_async (ProcfunMap *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  GTask *task;

  g_return_if_fail (PROCFUN_IS_MAP (self));

  task = make_task (self, cancellable, callback, user_data, procfun_map_run_async);
  if (task == NULL)
    return;
  g_task_set_task_data (task, collected_new (self), (GDestroyNotify)collected_free);
  mapping_wait_async (self->mapping, cancellable, on_batches, task);
}

/**
 * procfun_map_run_finish:
 * @self: a #ProcfunMap
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gives what procfun_map_run_async() has brought; see procfun_map_run().
 *
 * Returns: (transfer full): an array of the results; or %NULL with @error set
 *
 * Since: 0.1
 */
GVariant *
procfun_map_run_finish (ProcfunMap *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_map_run_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* Result by result */

static gboolean
has_more (ProcfunMap *self)
{
  if (self->position >= self->batch.n)
    {
      map_batch_clear (&self->batch);
      self->batch = (MapBatch){ 0 };
      self->position = 0;
      if (mapping_take (self->mapping, &self->batch))
        map_emit_progress (self);
    }
  return self->position < self->batch.n;
}

/* An error that stops the map is given when no worker runs for it any more. */
static gboolean
is_due (ProcfunMap *self)
{
  return (has_more (self) && (self->batch.error == NULL || self->on_error == PROCFUN_MAP_COLLECT))
         || mapping_has_ended (self->mapping, NULL);
}

gboolean
map_has_next (ProcfunMap *self)
{
  return self->mapping != NULL && !self->is_running && is_due (self);
}

/* A cancelled map gives no more results, not even those that are there. */
static void
check_cancelled (ProcfunMap *self, GCancellable *cancellable)
{
  if (!g_cancellable_is_cancelled (cancellable)
      || (!has_more (self) && mapping_has_ended (self->mapping, NULL)))
    return;
  mapping_check_cancelled (self->mapping, cancellable);
  map_batch_clear (&self->batch);
  self->batch = (MapBatch){ 0 };
  self->position = 0;
}

/* The next of what is there. (nullable): with @error where it failed, and without at the end */
static GVariant *
take (ProcfunMap *self, guint64 *index, GError **error)
{
  const GError *end = NULL;

  if (self->position < self->batch.n)
    {
      *index = self->batch.first + self->position++;
      if (self->batch.error == NULL)
        return g_variant_get_child_value (self->batch.results, self->position - 1);
      g_propagate_error (error, g_steal_pointer (&self->batch.error));
    }
  else if (has_ended (self, &end) && end != NULL && error != NULL)
    *error = g_error_copy (end);
  return NULL;
}

/**
 * procfun_map_next:
 * @self: a #ProcfunMap
 * @index: (out) (optional) (type gint64): the index of the element, counted from 0; %G_MAXUINT64
 *   where there is none, which is -1 in other languages
 * @cancellable: (nullable): a #GCancellable, which ends the map and not only the waiting
 * @error: return location for a #GError
 *
 * Waits for the next result, in this thread and without running its main context. The first one
 * starts the map. Only so many elements are taken from the input as the workers need and as can
 * wait for being taken here, so it may have no end.
 *
 * Where errors are collected (#ProcfunMap:on-error), that of an element comes in its turn, with
 * @index set, and is not kept; the next call goes on. Any other error ends the map, and comes again
 * with each call.
 *
 * Returns: (transfer full) (nullable): a result; or %NULL with @error set, or without at the end
 *
 * Since: 0.1
 */
GVariant *
procfun_map_next (ProcfunMap *self, guint64 *index, GCancellable *cancellable, GError **error)
{
  guint64 own_index = NO_INDEX;
  GVariant *result;

  g_return_val_if_fail (PROCFUN_IS_MAP (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);
  if (index != NULL)
    *index = NO_INDEX;
  if (!begin_waiting (self, error))
    return NULL;

  for (check_cancelled (self, cancellable); !is_due (self); check_cancelled (self, cancellable))
    mapping_wait (self->mapping, cancellable);
  self->is_running = FALSE;
  result = take (self, &own_index, error);
  if (index != NULL)
    *index = own_index;
  return result;
}

typedef struct
{
  guint64 index;
  GVariant *result; /* (nullable) */
} Item;

static void
item_free (gpointer item)
{
  g_clear_pointer (&((Item *)item)->result, g_variant_unref);
  g_free (item);
}

static void
on_next (gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  ProcfunMap *self = g_task_get_source_object (task);
  Item *item = g_task_get_task_data (task);
  GError *error = NULL;

  check_cancelled (self, g_task_get_cancellable (task));
  if (!is_due (self))
    {
      mapping_wait_async (self->mapping, g_task_get_cancellable (task), on_next, task);
      (void)g_steal_pointer (&task);
      return;
    }
  self->is_running = FALSE;
  item->result = take (self, &item->index, &error);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

/**
 * procfun_map_next_async:
 * @self: a #ProcfunMap
 * @cancellable: (nullable): a #GCancellable, which ends the map and not only the waiting
 * @callback: called when there is a result
 * @user_data: for @callback
 *
 * Does what procfun_map_next() does, without waiting. The workers go on between two of these as
 * long as the main context is run that was this thread's default at the last one.
 *
 * Since: 0.1
 */
void
procfun_map_next_async (ProcfunMap *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  GTask *task;
  Item *item;

  g_return_if_fail (PROCFUN_IS_MAP (self));

  task = make_task (self, cancellable, callback, user_data, procfun_map_next_async);
  if (task == NULL)
    return;
  item = g_new0 (Item, 1);
  item->index = NO_INDEX;
  g_task_set_task_data (task, item, item_free);
  on_next (task);
}

/**
 * procfun_map_next_finish:
 * @self: a #ProcfunMap
 * @result: what the callback was given
 * @index: (out) (optional) (type gint64): the index of the element, counted from 0; %G_MAXUINT64
 *   where there is none, which is -1 in other languages
 * @error: return location for a #GError
 *
 * Gives what procfun_map_next_async() has brought; see procfun_map_next().
 *
 * Returns: (transfer full) (nullable): a result; or %NULL with @error set, or without at the end
 *
 * Since: 0.1
 */
GVariant *
procfun_map_next_finish (ProcfunMap *self, GAsyncResult *result, guint64 *index, GError **error)
{
  Item *item;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_map_next_async), NULL);

  item = g_task_get_task_data (G_TASK (result));
  if (index != NULL)
    *index = item != NULL ? item->index : NO_INDEX;
  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;
  g_assert (item != NULL); /* a task without one has failed */
  return g_steal_pointer (&item->result);
}

/* Elements */

/**
 * procfun_map_cancel_element:
 * @self: a #ProcfunMap
 * @index: the index of an element, counted from 0
 *
 * Cancels one element, before the map has begun or while it runs. The element fails with
 * %G_IO_ERROR_CANCELLED in its turn: the function is not called for it, or is ended as
 * procfun_call_abort() ends a call, and what was waiting in the same worker goes on in another one.
 * So the others are called for as if it had failed, which is as #ProcfunMap:on-error says: set
 * %PROCFUN_MAP_COLLECT to have the results of all others.
 *
 * An element for which the function has returned keeps its result, and an index that the input
 * does not have is ignored. The time that this takes grows with the logarithm of the number of
 * elements that were cancelled. As everything of a map, it is for the thread that uses the map,
 * also from signals and callbacks of the map.
 *
 * Since: 0.1
 */
void
procfun_map_cancel_element (ProcfunMap *self, guint64 index)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));

  if (self->mapping != NULL)
    {
      mapping_cancel_element (self->mapping, index);
      return;
    }
  if (self->cancelled == NULL)
    self->cancelled = g_array_new (FALSE, FALSE, sizeof index);
  g_array_append_val (self->cancelled, index);
}

/* Results */

/**
 * procfun_map_get_n_done:
 * @self: a #ProcfunMap
 *
 * Gets how many elements the function has returned for.
 *
 * Returns: a number of elements
 *
 * Since: 0.1
 */
guint64
procfun_map_get_n_done (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), 0);

  return self->mapping != NULL ? mapping_get_n_done (self->mapping) : 0;
}

/**
 * procfun_map_get_n_failed:
 * @self: a #ProcfunMap
 *
 * Gets how many elements have failed.
 *
 * Returns: a number of elements
 *
 * Since: 0.1
 */
guint64
procfun_map_get_n_failed (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), 0);

  return self->mapping != NULL ? mapping_get_n_failed (self->mapping) : 0;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  guint64 one = *(const guint64 *)a;
  guint64 other = *(const guint64 *)b;

  return one < other ? -1 : one > other;
}

/**
 * procfun_map_get_failed:
 * @self: a #ProcfunMap
 * @n: (out): how many there are
 *
 * Gets the elements that have failed in procfun_map_run().
 *
 * Returns: (transfer full) (array length=n) (nullable): their indices, in order
 *
 * Since: 0.1
 */
guint64 *
procfun_map_get_failed (ProcfunMap *self, gsize *n)
{
  g_autoptr (GArray) indices = NULL;
  GHashTableIter iter;
  gpointer key;

  g_return_val_if_fail (PROCFUN_IS_MAP (self), NULL);
  g_return_val_if_fail (n != NULL, NULL);

  indices = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_hash_table_iter_init (&iter, self->errors);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_array_append_vals (indices, key, 1);
  g_array_sort (indices, compare);
  return g_array_steal (indices, n);
}

/**
 * procfun_map_get_error:
 * @self: a #ProcfunMap
 * @index: the index of an element
 *
 * Gets why an element has failed in procfun_map_run().
 *
 * Returns: (transfer full) (nullable): its error, or %NULL where there is none
 *
 * Since: 0.1
 */
GError *
procfun_map_get_error (ProcfunMap *self, guint64 index)
{
  const GError *error;

  g_return_val_if_fail (PROCFUN_IS_MAP (self), NULL);

  error = g_hash_table_lookup (self->errors, &index);
  return error != NULL ? g_error_copy (error) : NULL;
}

/* Maps that need no object */

/**
 * procfun_pool_map:
 * @self: a #ProcfunPool
 * @function: what is to be called
 * @array_of_args: an array of tuples of arguments; a floating reference is taken
 * @cancellable: (nullable): a #GCancellable
 * @error: return location for a #GError
 *
 * Calls @function for each element of an array, in the workers of the pool, and waits in this
 * thread, without running its main context. #ProcfunMap can do more.
 *
 * Fails with the error of the first element that failed, and as procfun_map_run() does.
 *
 * Returns: (transfer full): an array of the results, in order; or %NULL with @error set
 *
 * Since: 0.1
 */
GVariant *
procfun_pool_map (ProcfunPool *self, ProcfunFunction *function, GVariant *array_of_args,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (ProcfunMap) map = NULL;

  g_return_val_if_fail (PROCFUN_IS_POOL (self), NULL);
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (function), NULL);
  g_return_val_if_fail (array_of_args != NULL, NULL);

  map = procfun_map_new (self, function);
  procfun_map_set_array (map, array_of_args);
  return procfun_map_run (map, cancellable, error);
}

static void
on_pool_map_run (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GVariant *results = procfun_map_run_finish (PROCFUN_MAP (source), result, &error);

  if (results != NULL)
    g_task_return_pointer (task, results, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, error);
}

/**
 * procfun_pool_map_async:
 * @self: a #ProcfunPool
 * @function: what is to be called
 * @array_of_args: an array of tuples of arguments; a floating reference is taken
 * @cancellable: (nullable): a #GCancellable
 * @callback: called when all is done
 * @user_data: for @callback
 *
 * Does what procfun_pool_map() does, without waiting.
 *
 * Since: 0.1
 */
void
procfun_pool_map_async (ProcfunPool *self, ProcfunFunction *function, GVariant *array_of_args,
                        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (ProcfunMap) map = NULL;
  GTask *task;

  g_return_if_fail (PROCFUN_IS_POOL (self));
  g_return_if_fail (PROCFUN_IS_FUNCTION (function));
  g_return_if_fail (array_of_args != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_source_tag (task, procfun_pool_map_async);
  map = procfun_map_new (self, function);
  procfun_map_set_array (map, array_of_args);
  procfun_map_run_async (map, cancellable, on_pool_map_run, task);
}

/**
 * procfun_pool_map_finish:
 * @self: a #ProcfunPool
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gives what procfun_pool_map_async() has brought; see procfun_pool_map().
 *
 * Returns: (transfer full): an array of the results, in order; or %NULL with @error set
 *
 * Since: 0.1
 */
GVariant *
procfun_pool_map_finish (ProcfunPool *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, procfun_pool_map_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
