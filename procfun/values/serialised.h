/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/values/byte-buffer.h"
#include "procfun/values/schema.h"

G_BEGIN_DECLS

/* The serialised form of GVariant, read in place and written. The format is that of the GVariant
 * specification by Allison Karlitskaya; only its normal form is accepted. */

/* The children of an array, a tuple or a dictionary entry, one after the other. */
typedef struct
{
  const ProcfunSchema *schema;
  const guint8 *data;
  gsize size;
  gsize n_children;
  gsize index;    /* of the next child */
  gsize position; /* where the last child ended */
  gsize table;    /* where the framing offsets begin */
  gsize offset;   /* of the next framing offset */
  guint width;    /* of a framing offset: 0 if there are none */
} SerialisedIter;

/* FALSE if the container is not in normal form. */
gboolean wire_serialised_iter_init (SerialisedIter *self, const ProcfunSchema *schema,
                                    const guint8 *data, gsize size);

/* The next of n_children; FALSE if it is not in normal form. */
gboolean wire_serialised_iter_next (SerialisedIter *self, const guint8 **data, gsize *size);

/* After the last child: TRUE if the container has nothing else. */
gboolean wire_serialised_iter_end (const SerialisedIter *self);

/* The type and the value of a variant; FALSE if it has none. The type is not checked. */
gboolean wire_serialised_split_variant (const guint8 *data, gsize size, const char **type,
                                        gsize *type_length, gsize *value_size);

/* Bytes of each framing offset of a container with these contents. */
guint wire_serialised_offset_width (gsize contents, gsize n_offsets);

/* Appends the framing offsets of a container that began at @start. Those of a tuple stand in
 * reverse order. */
void wire_serialised_append_offsets (Buffer *out, gsize start, const gsize *offsets, gsize n,
                                     gboolean in_reverse);

/* TRUE if the bytes are the normal form of a value. Only then may GLib be told to trust them. A
 * schema of too many levels has none: GLib counts those of a value, and so calls an empty array of
 * such a type normal and all others not. */
gboolean wire_serialised_is_normal (const ProcfunSchema *schema, const guint8 *data, gsize size);

/* Schemas of the types inside variants. { 0 } is an empty one. */
typedef struct
{
  GHashTable *schemas; /* (nullable) (element-type GVariantType ProcfunSchema) */
  ProcfunSchema *last; /* (nullable) (owned) */
} SchemaCache;

/* (transfer full) (nullable): NULL if it is not a definite type. */
ProcfunSchema *wire_schema_cache_get (SchemaCache *self, const char *type, gsize length);
void wire_schema_cache_clear (SchemaCache *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SchemaCache, wire_schema_cache_clear)

G_END_DECLS
