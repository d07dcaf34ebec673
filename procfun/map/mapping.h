/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/map/map-queue.h"
#include "procfun/map/map-slot.h"

/* A map that runs: its chunks go to the workers of a pool, and what comes of them waits here, in
 * order, until somebody takes it. When too much waits, no more is taken from the input. Like an
 * exchange it never blocks by itself; mapping-drive.h waits for it. For one thread at a time. */
typedef struct _Mapping Mapping;

/* Results that follow one another, or the error of one element. */
typedef struct
{
  guint64 first; /* the index of the first element */
  gsize n;
  GVariant *results; /* (nullable): an array */
  GError *error;     /* (nullable) */
} Batch;

void batch_clear (Batch *self);

/* Copies @config, whose objects are borrowed, and takes @input. */
Mapping *mapping_new (const MapConfig *config, MapInput *input);
void mapping_free (Mapping *self);

/* FALSE: nothing is there now. */
gboolean mapping_take (Mapping *self, Batch *batch);
gboolean mapping_has_batch (Mapping *self);

/* There is more input than there was. */
void mapping_wake (Mapping *self);

/* There is nothing, and nothing will come. @error: (nullable): why not, if not because all is done;
 * borrowed. */
gboolean mapping_has_ended (Mapping *self, const GError **error);

/* Of the input, or MAP_INPUT_UNKNOWN; those that have succeeded, and failed. */
guint64 mapping_get_total (Mapping *self);
guint64 mapping_get_n_done (Mapping *self);
guint64 mapping_get_n_failed (Mapping *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Batch, batch_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mapping, mapping_free)
