/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/map/mapping.h"
#include "procfun/procfun-map.h"

G_BEGIN_DECLS

struct _ProcfunMap
{
  GObject parent_instance;

  ProcfunExecutor *executor;
  ProcfunFunction *function;

  /* Where the arguments come from, until they are taken */
  GVariant *array;   /* (nullable): or */
  GListModel *model; /* (nullable): or */
  gpointer func;     /* (nullable): ProcfunMapNextFunc, with a model ProcfunMapItemFunc */
  gpointer user_data;
  GDestroyNotify destroy;

  GArray *cancelled; /* (nullable) (element-type guint64): elements, before it has begun */

  GError *input_error; /* (nullable): why there is no more input */

  GQueue *queue;    /* (nullable) (element-type GVariant): what was pushed */
  gboolean is_open; /* more may be */

  gboolean ordered;
  ProcfunMapOnError on_error;
  guint chunk_size;
  gint64 timeout;
  gint64 deadline;
  ProcfunLimits *limits; /* (nullable) */

  Mapping *mapping;    /* (nullable): it has not begun */
  gboolean is_running; /* somebody waits */
  MapBatch batch;      /* whose results are handed out one by one */
  gsize position;      /* in it */
  GHashTable *errors;  /* (element-type guint64 GError): by index */
};

/* TRUE: procfun_map_next() would not wait. */
gboolean map_has_next (ProcfunMap *self);

/* Forgets the input, which nobody takes any more. */
void map_clear_source (ProcfunMap *self);

/* Begins, with the input. */
gboolean map_begin (ProcfunMap *self, GError **error);

/* Emits ProcfunMap::progress. */
void map_emit_progress (ProcfunMap *self);

G_END_DECLS
