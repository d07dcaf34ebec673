/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/map/mapping.h"

struct _Mapping
{
  MapConfig config;
  MapInput *input;
  GPtrArray *slots; /* (element-type MapSlot): those that run */
  GPtrArray *spare; /* (element-type MapSlot): those that don't */
  GQueue ready;     /* (element-type Batch) */

  guint64 next;    /* in order: the index of the element whose result is due */
  guint64 stop_at; /* the index of the first that has failed, when that stops it */
  GError *error;   /* (nullable): it goes on no more */
  guint64 n_done;
  guint64 n_failed;
  guint n_losses; /* of workers, one after the other, without anything done */
  double cost;    /* of an element, in µs; -1: not known */

  GSource *source; /* (nullable): that drives it in a main context */
};

/* What both drivers do, in mapping-drive.c. */
gboolean mapping_is_over (Mapping *self);
void mapping_check_cancelled (Mapping *self, GCancellable *cancellable);
void mapping_advance (Mapping *self);

/* Ends @source, in mapping-source.c. */
void mapping_stop_source (Mapping *self);

/* Whether a worker could be given something. */
gboolean mapping_wants_worker (Mapping *self);

/* A slot for which a worker can be asked. (nullable): it has failed */
MapSlot *mapping_prepare_slot (Mapping *self, SlotRequest *request);

/* Gives @member, if there is one, to @slot, with a chunk, if there is one. Takes both. */
void mapping_start_slot (Mapping *self, MapSlot *slot, WorkerSlot *member);

/* The exchange of @slot has ended. */
void mapping_finish_slot (Mapping *self, MapSlot *slot);

/* Takes @error: it is no element's. */
void mapping_fail (Mapping *self, GError *error);
