/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/values/schema.h"
#include <gio/gio.h>

/* Elements that the function of a map is called for: tuples of arguments, each taken from here
 * once. */
typedef struct _MapInput MapInput;

/* Elements that follow one another. */
typedef struct
{
  guint64 first; /* the index of the first of them */
  gsize n;
  gsize stride;   /* the size of each in bytes, or 0 where that varies */
  GVariant *args; /* (nullable): an array of them */
} MapChunk;

void map_chunk_clear (MapChunk *self);
MapChunk map_chunk_steal (MapChunk *self);

/* The @n elements of @array from the one @from on; those of fixed size (@stride) are not copied. */
GVariant *map_slice (GVariant *array, gsize stride, gsize from, gsize n);

/* All but the first @n. */
MapChunk map_chunk_skip (const MapChunk *self, gsize n);

/* Leaves the first @n in @self, and returns the others. */
MapChunk map_chunk_split (MapChunk *self, gsize n);

/* The next element, floating or not; or NULL at the end, or for now, if *@later is set. */
typedef GVariant *(*MapInputFunc) (gboolean *later, gpointer user_data);

#define MAP_INPUT_UNKNOWN G_MAXUINT64

/* An array in normal form; borrowed. */
MapInput *map_input_new_array (GVariant *array);

/* @n_total: how many there are, or MAP_INPUT_UNKNOWN. */
MapInput *map_input_new (MapInputFunc next, gpointer user_data, GDestroyNotify destroy,
                         guint64 n_total);

/* Elements that are pushed into it, until it is closed. */
MapInput *map_input_new_open (void);
void map_input_free (MapInput *self);

/* Adds the elements of an array in normal form, of which only the last may be large; borrowed. Who
 * adds more than is taken should look at the number of those that nobody has taken. */
void map_input_push (MapInput *self, GVariant *array);
guint64 map_input_get_n_pushed (const MapInput *self);

/* Nothing more is pushed; the second one forgets what nobody has taken. */
void map_input_close (MapInput *self);
void map_input_cut (MapInput *self);

/* Number of elements; number of those that were not taken. MAP_INPUT_UNKNOWN: not known. */
guint64 map_input_get_total (const MapInput *self);
guint64 map_input_get_left (const MapInput *self);

/* Whether the element @index can still be taken, or may yet come. */
gboolean map_input_has (const MapInput *self, guint64 index);

/* Whether there is something that was given back. */
gboolean map_input_has_rest (const MapInput *self);

/* At most @n_max elements, and not many more than @max_bytes of them, but one at least. An empty
 * chunk at the end; FALSE with @error set where an element is not what @schema describes. */
gboolean map_input_take (MapInput *self, const ProcfunSchema *schema, gsize n_max, gsize max_bytes,
                         MapChunk *chunk, GError **error);

/* They are taken again before others. Takes what is in @chunk. */
void map_input_give_back (MapInput *self, MapChunk *chunk);

/* Whether there is nothing to be taken until somebody says that there is. */
gboolean map_input_is_waiting (const MapInput *self);
void map_input_wake (MapInput *self);

/* There is nothing more to be taken from the element @from on. */
void map_input_end (MapInput *self, guint64 from);
gboolean map_input_has_ended (MapInput *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MapChunk, map_chunk_clear)
