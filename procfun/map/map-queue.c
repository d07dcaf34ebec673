/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/map/map-queue.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include <inttypes.h>

/* Longest wait for the elements of a chunk, in µs: a caller that pushes them one by one may be
 * slow. */
#define PULL_TIME 10000

/* Alignment and offset of an element in an array, in bytes. */
#define ELEMENT_OVERHEAD 16

struct _MapInput
{
  GVariant *array; /* (nullable): or */
  GQueue *pushed;  /* (nullable) (element-type GVariant): arrays, or */
  MapInputFunc next;
  gpointer user_data;
  GDestroyNotify destroy;

  guint64 n_total;
  guint64 n_taken;  /* also those that were given back since */
  gsize position;   /* in the first of the arrays that were pushed */
  guint64 n_added;  /* elements of these, also those that were taken */
  gboolean is_open; /* more may be pushed */
  gboolean has_ended;
  gboolean is_waiting; /* for what comes later */
  GQueue rests;        /* (element-type MapChunk): given back, the first one first */
};

/* Chunks */

void
map_chunk_clear (MapChunk *self)
{
  g_clear_pointer (&self->args, g_variant_unref);
  self->n = 0;
}

MapChunk
map_chunk_steal (MapChunk *self)
{
  MapChunk chunk = *self;

  *self = (MapChunk){ 0 };
  return chunk;
}

static void
map_chunk_free (gpointer chunk)
{
  map_chunk_clear (chunk);
  g_free (chunk);
}

GVariant *
map_slice (GVariant *array, gsize stride, gsize from, gsize n)
{
  const GVariantType *type = g_variant_get_type (array);
  g_autoptr (GPtrArray) children = NULL;

  if (from == 0 && n == g_variant_n_children (array))
    return g_variant_ref (array);
  if (stride > 0)
    {
      g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (array);
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, from * stride, n * stride);

      return g_variant_ref_sink (g_variant_new_from_bytes (type, part, TRUE));
    }
  children = g_ptr_array_new_full ((guint)n, (GDestroyNotify)g_variant_unref);
  for (gsize i = 0; i < n; i++)
    g_ptr_array_add (children, g_variant_get_child_value (array, from + i));
  return g_variant_ref_sink (
      g_variant_new_array (g_variant_type_element (type), (GVariant *const *)children->pdata, n));
}

static MapChunk
map_chunk_slice (const MapChunk *self, gsize from, gsize n)
{
  return (MapChunk){ .first = self->first + from,
                     .n = n,
                     .stride = self->stride,
                     .args = n > 0 ? map_slice (self->args, self->stride, from, n) : NULL };
}

MapChunk
map_chunk_skip (const MapChunk *self, gsize n)
{
  return map_chunk_slice (self, n, self->n - n);
}

MapChunk
map_chunk_split (MapChunk *self, gsize n)
{
  MapChunk others = map_chunk_skip (self, n);
  MapChunk first = map_chunk_slice (self, 0, n);

  map_chunk_clear (self);
  *self = first;
  return others;
}

/* The input */

MapInput *
map_input_new_array (GVariant *array)
{
  MapInput *self = g_new0 (MapInput, 1);

  self->array = g_variant_ref (array);
  self->n_total = g_variant_n_children (array);
  g_queue_init (&self->rests);
  return self;
}

MapInput *
map_input_new (MapInputFunc next, gpointer user_data, GDestroyNotify destroy, guint64 n_total)
{
  MapInput *self = g_new0 (MapInput, 1);

  self->next = next;
  self->user_data = user_data;
  self->destroy = destroy;
  self->n_total = n_total;
  g_queue_init (&self->rests);
  return self;
}

MapInput *
map_input_new_open (void)
{
  MapInput *self = g_new0 (MapInput, 1);

  self->pushed = g_queue_new ();
  self->n_total = MAP_INPUT_UNKNOWN;
  self->is_open = TRUE;
  self->is_waiting = TRUE;
  g_queue_init (&self->rests);
  return self;
}

