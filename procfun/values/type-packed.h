/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-type-info.h"
#include "procfun/values/byte-buffer.h"
#include "procfun/values/schema.h"

G_BEGIN_DECLS

/* C values straight to the serialised form of GVariant and back: the bytes and the values that
 * type.h gets by way of GVariants. Variants and descriptors have no such way.
 *
 * Packing and unpacking fail, without a reason, for every value that the functions of type.h might
 * refuse; these then say why. */

gboolean type_is_packable (const ProcfunMember *member);
gboolean type_are_packable (const ProcfunMember *members, gsize n_members);

/* Appends a value to @out, whose length is a multiple of 8. @schema is that of type_schema(), or of
 * type_schema_arguments(). On failure @out has a part of it. */
gboolean type_pack (const ProcfunMember *member, const ProcfunSchema *schema, gconstpointer value,
                    Buffer *out);
gboolean type_pack_arguments (const ProcfunMember *args, const ProcfunSchema *schema,
                              gconstpointer const *values, Buffer *out);

/* Writes values that own all their contents. On failure they are empty. @owner: (nullable): has
 * @data; large contents refer to it instead of a copy. */
gboolean type_unpack (const ProcfunMember *member, const ProcfunSchema *schema, const guint8 *data,
                      gsize size, GBytes *owner, gpointer value);
gboolean type_unpack_arguments (const ProcfunMember *args, const ProcfunSchema *schema,
                                const guint8 *data, gsize size, GBytes *owner,
                                gpointer const *values);

G_END_DECLS
