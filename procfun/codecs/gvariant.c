/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/gvariant.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/values/serialised.h"

G_DECLARE_FINAL_TYPE (ProcfunVariantCodec, procfun_variant_codec, PROCFUN, VARIANT_CODEC, GObject)

struct _ProcfunVariantCodec
{
  GObject parent_instance;
};

static void procfun_variant_codec_iface_init (ProcfunCodecInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ProcfunVariantCodec, procfun_variant_codec, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (PROCFUN_TYPE_CODEC,
                                                      procfun_variant_codec_iface_init))

GVariant *
wire_variant_normalise (ProcfunSchema *schema, GVariant *value)
{
  const ProcfunSchema *type = schema;

  /* GLib checks each byte of an array that is not marked as trusted. */
  if (type->all_normal && type->fixed_size == 0
      && g_variant_get_size (value) % type->children[0]->fixed_size == 0)
    return g_variant_ref (value);
  return g_variant_get_normal_form (value);
}

GBytes *
wire_variant_encode (ProcfunSchema *schema, GVariant *value, GError **error)
{
  g_autoptr (GVariant) normal = wire_variant_normalise (schema, value);
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (normal);

  /* GLib builds values that have more levels than it reads, in two ways. */
  if (schema->depth > PROCFUN_SCHEMA_MAX_DEPTH
      || (schema->has_variants
          && !wire_serialised_is_normal (schema, g_bytes_get_data (bytes, NULL),
                                         g_bytes_get_size (bytes))))
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE,
                   _ ("The value has more than %d levels"), PROCFUN_SCHEMA_MAX_DEPTH);
      return NULL;
    }
  return g_steal_pointer (&bytes);
}

GVariant *
wire_variant_decode (ProcfunSchema *schema, GBytes *data, GError **error)
{
  gsize size;
  gconstpointer bytes = g_bytes_get_data (data, &size);

  if (schema->depth > PROCFUN_SCHEMA_MAX_DEPTH)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE,
                   _ ("The value has more than %d levels"), PROCFUN_SCHEMA_MAX_DEPTH);
      return NULL;
    }
  if (!wire_serialised_is_normal (schema, bytes, size))
    {
      g_autofree char *type = g_variant_type_dup_string (schema->type);

      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE,
                   _ ("The data is not a value of type “%s” in GVariant's normal form"), type);
      return NULL;
    }
  /* Trusted, so GLib does not check it again. GLib copies data that is not aligned. */
  return g_variant_ref_sink (g_variant_new_from_bytes (schema->type, data, TRUE));
}

static const char *
procfun_variant_codec_get_name (ProcfunCodec *codec)
{
  return "gvariant";
}

static GBytes *
procfun_variant_codec_encode (ProcfunCodec *codec, ProcfunSchema *schema, GVariant *value,
                              GError **error)
{
  return wire_variant_encode (schema, value, error);
}

static GVariant *
procfun_variant_codec_decode (ProcfunCodec *codec, ProcfunSchema *schema, GBytes *data,
                              GError **error)
{
  return wire_variant_decode (schema, data, error);
}

static void
procfun_variant_codec_iface_init (ProcfunCodecInterface *iface)
{
  iface->get_name = procfun_variant_codec_get_name;
  iface->encode = procfun_variant_codec_encode;
  iface->decode = procfun_variant_codec_decode;
}

static void
procfun_variant_codec_class_init (ProcfunVariantCodecClass *klass)
{
}

static void
procfun_variant_codec_init (ProcfunVariantCodec *self)
{
}

ProcfunCodec *
wire_variant_codec_new (void)
{
  return g_object_new (procfun_variant_codec_get_type (), NULL);
}
