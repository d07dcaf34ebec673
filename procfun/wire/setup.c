/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/setup.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/procfun-error.h"

/* As Setup has them. */
#define SETUP_TYPE "(ssubtuma{st}ma{sv}mayss)"

GBytes *
setup_to_bytes (const Setup *self)
{
  GVariant *limits = self->limits != NULL ? limits_to_variant (self->limits) : NULL;
  g_autoptr (GVariant) variant = g_variant_ref_sink (
      g_variant_new ("(ssubtum@a{st}m@a{sv}m^ayss)", self->codec, self->identity, self->depth,
                     self->arguments_on_command_line, self->max_payload, self->arena_idle, limits,
                     self->context, self->folder, self->locale, self->name));

  return g_variant_get_data_as_bytes (variant);
}

gboolean
setup_from_bytes (Setup *self, GBytes *bytes, GVariant **holder, GError **error)
{
  g_autoptr (GVariant) variant
      = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (SETUP_TYPE), bytes, FALSE));
  g_autoptr (GVariant) limits = NULL;

  if (!g_variant_is_normal_form (variant))
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("the set-up of the process cannot be read"));
      return FALSE;
    }
  g_variant_get (variant, "(&s&subtum@a{st}m@a{sv}m^&ay&s&s)", &self->codec, &self->identity,
                 &self->depth, &self->arguments_on_command_line, &self->max_payload,
                 &self->arena_idle, &limits, &self->context, &self->folder, &self->locale,
                 &self->name);
  self->limits = limits != NULL ? limits_from_variant (limits) : NULL;
  *holder = g_steal_pointer (&variant);
  return TRUE;
}

void
setup_clear (Setup *self)
{
  g_clear_pointer (&self->limits, procfun_limits_free);
  g_clear_pointer (&self->context, g_variant_unref);
}
