/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-type-info.h"

G_BEGIN_DECLS

/* What the files of the conversion share. */

/* The nameless member that an element of an array is. */
static inline ProcfunMember
type_element (const ProcfunTypeInfo *array)
{
  return (ProcfunMember){ NULL, array->element, 0, array->element->kind };
}

/* What a NameArray is. */
typedef struct
{
  guint8 *data;
  gsize length;
} TypeArray;

/* The bytes of a number in ProcfunDoubles and its like. */
gsize type_number_size (guint32 kind);

/* Completes a message like "/points/3: is NULL". */
void type_place_error (const ProcfunMember *member, GError **error);

/* Plain values are numbers, booleans, enumerations, and structs of these. GVariant gives them a
 * fixed size and layout, so they are converted field by field in place, and an array of them in one
 * piece of memory. Anything else goes through a tree of GVariants. */
typedef struct
{
  guint32 kind;
  guint32 source; /* which of the values the field is in */
  guint32 from;   /* where in that value, in bytes */
  guint32 to;     /* where in the serialised form */
} TypePlainField;

typedef struct
{
  gsize size; /* of the serialised form, in bytes */
  gsize n_fields;
  gsize type_length;
  TypePlainField fields[64];
  char type[196];
} TypePlain;

/* How a value of this member, or how a tuple of values is laid out; FALSE where that is not plain,
 * or too large to be worth it. */
gboolean type_plain_init (TypePlain *self, const ProcfunMember *member);
gboolean type_plain_init_tuple (TypePlain *self, const ProcfunMember *members, gsize n_members);

/* Writes @self->size bytes to @data, which must be zero before. */
void type_plain_pack (const TypePlain *self, gconstpointer const *values, guint8 *data);

/* FALSE where a number is out of range, and the value is not to be used. */
gboolean type_plain_unpack (const TypePlain *self, const guint8 *data, gpointer value);

G_END_DECLS
