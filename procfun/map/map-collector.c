/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/map/map-collector.h"

#include "procfun/values/schema.h"
#include <string.h>

struct _MapCollector
{
  ProcfunSchema *schema;
  gboolean with_gaps;
  GPtrArray *parts; /* (element-type GVariant): arrays of results of fixed size, or */
  GVariantBuilder *builder;
};

MapCollector *
map_collector_new (ProcfunSchema *schema, gboolean with_gaps)
{
  MapCollector *self = g_new0 (MapCollector, 1);
  g_autoptr (GVariantType) maybe = g_variant_type_new_maybe (schema->type);
  g_autoptr (GVariantType) type = g_variant_type_new_array (with_gaps ? maybe : schema->type);

  self->schema = procfun_schema_ref (schema);
  self->with_gaps = with_gaps;
  if (with_gaps || schema->fixed_size == 0)
    self->builder = g_variant_builder_new (type);
  else
    self->parts = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  return self;
}

void
map_collector_free (MapCollector *self)
{
  g_clear_pointer (&self->parts, g_ptr_array_unref);
  g_clear_pointer (&self->builder, g_variant_builder_unref);
  procfun_schema_unref (self->schema);
  g_free (self);
}

static void
add_one (MapCollector *self, GVariant *result)
{
  g_variant_builder_add_value (
      self->builder, self->with_gaps ? g_variant_new_maybe (self->schema->type, result) : result);
}

void
map_collector_add (MapCollector *self, GVariant *results)
{
  gsize n = results != NULL ? g_variant_n_children (results) : 0;

  if (self->parts != NULL)
    {
      g_ptr_array_add (self->parts, g_variant_ref (results));
      return;
    }
  if (results == NULL)
    add_one (self, NULL);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) result = g_variant_get_child_value (results, i);

      add_one (self, result);
    }
}

static GVariant *
join (MapCollector *self)
{
  g_autoptr (GVariantType) type = g_variant_type_new_array (self->schema->type);
  g_autoptr (GBytes) bytes = NULL;
  guint8 *data;
  gsize size = 0;
  gsize position = 0;

  if (self->parts->len == 1)
    return g_variant_ref (self->parts->pdata[0]);
  for (guint i = 0; i < self->parts->len; i++)
    size += g_variant_get_size (self->parts->pdata[i]);
  data = g_malloc (size);
  for (guint i = 0; i < self->parts->len; i++)
    {
      GVariant *part = self->parts->pdata[i];

      memcpy (data + position, g_variant_get_data (part), g_variant_get_size (part));
      position += g_variant_get_size (part);
    }
  bytes = g_bytes_new_take (data, size);
  return g_variant_ref_sink (g_variant_new_from_bytes (type, bytes, TRUE));
}

GVariant *
map_collector_end (MapCollector *self)
{
  return self->parts != NULL ? join (self)
                             : g_variant_ref_sink (g_variant_builder_end (self->builder));
}
