/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/setup.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/procfun-error.h"

GBytes *
setup_to_bytes (const Setup *self)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) variant = NULL;

  g_variant_dict_insert (&dict, "codec", "s", self->codec);
  g_variant_dict_insert (&dict, "identity", "s", self->identity);
  g_variant_dict_insert (&dict, "depth", "u", self->depth);
  g_variant_dict_insert (&dict, "arguments-on-command-line", "b", self->arguments_on_command_line);
  g_variant_dict_insert (&dict, "max-payload", "t", self->max_payload);
  g_variant_dict_insert (&dict, "arena-idle", "u", self->arena_idle);
  if (self->limits != NULL)
    g_variant_dict_insert_value (&dict, "limits", limits_to_variant (self->limits));
  if (self->context != NULL)
    g_variant_dict_insert_value (&dict, "context", self->context);
  if (self->folder != NULL)
    g_variant_dict_insert (&dict, "folder", "^ay", self->folder);
  g_variant_dict_insert (&dict, "locale", "s", self->locale);
  g_variant_dict_insert (&dict, "name", "s", self->name);
  variant = g_variant_ref_sink (g_variant_dict_end (&dict));
  return g_variant_get_data_as_bytes (variant);
}

gboolean
setup_from_bytes (Setup *self, GBytes *bytes, GVariant **holder, GError **error)
{
  g_autoptr (GVariant) variant
      = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));
  g_autoptr (GVariant) limits = NULL;

  if (!g_variant_is_normal_form (variant)
      || !g_variant_lookup (variant, "codec", "&s", &self->codec)
      || !g_variant_lookup (variant, "identity", "&s", &self->identity)
      || !g_variant_lookup (variant, "depth", "u", &self->depth)
      || !g_variant_lookup (variant, "arguments-on-command-line", "b",
                            &self->arguments_on_command_line)
      || !g_variant_lookup (variant, "max-payload", "t", &self->max_payload)
      || !g_variant_lookup (variant, "arena-idle", "u", &self->arena_idle)
      || !g_variant_lookup (variant, "locale", "&s", &self->locale)
      || !g_variant_lookup (variant, "name", "&s", &self->name))
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("the set-up of the process cannot be read"));
      return FALSE;
    }
  g_variant_lookup (variant, "folder", "^&ay", &self->folder);
  limits = g_variant_lookup_value (variant, "limits", G_VARIANT_TYPE ("a{st}"));
  self->limits = limits != NULL ? limits_from_variant (limits) : NULL;
  self->context = g_variant_lookup_value (variant, "context", G_VARIANT_TYPE_VARDICT);
  *holder = g_steal_pointer (&variant);
  return TRUE;
}

void
setup_clear (Setup *self)
{
  g_clear_pointer (&self->limits, procfun_limits_free);
  g_clear_pointer (&self->context, g_variant_unref);
}