static void
clear_pushed (MapInput *self)
{
  g_queue_clear_full (self->pushed, (GDestroyNotify)g_variant_unref);
  self->position = 0;
}

void
map_input_free (MapInput *self)
{
  map_input_end (self, 0);
  g_clear_pointer (&self->pushed, g_queue_free);
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_clear_pointer (&self->array, g_variant_unref);
  g_free (self);
}

guint64
map_input_get_total (const MapInput *self)
{
  return self->n_total;
}

guint64
map_input_get_left (const MapInput *self)
{
  guint64 n = self->n_total - MIN (self->n_total, self->n_taken);

  if (self->n_total == MAP_INPUT_UNKNOWN)
    return MAP_INPUT_UNKNOWN;
  for (GList *l = self->rests.head; l != NULL; l = l->next)
    n += ((const MapChunk *)l->data)->n;
  return n;
}

gboolean
map_input_has (const MapInput *self, guint64 index)
{
  for (GList *l = self->rests.head; l != NULL; l = l->next)
    {
      const MapChunk *rest = l->data;

      if (index >= rest->first && index - rest->first < rest->n)
        return TRUE;
    }
  return !self->has_ended && index >= self->n_taken && index < self->n_total;
}

gboolean
map_input_has_rest (const MapInput *self)
{
  return self->rests.head != NULL;
}

/* As many from the array as the bytes allow. */
static gsize
count_children (GVariant *array, gsize from, gsize stride, gsize n_max, gsize max_bytes)
{
  gsize n = MIN (n_max, g_variant_n_children (array) - from);
  gsize n_bytes = 0;

  if (stride > 0)
    return MIN (n, MAX (1, max_bytes / stride));
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (array, from + i);

      n_bytes += g_variant_get_size (child) + ELEMENT_OVERHEAD;
      if (n_bytes >= max_bytes)
        return i + 1;
    }
  return n;
}

static void
take_from_array (MapInput *self, gsize n_max, gsize max_bytes, MapChunk *chunk)
{
  const MapChunk all = { .n = self->n_total, .stride = chunk->stride, .args = self->array };
  gsize n = count_children (self->array, self->n_taken, chunk->stride, n_max, max_bytes);

  *chunk = map_chunk_slice (&all, self->n_taken, n);
}

/* After something was pushed or taken. */
static void
note_pushed (MapInput *self)
{
  gboolean is_empty = g_queue_is_empty (self->pushed);

  self->is_waiting = is_empty && self->is_open;
  self->has_ended = is_empty && !self->is_open;
}

static void
take_from_pushed (MapInput *self, gsize n_max, gsize max_bytes, MapChunk *chunk)
{
  GVariant *array = g_queue_peek_head (self->pushed);
  gsize n;

  if (array != NULL)
    {
      n = count_children (array, self->position, chunk->stride, n_max, max_bytes);
      chunk->first = self->n_taken;
      chunk->n = n;
      chunk->args = map_slice (array, chunk->stride, self->position, n);
      self->position += n;
      if (self->position == g_variant_n_children (array))
        {
          g_variant_unref (g_queue_pop_head (self->pushed));
          self->position = 0;
        }
    }
  note_pushed (self);
}

static gboolean
check_element (GVariant *element, const ProcfunSchema *schema, guint64 index, GError **error)
{
  if (g_variant_is_of_type (element, schema->type))
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("element %" PRIu64 " is of the type “%s”, not “%.*s”"), index,
               g_variant_get_type_string (element),
               (int)g_variant_type_get_string_length (schema->type),
               g_variant_type_peek_string (schema->type));
  return FALSE;
}

