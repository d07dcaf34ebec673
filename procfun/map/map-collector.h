/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/map/mapping.h"
#include "procfun/procfun-schema.h"

/* The results of a map, put together. */
typedef struct _MapCollector MapCollector;

/* @schema: of a result. @with_gaps: an array of maybes, with nothing in the place of what failed.
 */
MapCollector *map_collector_new (ProcfunSchema *schema, gboolean with_gaps);
void map_collector_free (MapCollector *self);

/* @results: (nullable): a gap; borrowed. */
void map_collector_add (MapCollector *self, GVariant *results);

/* The array; not floating. Nothing can be added after that. */
GVariant *map_collector_end (MapCollector *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MapCollector, map_collector_free)
