/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <procfun.h>

/* How a record has the arguments of a function. */
typedef struct
{
  gboolean is_raw;    /* the only argument is the record itself, and not JSON */
  const char *gap;    /* (nullable): between its fields, each of which is an argument */
  gboolean is_quoted; /* fields may stand in quotes, as in CSV */
} RecordFormat;

/* Makes arguments of records, and collects them. */
typedef struct _MapArguments MapArguments;

/* Fails where records of that format cannot have the arguments of the function. */
MapArguments *map_arguments_new (ProcfunFunction *function, const RecordFormat *format,
                                 GError **error);
void map_arguments_free (MapArguments *self);

/* Takes a record that names the fields of those that follow. */
gboolean map_arguments_set_header (MapArguments *self, const char *text, gsize size,
                                   GError **error);

/* FALSE: nothing was added. */
gboolean map_arguments_add (MapArguments *self, const char *text, gsize size, GError **error);
gsize map_arguments_get_n (MapArguments *self);
gsize map_arguments_get_size (MapArguments *self);

/* An array of all that were added. (transfer full) */
GVariant *map_arguments_steal (MapArguments *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MapArguments, map_arguments_free)
