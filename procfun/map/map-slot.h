/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/call-chunk.h"
#include "procfun/executors/pool.h"
#include "procfun/map/journal.h"
#include "procfun/map/map-call.h"
#include "procfun/map/map-queue.h"
#include "procfun/process/exchange.h"

typedef struct
{
  ProcfunExecutor *executor;
  ProcfunPool *pool;   /* (nullable) (unowned): the same, whose workers are given chunks */
  guint64 chunk_limit; /* of another executor: see procfun_executor_get_chunk_limit() */
  guint max_slots;     /* in use at once; 0: as many as the executor has */
  ProcfunFunction *function;
  gboolean is_ordered;
  gboolean goes_on;      /* after an element that failed */
  guint64 chunk_size;    /* in elements; 0: as many as seems good */
  gint64 budget;         /* no element is begun after so many µs; 0: at any time */
  gint64 timeout;        /* of an element, in µs; 0: none */
  gint64 deadline;       /* of the whole, from its beginning; the same */
  ProcfunLimits *limits; /* (nullable): of the process of a chunk */
  double cost;           /* time that an element may take, in µs; 0: not known */

  /* (nullable): is shown each call before it begins */
  void (*prepare) (ProcfunCall *call, gpointer user_data);
  gpointer user_data;
} MapConfig;

/* One of a map's calls at a time: of the elements of a chunk, by one worker of a pool or by an
 * executor that takes chunks; or of one element, by another executor. */
typedef struct
{
  const MapConfig *config;
  MapChunk chunk;

  ProcfunCall *call;  /* (nullable) */
  Exchange *exchange; /* (nullable): nothing runs, or */
  MapCall *running;   /* (nullable): by another executor */
  Preparation preparation;
  gboolean has_journal; /* FALSE: only the first element of the chunk was sent */
  gboolean is_aborted;
  gsize end;       /* no element of the chunk is begun from this one on; G_MAXSIZE: all are */
  gboolean is_cut; /* it was ended for the sake of one element */
} MapSlot;

/* Outcome of a chunk: that of some elements, from the first one on. Times in µs; -1: not known. */
typedef struct
{
  GVariant *results;     /* (nullable): an array, of those that succeeded */
  gsize n_done;          /* their number */
  GArray *errors;        /* (element-type ChunkError): of those that failed */
  GError *error;         /* (nullable): why the others were not begun, if not for lack of time */
  gboolean by_loss;      /* the process ended while no element was under way */
  gboolean is_cancelled; /* somebody has ended it */
  gint64 duration;       /* of these elements */
  gint64 round_trip;     /* on the way to another machine */
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

/* Begins a call of another executor, in the main context that is this thread's default. Takes what
 * is in @chunk, which is one element if the executor takes no chunks. @cost: time that an element
 * may take; @budget: time after which none is begun; as in CallChunk. FALSE: the chunk is as it
 * was. */
gboolean map_slot_begin_call (MapSlot *self, MapChunk *chunk, double cost, gint64 budget,
                              MapCallFunc func, gpointer user_data, GError **error);

/* Advances it. TRUE: it has ended. */
gboolean map_slot_advance (MapSlot *self);

/* When to do so again, if nothing happens before: monotonic time in µs; -1: never. */
gint64 map_slot_get_wake_time (MapSlot *self);

/* Ends it; the second without a grace period. */
void map_slot_abort (MapSlot *self);
void map_slot_abort_at_once (MapSlot *self);

/* Ends what is done for the element at @at in the chunk. */
void map_slot_cancel_element (MapSlot *self, gsize at);

/* Trips when it is to end. (transfer none) */
GCancellable *map_slot_get_cancellable (MapSlot *self);

/* Once it has ended. */
void map_slot_end (MapSlot *self, MapYield *yield);
void map_yield_clear (MapYield *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MapYield, map_yield_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MapSlot, map_slot_free)
