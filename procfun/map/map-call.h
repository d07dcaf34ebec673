/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

/* A call of any executor, for an element of a map. It runs in a main context of the map's. */
typedef struct _MapCall MapCall;

/* It has ended. */
typedef void (*MapCallFunc) (gpointer user_data);

/* Begins @call, which is new, in the main context that is this thread's default. @func comes from
 * there. (nullable): the executor is closed */
MapCall *map_call_begin (ProcfunExecutor *executor, ProcfunCall *call, MapCallFunc func,
                         gpointer user_data, GError **error);
gboolean map_call_has_ended (const MapCall *self);

/* Once it has ended: its result, or an error. Frees it. */
GVariant *map_call_finish (MapCall *self, GError **error);

/* Its end is not told any more. */
void map_call_drop (MapCall *self);

G_END_DECLS
