/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-codec.h"

G_BEGIN_DECLS

/* The codec named "gvariant". */

/* (transfer full) */
ProcfunCodec *wire_variant_codec_new (void);

/* (transfer full): @value in normal form */
GVariant *wire_variant_normalise (ProcfunSchema *schema, GVariant *value);

GBytes *wire_variant_encode (ProcfunSchema *schema, GVariant *value, GError **error);
GVariant *wire_variant_decode (ProcfunSchema *schema, GBytes *data, GError **error);

G_END_DECLS
