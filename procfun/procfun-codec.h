/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>
#include <procfun/procfun-schema.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_CODEC (procfun_codec_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_INTERFACE (ProcfunCodec, procfun_codec, PROCFUN, CODEC, GObject)

/**
 * ProcfunCodecInterface:
 * @g_iface: the parent
 * @get_name: the name under which both sides know the codec, which the codec owns
 * @encode: value, which has the schema's type, to new bytes; or %NULL with %PROCFUN_ERROR_ENCODE
 * @decode: bytes, which need not be trusted, to a new value, which has the schema's type, is in
 *   normal form and not floating; or %NULL with %PROCFUN_ERROR_DECODE
 *
 * The functions of a codec. All three are required, and are called from any thread, several at
 * once.
 *
 * Since: 0.1
 */
struct _ProcfunCodecInterface
{
  GTypeInterface g_iface;

  const char *(*get_name) (ProcfunCodec *self);
  GBytes *(*encode) (ProcfunCodec *self, ProcfunSchema *schema, GVariant *value, GError **error);
  GVariant *(*decode) (ProcfunCodec *self, ProcfunSchema *schema, GBytes *data, GError **error);
};

PROCFUN_AVAILABLE_IN_0_1
const char *procfun_codec_get_name (ProcfunCodec *self);
PROCFUN_AVAILABLE_IN_0_1
GBytes *procfun_codec_encode (ProcfunCodec *self, ProcfunSchema *schema, GVariant *value,
                              GError **error);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_codec_decode (ProcfunCodec *self, ProcfunSchema *schema, GBytes *data,
                                GError **error);

PROCFUN_AVAILABLE_IN_0_1
ProcfunCodec *procfun_codec_get_json (void);
PROCFUN_AVAILABLE_IN_0_1
ProcfunCodec *procfun_codec_get_gvariant (void);
PROCFUN_AVAILABLE_IN_0_1
ProcfunCodec *procfun_codec_lookup (const char *name);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_codec_register (ProcfunCodec *codec);

G_END_DECLS
