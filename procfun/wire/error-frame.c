/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/error-frame.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/frame.h"
#include <string.h>

#define ERROR_TYPE G_VARIANT_TYPE ("(sis)")

/* In bytes: less than FRAME_ERROR_MAX together, with the usage before them. */
#define MESSAGE_MAX ((gsize)FRAME_ERROR_MAX - 8 * 1024)
#define DOMAIN_MAX ((gsize)1024)

GBytes *
error_to_bytes (const GError *error)
{
  g_autofree char *domain
      = frame_cut_text (error->domain != 0 ? g_quark_to_string (error->domain) : "", DOMAIN_MAX);
  g_autofree char *valid = g_utf8_make_valid (error->message, -1);
  g_autofree char *message = frame_cut_text (valid, MESSAGE_MAX);
  g_autoptr (GVariant) variant
      = g_variant_ref_sink (g_variant_new ("(sis)", domain, error->code, message));

  return g_variant_get_data_as_bytes (variant);
}

/* A quark is kept for ever, so a child may name only so many new domains, and only short ones. */
#define NEW_DOMAINS_MAX 256
#define NEW_DOMAIN_LENGTH_MAX 128

static gboolean
is_domain_name (const char *text)
{
  const gsize length = strnlen (text, NEW_DOMAIN_LENGTH_MAX + 1);

  return length <= NEW_DOMAIN_LENGTH_MAX
         && strspn (text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_") == length;
}

static GQuark
find_domain (const char *text)
{
  static gint n_new;
  GQuark known = g_quark_try_string (text);

  if (known != 0)
    return known;
  if (!is_domain_name (text) || g_atomic_int_get (&n_new) >= NEW_DOMAINS_MAX)
    return g_quark_from_static_string (ERROR_UNKNOWN_DOMAIN);
  g_atomic_int_inc (&n_new);
  return g_quark_from_string (text);
}

GError *
error_from_bytes (GBytes *bytes)
{
  g_autoptr (GVariant) variant
      = g_variant_ref_sink (g_variant_new_from_bytes (ERROR_TYPE, bytes, FALSE));
  const char *domain;
  const char *message;
  gint32 code;

  if (!g_variant_is_normal_form (variant))
    return g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                                _ ("the other side sent an error that cannot be read"));
  g_variant_get (variant, "(&si&s)", &domain, &code, &message);
  if (domain[0] == '\0')
    domain = "procfun-error-quark";
  (void)PROCFUN_ERROR; /* so that the domain is known with all that its errors carry */
  return g_error_new_literal (find_domain (domain), code, message);
}
