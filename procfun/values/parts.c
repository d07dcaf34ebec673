/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/parts.h"

#include <string.h>

static void
clear_part (gpointer part)
{
  g_bytes_unref (((Part *)part)->bytes);
}

GArray *
parts_new (void)
{
  GArray *parts = g_array_new (FALSE, FALSE, sizeof (Part));

  g_array_set_clear_func (parts, clear_part);
  return parts;
}

gsize
parts_get_size (const GArray *parts)
{
  gsize size = 0;

  for (guint i = 0; parts != NULL && i < parts->len; i++)
    size += g_bytes_get_size (g_array_index (parts, Part, i).bytes);
  return size;
}

/* Size of an element of an array in which all bytes are good; 0 for all other types. */
static gsize
get_element_size (const GVariantType *type)
{
  if (!g_variant_type_is_array (type))
    return 0;
  switch (*g_variant_type_peek_string (g_variant_type_element (type)))
    {
    case 'y':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'i':
    case 'u':
      return 4;
    case 'x':
    case 't':
    case 'd':
      return 8;
    default:
      return 0;
    }
}

/* (transfer full) */
static GVariant *
rebuild (GVariant *like, GVariant **children, gsize n)
{
  const GVariantType *type = g_variant_get_type (like);
  GVariant *value;

  switch (g_variant_classify (like))
    {
    case G_VARIANT_CLASS_ARRAY:
      value = g_variant_new_array (g_variant_type_element (type), children, n);
      break;
    case G_VARIANT_CLASS_MAYBE:
      value = g_variant_new_maybe (NULL, children[0]);
      break;
    case G_VARIANT_CLASS_VARIANT:
      value = g_variant_new_variant (children[0]);
      break;
    case G_VARIANT_CLASS_DICT_ENTRY:
      g_assert (n == 2);
      value = g_variant_new_dict_entry (children[0], children[1]);
      break;
    default:
      value = g_variant_new_tuple (children, n);
    }
  return g_variant_ref_sink (value);
}

static GVariant **
get_children (GVariant *value, gsize *n)
{
  GVariant **children;

  *n = g_variant_n_children (value);
  children = g_new (GVariant *, MAX (*n, 1));
  for (gsize i = 0; i < *n; i++)
    children[i] = g_variant_get_child_value (value, i);
  return children;
}

static void
free_children (GVariant **children, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_variant_unref (children[i]);
  g_free (children);
}

/* Taking out */

/* A value that was built of others gives these, and a serialised one makes new ones each time. */
gboolean
parts_is_built (GVariant *value)
{
  g_autoptr (GVariant) child = NULL;
  g_autoptr (GVariant) again = NULL;

  if (!g_variant_is_container (value) || g_variant_n_children (value) == 0)
    return FALSE;
  child = g_variant_get_child_value (value, 0);
  again = g_variant_get_child_value (value, 0);
  return child == again;
}

typedef struct
{
  gsize min_size;
  guint max_parts;
  PartsFilter filter;
  gpointer user_data;
  GArray *parts;
  guint32 depth;
  guint32 indices[PARTS_MAX_DEPTH];
} Taking;

/* (transfer full) */
static GVariant *
take_leaf (Taking *self, GVariant *value)
{
  const gsize size = g_variant_get_size (value);
  Part part = { .depth = self->depth };

  if (self->parts->len >= self->max_parts || parts_is_built (value)
      || !self->filter (g_variant_get_data (value), size, self->user_data))
    return g_variant_ref (value);
  part.bytes = g_variant_get_data_as_bytes (value);
  memcpy (part.indices, self->indices, sizeof part.indices);
  g_array_append_val (self->parts, part);
  return g_variant_ref_sink (
      g_variant_new_from_data (g_variant_get_type (value), NULL, 0, TRUE, NULL, NULL));
}

static GVariant *take_out (Taking *self, GVariant *value);

/* (transfer full) */
static GVariant *
take_from_children (Taking *self, GVariant *value)
{
  gsize n;
  GVariant **children = get_children (value, &n);
  gboolean has_changed = FALSE;
  GVariant *rest;

  for (gsize i = 0; i < n && i <= G_MAXUINT32; i++)
    {
      GVariant *child = children[i];

      self->indices[self->depth++] = (guint32)i;
      children[i] = take_out (self, child);
      self->depth--;
      has_changed = has_changed || children[i] != child;
      g_variant_unref (child);
    }
  rest = has_changed ? rebuild (value, children, n) : g_variant_ref (value);
  free_children (children, n);
  return rest;
}

/* (transfer full) */
static GVariant *
take_out (Taking *self, GVariant *value)
{
  if (!g_variant_is_container (value) || g_variant_get_size (value) < self->min_size)
    return g_variant_ref (value);
  if (get_element_size (g_variant_get_type (value)) > 0)
    return take_leaf (self, value);
  if (self->depth == PARTS_MAX_DEPTH || !parts_is_built (value))
    return g_variant_ref (value);
  return take_from_children (self, value);
}

GVariant *
parts_take_out (GVariant *value, gsize min_size, guint max_parts, PartsFilter filter,
                gpointer user_data, GArray *parts)
{
  Taking self = { .min_size = min_size,
                  .max_parts = max_parts,
                  .filter = filter,
                  .user_data = user_data,
                  .parts = parts };

  return take_out (&self, value);
}

/* Putting back */

static GVariant *put_back (GVariant *rest, const Part *parts, guint n, guint32 depth);

/* (transfer full) (nullable) */
static GVariant *
put_leaf (GVariant *rest, GBytes *bytes)
{
  const GVariantType *type = g_variant_get_type (rest);
  const gsize element = get_element_size (type);

  if (element == 0 || g_variant_get_size (rest) > 0 || g_bytes_get_size (bytes) % element != 0)
    return NULL;
  return g_variant_ref_sink (g_variant_new_from_bytes (type, bytes, TRUE));
}

/* FALSE: some have no place. */
static gboolean
put_into_children (GVariant **children, gsize n_children, const Part *parts, guint n, guint32 depth)
{
  guint end;

  for (guint i = 0; i < n; i = end)
    {
      const guint32 index = parts[i].indices[depth];
      GVariant *child;

      for (end = i; end < n && parts[end].depth > depth && parts[end].indices[depth] == index;)
        end++;
      if (end == i || index >= n_children)
        return FALSE;
      child = put_back (children[index], parts + i, end - i, depth + 1);
      if (child == NULL)
        return FALSE;
      g_variant_unref (children[index]);
      children[index] = child;
    }
  return TRUE;
}

/* (transfer full) (nullable) */
static GVariant *
put_back (GVariant *rest, const Part *parts, guint n, guint32 depth)
{
  GVariant *value = NULL;
  GVariant **children;
  gsize n_children;

  if (n == 0)
    return g_variant_ref (rest);
  if (n == 1 && parts->depth == depth)
    return put_leaf (rest, parts->bytes);
  if (depth == PARTS_MAX_DEPTH || !g_variant_is_container (rest)
      || get_element_size (g_variant_get_type (rest)) > 0)
    return NULL;
  children = get_children (rest, &n_children);
  if (put_into_children (children, n_children, parts, n, depth))
    value = rebuild (rest, children, n_children);
  free_children (children, n_children);
  return value;
}

GVariant *
parts_put_back (GVariant *rest, const GArray *parts)
{
  return put_back (rest, (const Part *)(gpointer)parts->data, parts->len, 0);
}
