/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Input of a map: the elements that it calls its function for. */

#include "procfun/base/intl.h"
#include "procfun/codecs/gvariant.h"
#include "procfun/core/function.h"
#include "procfun/map/map.h"
#include "procfun/procfun-error.h"
#include "procfun/values/schema.h"
#include <string.h>

void
map_clear_source (ProcfunMap *self)
{
  g_clear_pointer (&self->array, g_variant_unref);
  g_clear_object (&self->model);
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  self->func = NULL;
  self->destroy = NULL;
  if (self->queue != NULL)
    g_queue_free_full (g_steal_pointer (&self->queue), (GDestroyNotify)g_variant_unref);
}

static void
open_queue (ProcfunMap *self)
{
  if (self->queue != NULL)
    return;
  map_clear_source (self);
  self->queue = g_queue_new ();
  self->is_open = TRUE;
}

/**
 * procfun_map_set_array:
 * @self: a #ProcfunMap that was not started
 * @array_of_args: an array of tuples of arguments; a floating reference is taken
 *
 * Sets the elements.
 *
 * Since: 0.1
 */
void
procfun_map_set_array (ProcfunMap *self, GVariant *array_of_args)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (array_of_args != NULL);
  g_return_if_fail (self->mapping == NULL);

  g_variant_ref_sink (array_of_args);
  map_clear_source (self);
  self->array = array_of_args;
}

/**
 * procfun_map_set_model:
 * @self: a #ProcfunMap that was not started
 * @model: a list
 * @func: (scope notified) (closure user_data) (destroy destroy): makes arguments of an item
 * @user_data: for @func
 * @destroy: (nullable): called with @user_data when @func is needed no more
 *
 * Sets the elements. Items are taken as they are needed, by the thread that waits for results, and
 * should not move before that.
 *
 * Since: 0.1
 */
void
procfun_map_set_model (ProcfunMap *self, GListModel *model, ProcfunMapItemFunc func,
                       gpointer user_data, GDestroyNotify destroy)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (G_IS_LIST_MODEL (model));
  g_return_if_fail (func != NULL);
  g_return_if_fail (self->mapping == NULL);

  g_object_ref (model);
  map_clear_source (self);
  self->model = model;
  self->func = func;
  self->user_data = user_data;
  self->destroy = destroy;
}

/**
 * procfun_map_set_iterator:
 * @self: a #ProcfunMap that was not started
 * @func: (scope notified) (closure user_data) (destroy destroy): gives the elements one by one
 * @user_data: for @func
 * @destroy: (nullable): called with @user_data when @func is needed no more
 *
 * Sets the elements, which need have no end. They are taken as they are needed, by the thread that
 * waits for results; what @func waits for, that thread waits for, too.
 *
 * Since: 0.1
 */
void
procfun_map_set_iterator (ProcfunMap *self, ProcfunMapNextFunc func, gpointer user_data,
                          GDestroyNotify destroy)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (func != NULL);
  g_return_if_fail (self->mapping == NULL);

  map_clear_source (self);
  self->func = func;
  self->user_data = user_data;
  self->destroy = destroy;
}

/* Takes @args. */
static GVariant *
end_if_failed (ProcfunMap *self, GVariant *args)
{
  if (self->input_error == NULL || args == NULL)
    return args;
  g_variant_unref (g_variant_ref_sink (args));
  return NULL;
}

static GVariant *
next_from_callback (gboolean *later, gpointer user_data)
{
  ProcfunMap *self = user_data;

  return end_if_failed (self, ((ProcfunMapNextFunc)self->func) (self->user_data));
}

/**
 * procfun_map_push:
 * @self: a #ProcfunMap
 * @args: the arguments of one more element, a tuple; a floating reference is taken
 *
 * Adds an element, for those who have them bit by bit and wait in a main context: what has been
 * added is called for whenever a worker is free, also before procfun_map_end_input(). A map that
 * has been given no elements otherwise takes them so.
 *
 * A program that may add more than is taken should look at procfun_map_get_n_pushed().
 *
 * Since: 0.1
 */
void
procfun_map_push (ProcfunMap *self, GVariant *args)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (args != NULL);
  g_return_if_fail (self->queue != NULL ? self->is_open : self->mapping == NULL);

  g_variant_ref_sink (args);
  open_queue (self);
  g_queue_push_tail (self->queue, args);
  if (self->mapping != NULL)
    mapping_wake (self->mapping);
}

/**
 * procfun_map_end_input:
 * @self: a #ProcfunMap
 *
 * Says that there will be no more elements after those that procfun_map_push() has added.
 *
 * Since: 0.1
 */
void
procfun_map_end_input (ProcfunMap *self)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (self->queue != NULL || self->mapping == NULL);

  open_queue (self);
  self->is_open = FALSE;
  if (self->mapping != NULL)
    mapping_wake (self->mapping);
}

