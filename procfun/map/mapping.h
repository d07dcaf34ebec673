/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/map/map-queue.h"
#include "procfun/map/map-slot.h"

/* Results of neighbouring elements, or the error of one element. */
typedef struct
{
  guint64 first; /* index of the first element */
  gsize n;
  GVariant *results; /* (nullable): an array */
  GError *error;     /* (nullable) */
} MapBatch;

void map_batch_clear (MapBatch *self);

typedef struct _Mapping Mapping;

/* Drives a mapping from a main context; mapping-source.c has it. */
typedef struct
{
  void (*wake) (Mapping *self);
  void (*stop) (Mapping *self);
} MappingDriverFuncs;

/* A running map. Its chunks go to the workers of a pool, or its elements are calls of another
 * executor, and their results wait here, in order, until they are taken. When too many wait, no
 * more is taken from the input. A mapping never blocks; mapping-wait.h has the two ways to drive
 * it. One thread at a time uses it. */
struct _Mapping
{
  MapConfig config;
  MapInput *input;
  GPtrArray *slots; /* (element-type MapSlot): in use */
  GPtrArray *spare; /* (element-type MapSlot): not in use */
  GQueue ready;     /* (element-type MapBatch) */

  gint64 end;       /* when the deadline is: monotonic time in µs; 0: never */
  guint64 next;     /* in order: index of the element whose result is due */
  guint64 stop_at;  /* index of the first element whose failure stops the map */
  GTree *cancelled; /* (nullable) (element-type guint64): see mapping-cancel.c */
  GError *error;    /* (nullable): the map has failed */
  guint64 n_done;
  guint64 n_failed;
  guint n_losses;    /* workers lost in a row without any element done */
  double cost;       /* of an element, in µs; -1: unknown */
  double round_trip; /* the time on the way to another machine, in µs; 0: none */
  guint process;     /* inherited_state_get_process() of the one that runs it */

  GMainContext *context; /* (nullable): where calls run, if the executor is no pool */

  const MappingDriverFuncs *driver_funcs; /* (nullable): no main context drives it */
  gpointer driver;
};

/* Copies @config, whose objects are borrowed, and takes @input. */
Mapping *mapping_new (const MapConfig *config, MapInput *input);
void mapping_free (Mapping *self);

/* FALSE: nothing is there now. */
gboolean mapping_take (Mapping *self, MapBatch *batch);
gboolean mapping_has_batch (Mapping *self);

/* There is more input than there was. */
void mapping_wake (Mapping *self);

/* An element that has not ended fails with %G_IO_ERROR_CANCELLED. */
void mapping_cancel_element (Mapping *self, guint64 index);

/* There is nothing, and nothing will come. @error: (nullable): why not, if not because all is done;
 * borrowed. */
gboolean mapping_has_ended (Mapping *self, const GError **error);

/* Of the input, or MAP_INPUT_UNKNOWN; those that have succeeded, and failed. */
guint64 mapping_get_total (Mapping *self);
guint64 mapping_get_n_done (Mapping *self);
guint64 mapping_get_n_failed (Mapping *self);

/* For the drivers */

/* A batch can be taken, or the mapping has ended. */
gboolean mapping_is_over (Mapping *self);

/* It fails if @cancellable has tripped, or the deadline is over. */
void mapping_check_cancelled (Mapping *self, GCancellable *cancellable);

/* When to look again, if nothing happens before: monotonic time in µs; -1: never. */
gint64 mapping_get_wake_time (Mapping *self);

/* Advances all slots. TRUE: one of them has ended. */
gboolean mapping_advance (Mapping *self);

/* Ends the driver in a main context, if there is one. */
void mapping_stop_driver (Mapping *self);

/* TRUE: another worker would have something to do. */
gboolean mapping_wants_worker (Mapping *self);

/* A slot for which a worker can be requested. (nullable): the mapping has failed */
MapSlot *mapping_prepare_slot (Mapping *self, SlotRequest *request);

/* Starts a chunk in @slot with @worker. Takes both. @worker: (nullable): there is none. */
void mapping_start_slot (Mapping *self, MapSlot *slot, WorkerSlot *worker);

/* Advances all calls, and begins as many as there should be; for executors that are no pool. */
void mapping_advance_calls (Mapping *self);

/* Takes @error, which belongs to no element. */
void mapping_fail (Mapping *self, GError *error);

/* Of the elements that were cancelled, the first from @from on; G_MAXUINT64: there is none. */
guint64 mapping_find_cancelled (Mapping *self, guint64 from);

/* TRUE: it was one of them. */
gboolean mapping_forget_cancelled (Mapping *self, guint64 index);

/* Begins no more elements. Those that were begun, or are in a chunk that was, go on. */
void mapping_begin_to_end (Mapping *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MapBatch, map_batch_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mapping, mapping_free)