static gboolean
take_from_callback (MapInput *self, const ProcfunSchema *schema, gsize n_max, gsize max_bytes,
                    MapChunk *chunk, GError **error)
{
  g_autoptr (GPtrArray) elements = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  gsize n_bytes = 0;
  gboolean later = FALSE;
  gint64 until = g_get_monotonic_time () + PULL_TIME;

  while (elements->len < n_max && n_bytes < max_bytes
         && (elements->len == 0 || g_get_monotonic_time () < until))
    {
      GVariant *element = self->next (&later, self->user_data);

      self->has_ended = element == NULL && !later;
      self->is_waiting = later;
      if (element == NULL)
        break;
      g_ptr_array_add (elements, g_variant_take_ref (element));
      if (!check_element (element, schema, self->n_taken + elements->len - 1, error))
        return FALSE;
      n_bytes += g_variant_get_size (element) + ELEMENT_OVERHEAD;
    }
  *chunk = (MapChunk){ .first = self->n_taken, .n = elements->len, .stride = schema->fixed_size };
  if (chunk->n > 0)
    chunk->args = g_variant_ref_sink (
        g_variant_new_array (schema->type, (GVariant *const *)elements->pdata, chunk->n));
  return TRUE;
}

gboolean
map_input_take (MapInput *self, const ProcfunSchema *schema, gsize n_max, gsize max_bytes,
                MapChunk *chunk, GError **error)
{
  MapChunk *rest = g_queue_peek_head (&self->rests);

  *chunk = (MapChunk){ .stride = schema->fixed_size };
  if (rest != NULL && rest->n > n_max)
    {
      *chunk = map_chunk_steal (rest);
      *rest = map_chunk_split (chunk, n_max);
    }
  else if (rest != NULL)
    {
      *chunk = map_chunk_steal (rest);
      map_chunk_free (g_queue_pop_head (&self->rests));
    }
  else if (!self->has_ended && self->array != NULL)
    {
      take_from_array (self, n_max, max_bytes, chunk);
      self->n_taken += chunk->n;
      self->has_ended = self->n_taken == self->n_total;
    }
  else if (!self->has_ended && self->pushed != NULL)
    {
      take_from_pushed (self, n_max, max_bytes, chunk);
      self->n_taken += chunk->n;
    }
  else if (!self->has_ended)
    {
      if (!take_from_callback (self, schema, n_max, max_bytes, chunk, error))
        return FALSE;
      self->n_taken += chunk->n;
    }
  return TRUE;
}

void
map_input_push (MapInput *self, GVariant *array)
{
  gsize n = g_variant_n_children (array);

  if (n == 0 || !self->is_open)
    return;
  g_queue_push_tail (self->pushed, g_variant_ref (array));
  self->n_added += n;
  note_pushed (self);
}

void
map_input_close (MapInput *self)
{
  self->is_open = FALSE;
  note_pushed (self);
}

void
map_input_cut (MapInput *self)
{
  clear_pushed (self);
  self->n_added = self->n_taken;
  map_input_close (self);
}

guint64
map_input_get_n_pushed (const MapInput *self)
{
  return self->n_added - self->n_taken;
}

gboolean
map_input_is_waiting (const MapInput *self)
{
  return self->is_waiting;
}

void
map_input_wake (MapInput *self)
{
  self->is_waiting = FALSE;
}

static int
compare_chunks (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const MapChunk *one = a;
  const MapChunk *other = b;

  return one->first < other->first ? -1 : one->first > other->first;
}

void
map_input_give_back (MapInput *self, MapChunk *chunk)
{
  g_queue_insert_sorted (&self->rests, g_memdup2 (chunk, sizeof *chunk), compare_chunks, NULL);
  *chunk = (MapChunk){ 0 };
}

void
map_input_end (MapInput *self, guint64 from)
{
  self->has_ended = TRUE;
  self->is_open = FALSE;
  if (self->pushed != NULL)
    clear_pushed (self);
  while (!g_queue_is_empty (&self->rests)
         && ((MapChunk *)g_queue_peek_tail (&self->rests))->first >= from)
    map_chunk_free (g_queue_pop_tail (&self->rests));
}

gboolean
map_input_has_ended (MapInput *self)
{
  return self->has_ended && g_queue_is_empty (&self->rests);
}
