/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/json.h"

G_DECLARE_FINAL_TYPE (ProcfunJsonCodec, procfun_json_codec, PROCFUN, JSON_CODEC, GObject)

struct _ProcfunJsonCodec
{
  GObject parent_instance;
};

static void procfun_json_codec_iface_init (ProcfunCodecInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ProcfunJsonCodec, procfun_json_codec, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (PROCFUN_TYPE_CODEC,
                                                      procfun_json_codec_iface_init))

static const char *
procfun_json_codec_get_name (ProcfunCodec *codec)
{
  return "json";
}

static GBytes *
procfun_json_codec_encode (ProcfunCodec *codec, ProcfunSchema *schema, GVariant *value,
                           GError **error)
{
  return wire_json_write (schema, value, error);
}

static GVariant *
procfun_json_codec_decode (ProcfunCodec *codec, ProcfunSchema *schema, GBytes *data, GError **error)
{
  gsize length;
  const char *text = g_bytes_get_data (data, &length);

  return wire_json_read (schema, text != NULL ? text : "", length, error);
}

static void
procfun_json_codec_iface_init (ProcfunCodecInterface *iface)
{
  iface->get_name = procfun_json_codec_get_name;
  iface->encode = procfun_json_codec_encode;
  iface->decode = procfun_json_codec_decode;
}

static void
procfun_json_codec_class_init (ProcfunJsonCodecClass *klass)
{
}

static void
procfun_json_codec_init (ProcfunJsonCodec *self)
{
}

ProcfunCodec *
wire_json_codec_new (void)
{
  return g_object_new (procfun_json_codec_get_type (), NULL);
}
