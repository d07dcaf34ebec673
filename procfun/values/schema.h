/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-schema.h"

G_BEGIN_DECLS

/* The most levels a value can have, the innermost included: GVariant's own limit. */
#define PROCFUN_SCHEMA_MAX_DEPTH 128

/* The codecs read the fields; a finished schema is never written. */
struct _ProcfunSchema
{
  gatomicrefcount ref_count;
  guint8 kind;              /* ProcfunSchemaKind */
  char type_class;          /* GVariantClass: the first character of the type */
  guint8 alignment;         /* of the serialised form: 1, 2, 4 or 8 */
  gboolean all_normal;      /* every byte string of the right size is in normal form */
  gboolean has_variants;    /* values may be deeper than the type */
  guint16 depth;            /* levels of the type: 1 for a basic one */
  gsize fixed_size;         /* of the serialised form, 0 if it varies */
  const GVariantType *type; /* not always followed by a NUL: inside text */
  char *text; /* (nullable): a GRefString; NULL for the static schemas of basic types */

  guint n_children;
  guint n_offsets; /* of a tuple: members of varying size that are not the last */
  guint n_nicks;
  ProcfunSchema **children; /* (owned elements), the array is part of this allocation */
  char **names;             /* (nullable) (owned): of the children, or nicks */
  gint32 *values;           /* (nullable) (owned): of the nicks */
};

/* The schema of a basic type or `v`, by the one character of its type; (nullable) (transfer none),
 * but references may be taken and dropped as of any other. */
ProcfunSchema *procfun_schema_find_leaf (char type);

/* An array with elements of the schema @element, which is borrowed. */
ProcfunSchema *procfun_schema_new_array (ProcfunSchema *element);

/* A struct or the arguments of a function. The @n names are copied, the @n children borrowed. */
ProcfunSchema *procfun_schema_new_named (ProcfunSchemaKind kind, gsize n, const char *const *names,
                                         ProcfunSchema *const *children);

/* An enumeration: @n values and their nicks, copied. */
ProcfunSchema *procfun_schema_new_enum (gsize n, const gint32 *values, const char *const *nicks);

G_END_DECLS
