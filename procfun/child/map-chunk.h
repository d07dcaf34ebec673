/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-function.h"
#include <gio/gunixfdlist.h>

/* Many calls of a function in one: see FRAME_CALL_MAP and wire/journal.h. */
typedef struct _MapChunk MapChunk;

/* Made from the journal that came with the call. Its descriptor is closed, since descriptors that a
 * call leaves open are looked for later. */
MapChunk *map_chunk_new (GUnixFDList *fds);
void map_chunk_free (MapChunk *self);

/* Takes the arguments for the function. @parts: (nullable) (element-type Part): of them.
 * @max_payload: bytes that a result may take. */
gboolean map_chunk_prepare (MapChunk *self, ProcfunFunction *function, GBytes *array,
                            const GArray *parts, guint64 max_payload, GError **error);

/* Calls it, until there are no more arguments, or it is enough for now. FALSE: the call that was
 * begun last has failed. */
gboolean map_chunk_run (MapChunk *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MapChunk, map_chunk_free)