/**
 * procfun_map_fail_input:
 * @self: a #ProcfunMap
 * @error: why there are no more elements; copied
 *
 * Says that no more elements can be had, because something has failed: to be called by a
 * #ProcfunMapNextFunc or #ProcfunMapItemFunc, which returns %NULL then, or in place of
 * procfun_map_end_input(). The elements before that are called for, and then the map fails with
 * @error. Only the first error counts.
 *
 * Since: 0.1
 */
void
procfun_map_fail_input (ProcfunMap *self, const GError *error)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (error != NULL);

  if (self->input_error == NULL)
    self->input_error = g_error_copy (error);
  if (self->queue != NULL)
    procfun_map_end_input (self);
}

/**
 * procfun_map_get_n_pushed:
 * @self: a #ProcfunMap
 *
 * Gets how many elements procfun_map_push() has added that no worker was given.
 *
 * Returns: a number of elements
 *
 * Since: 0.1
 */
guint
procfun_map_get_n_pushed (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), 0);

  return self->queue != NULL ? self->queue->length : 0;
}

typedef struct
{
  ProcfunMap *map; /* unowned */
  guint position;
} ModelInput;

static GVariant *
next_from_model (gboolean *later, gpointer user_data)
{
  ModelInput *self = user_data;
  ProcfunMap *map = self->map;
  g_autoptr (GObject) item = g_list_model_get_item (map->model, self->position++);

  return item != NULL ? end_if_failed (map, ((ProcfunMapItemFunc)map->func) (item, map->user_data))
                      : NULL;
}

static GVariant *
next_from_queue (gboolean *later, gpointer user_data)
{
  ProcfunMap *self = user_data;

  *later = self->is_open && g_queue_is_empty (self->queue);
  return g_queue_pop_head (self->queue);
}

static MapInput *
make_input (ProcfunMap *self)
{
  ProcfunSchema *args = procfun_function_get_arguments_schema (self->function);
  ModelInput *input;

  if (self->array != NULL)
    {
      g_autoptr (ProcfunSchema) schema = procfun_schema_new_array (args);
      g_autoptr (GVariant) array = wire_variant_normalise (schema, self->array);

      return map_input_new_array (array);
    }
  if (self->model == NULL && self->func == NULL)
    open_queue (self);
  if (self->queue != NULL)
    return map_input_new (next_from_queue, self, NULL, MAP_INPUT_UNKNOWN);
  if (self->model == NULL)
    return map_input_new (next_from_callback, self, NULL, MAP_INPUT_UNKNOWN);
  input = g_new0 (ModelInput, 1);
  input->map = self;
  return map_input_new (next_from_model, input, g_free, g_list_model_get_n_items (self->model));
}

static gboolean
has_descriptors (ProcfunSchema *schema)
{
  const GVariantType *type = procfun_schema_get_variant_type (schema);

  return memchr (g_variant_type_peek_string (type), 'h', g_variant_type_get_string_length (type))
         != NULL;
}

static gboolean
check_array (ProcfunMap *self, GError **error)
{
  const GVariantType *args = procfun_function_get_arguments_type (self->function);
  g_autoptr (GVariantType) type = g_variant_type_new_array (args);

  if (self->array == NULL || g_variant_is_of_type (self->array, type))
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("a map of %s() takes an array of the type “%.*s”, not “%s”"),
               procfun_function_get_name (self->function),
               (int)g_variant_type_get_string_length (type), g_variant_type_peek_string (type),
               g_variant_get_type_string (self->array));
  return FALSE;
}

static gboolean
check (ProcfunMap *self, GError **error)
{
  const char *name = procfun_function_get_name (self->function);

  if (procfun_function_is_generator (self->function))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() is a generator, and cannot be called by a map"), name);
  else if (has_descriptors (procfun_function_get_arguments_schema (self->function))
           || has_descriptors (procfun_function_get_return_schema (self->function)))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() passes descriptors, and cannot be called by a map"), name);
  else
    return check_array (self, error);
  return FALSE;
}

gboolean
map_begin (ProcfunMap *self, GError **error)
{
  const MapConfig config = { .executor = self->executor,
                             .pool = procfun_map_get_pool (self),
                             .function = self->function,
                             .is_ordered = self->ordered,
                             .goes_on = self->on_error == PROCFUN_MAP_COLLECT,
                             .chunk_size = self->chunk_size,
                             .timeout = self->timeout,
                             .deadline = self->deadline,
                             .limits = self->limits };

  if (self->mapping != NULL)
    return TRUE;
  if (!check (self, error))
    return FALSE;
  self->mapping = mapping_new (&config, make_input (self));
  for (guint i = 0; self->cancelled != NULL && i < self->cancelled->len; i++)
    mapping_cancel_element (self->mapping, g_array_index (self->cancelled, guint64, i));
  g_clear_pointer (&self->cancelled, g_array_unref);
  return TRUE;
}
