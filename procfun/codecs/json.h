/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-codec.h"
#include "procfun/values/serialised.h"

G_BEGIN_DECLS

/* The codec named "json"; procfun_codec_get_json() documents its format. */

/* (transfer full) */
ProcfunCodec *wire_json_codec_new (void);

/* @value has the schema's type. */
GBytes *wire_json_write (ProcfunSchema *schema, GVariant *value, GError **error);

/* (transfer full): not floating, and trusted. */
GVariant *wire_json_read (ProcfunSchema *schema, const char *text, gsize length, GError **error);

/* The same between serialised forms: of a value in normal form, appended to @out; to one, which
 * takes the place of what is in @out. FALSE: what is in @out then is of no use. */
gboolean wire_json_write_serialised (ProcfunSchema *schema, const guint8 *data, gsize size,
                                     Buffer *out, GError **error);
gboolean wire_json_read_serialised (ProcfunSchema *schema, const char *text, gsize length,
                                    Buffer *out, GError **error);

/* Appends the next element of an array to @out. FALSE: nothing was appended. */
gboolean wire_json_write_next (SerialisedIter *array, Buffer *out, GError **error);

G_END_DECLS
