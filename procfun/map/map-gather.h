/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/map/mapping.h"
#include "procfun/procfun-schema.h"

/* The results of a map, put together. */
typedef struct _MapGather MapGather;

/* @schema: of a result. @with_gaps: an array of maybes, with nothing in the place of what failed.
 */
MapGather *map_gather_new (ProcfunSchema *schema, gboolean with_gaps);
void map_gather_free (MapGather *self);

/* @results: (nullable): a gap; borrowed. */
void map_gather_add (MapGather *self, GVariant *results);

/* The array; not floating. Nothing can be added after that. */
GVariant *map_gather_end (MapGather *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MapGather, map_gather_free)
