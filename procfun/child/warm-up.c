/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/warm-up.h"

#include "procfun/procfun-codec.h"
#include "procfun/wire/channel.h"

void
warm_up (void)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new ("(ii)", 1, 2));
  ProcfunCodec *codecs[] = { procfun_codec_get_json (), procfun_codec_get_gvariant () };
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("(ii)"));

  for (gsize i = 0; i < G_N_ELEMENTS (codecs); i++)
    {
      g_autoptr (GBytes) bytes = procfun_codec_encode (codecs[i], schema, value, NULL);
      g_autoptr (GVariant) back = procfun_codec_decode (codecs[i], schema, bytes, NULL);
    }
}
