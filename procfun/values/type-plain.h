/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-type-info.h"

G_BEGIN_DECLS

/* Plain values are numbers, booleans, enumerations, and structs of these. GVariant gives them a
 * fixed size and layout, so they are converted field by field in place, and an array of them in one
 * piece of memory. Other values go through a tree of GVariants. */
typedef struct
{
  guint16 kind;
  guint16 size;   /* in the serialised form, in bytes */
  guint32 source; /* index of the value that has the field */
  guint32 from;   /* offset in that value, in bytes */
  guint32 to;     /* offset in the serialised form, in bytes */
} TypePlainField;

typedef struct
{
  gsize size; /* of the serialised form, in bytes */
  gsize n_fields;
  gsize type_length;
  TypePlainField fields[64];
  char type[196];
} TypePlain;

/* The layout of one value, or of a tuple of values. FALSE if the type is not plain, or has too many
 * fields. */
gboolean type_plain_init (TypePlain *self, const ProcfunMember *member);
gboolean type_plain_init_tuple (TypePlain *self, const ProcfunMember *members, gsize n_members);

/* (nullable) (transfer full): the same on the heap, to be freed by g_free() */
TypePlain *type_plain_new (const ProcfunMember *member);
TypePlain *type_plain_new_tuple (const ProcfunMember *members, gsize n_members);

/* One number, boolean or enumeration, of @size bytes in the serialised form. FALSE: it is out of
 * range. */
void type_plain_write (guint kind, gsize size, const guint8 *from, guint8 *to);
gboolean type_plain_read (guint kind, gsize size, const guint8 *from, guint8 *to);

/* Writes @self->size bytes to @data, which must be zero before. */
void type_plain_pack (const TypePlain *self, gconstpointer const *values, guint8 *data);

/* FALSE if a number is out of range; the values are then not to be used. */
gboolean type_plain_unpack (const TypePlain *self, const guint8 *data, gpointer const *values);

G_END_DECLS
