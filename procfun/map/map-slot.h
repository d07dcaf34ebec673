/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/executors/pool.h"
#include "procfun/map/journal.h"
#include "procfun/map/map-queue.h"
#include "procfun/process/exchange.h"

typedef struct
{
  ProcfunPool *pool;
  ProcfunFunction *function;
  gboolean is_ordered;
  gboolean goes_on;      /* after an element that failed */
  guint64 chunk_size;    /* in elements; 0: as many as seems good */
  gint64 budget;         /* no element is begun after so many µs; 0: at any time */
  gint64 timeout;        /* of an element, in µs; 0: none */
  gint64 deadline;       /* of the whole, from its beginning; the same */
  ProcfunLimits *limits; /* (nullable): of the process of a chunk */
} MapConfig;

/* One of a map's calls at a time: of the elements of a chunk, by one worker. */
typedef struct
{
  const MapConfig *config;
  MapChunk chunk;

  ProcfunCall *call;  /* (nullable) */
  Exchange *exchange; /* (nullable): nothing runs */
  Preparation preparation;
  gboolean has_journal; /* FALSE: only the first element of the chunk was sent */
  gboolean is_aborted;
} MapSlot;

/* Outcome of a chunk. */
typedef struct
{
  GVariant *results; /* (nullable): an array, of the first @n_done elements */
  gsize n_done;
  GError *error;         /* (nullable) */
  gboolean of_element;   /* it is that of the element after these */
  gboolean by_loss;      /* the process ended while no element was under way */
  gboolean is_cancelled; /* somebody has ended it */
  gint64 duration;       /* of these elements, in µs; -1: not known */
} MapYield;

MapSlot *map_slot_new (const MapConfig *config);
void map_slot_free (MapSlot *self);

/* Makes a call, for which a worker can be asked; what @request points to is the slot's. The second
 * forgets it. */
gboolean map_slot_prepare (MapSlot *self, SlotRequest *request, GError **error);
void map_slot_forget (MapSlot *self);

/* Takes @member and what is in @chunk. FALSE: the chunk is as it was; without an error the worker
 * had ended, unnoticed. */
gboolean map_slot_begin (MapSlot *self, WorkerSlot *member, MapChunk *chunk, GError **error);

/* Ends it. */
void map_slot_abort (MapSlot *self);

/* Trips when it is to end. (transfer none) */
GCancellable *map_slot_get_cancellable (MapSlot *self);

/* Once the exchange has ended. */
void map_slot_end (MapSlot *self, MapYield *yield);
void map_yield_clear (MapYield *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MapYield, map_yield_clear)
