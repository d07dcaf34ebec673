/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/message.h"

#include "procfun/base/intl.h"
#include "procfun/base/readable.h"
#include "procfun/core/failure.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/error-frame.h"
#include <string.h>

/* Hello */

GBytes *
remote_hello_make (const RemoteHello *self)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) variant = NULL;

  g_variant_dict_insert (&dict, "protocol", "u", REMOTE_PROTOCOL);
  g_variant_dict_insert (&dict, "byte-order", "s", G_BYTE_ORDER == G_BIG_ENDIAN ? "big" : "little");
  g_variant_dict_insert (&dict, "slots", "u", self->slots);
  g_variant_dict_insert (&dict, "heartbeat", "x", self->heartbeat);
  g_variant_dict_insert (&dict, "depth", "u", self->depth);
  g_variant_dict_insert (&dict, "max-payload", "t", self->max_payload);
  g_variant_dict_insert (&dict, "calls-in-flight", "u", self->calls_in_flight);
  if (self->name != NULL)
    g_variant_dict_insert (&dict, "name", "s", self->name);
  if (self->contracts != NULL)
    g_variant_dict_insert_value (&dict, "contracts", self->contracts);
  if (self->locale != NULL)
    g_variant_dict_insert (&dict, "locale", "s", self->locale);
  variant = g_variant_ref_sink (g_variant_dict_end (&dict));
  return g_variant_get_data_as_bytes (variant);
}

void
remote_hello_clear (RemoteHello *self)
{
  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->contracts, g_variant_unref);
  g_clear_pointer (&self->locale, g_free);
}

static gboolean
check_hello (GVariant *variant, GError **error)
{
  const char *order = NULL;
  guint protocol = 0;

  g_variant_lookup (variant, "protocol", "u", &protocol);
  g_variant_lookup (variant, "byte-order", "&s", &order);
  if (protocol != REMOTE_PROTOCOL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
                 _ ("the other side speaks version %u of the protocol, this one %u"), protocol,
                 REMOTE_PROTOCOL);
  else if (g_strcmp0 (order, G_BYTE_ORDER == G_BIG_ENDIAN ? "big" : "little") != 0)
    g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
                         _ ("the other side is a machine of another byte order"));
  else
    return TRUE;
  return FALSE;
}

static char *
get_text (GVariant *variant, const char *key)
{
  const char *text = NULL;

  g_variant_lookup (variant, key, "&s", &text);
  return text != NULL && strlen (text) <= 256 ? readable_line (text, -1) : NULL;
}

/* A GVariant of the other byte order is not in normal form, as a rule: what it says of its order is
 * read all the same. */
gboolean
remote_hello_read (RemoteHello *self, GBytes *bytes, GError **error)
{
  g_autoptr (GVariant) variant
      = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));

  *self = (RemoteHello){ 0 };
  if (!check_hello (variant, error))
    return FALSE;
  g_variant_lookup (variant, "slots", "u", &self->slots);
  g_variant_lookup (variant, "heartbeat", "x", &self->heartbeat);
  g_variant_lookup (variant, "depth", "u", &self->depth);
  g_variant_lookup (variant, "max-payload", "t", &self->max_payload);
  g_variant_lookup (variant, "calls-in-flight", "u", &self->calls_in_flight);
  self->name = get_text (variant, "name");
  self->locale = get_text (variant, "locale");
  self->contracts = g_variant_lookup_value (variant, "contracts", G_VARIANT_TYPE ("at"));
  return TRUE;
}

/* Ends */

#define END_TYPE G_VARIANT_TYPE ("(aym" FAILURE_WIRE_TYPE ")")

static GVariant *
make_bytes (GBytes *bytes)
{
  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

GBytes *
remote_end_pack (const GError *error, ProcfunFailure *failure)
{
  g_autoptr (GBytes) packed = error_to_bytes (error);
  GVariant *parts[2];
  g_autoptr (GVariant) variant = NULL;

  parts[0] = make_bytes (packed);
  parts[1] = g_variant_new_maybe (G_VARIANT_TYPE (FAILURE_WIRE_TYPE),
                                  failure != NULL ? failure_to_wire (failure) : NULL);
  variant = g_variant_ref_sink (g_variant_new_tuple (parts, 2));
  return g_variant_get_data_as_bytes (variant);
}

GError *
remote_end_unpack (GBytes *payload, const char *function_name, ProcfunFailure **failure)
{
  g_autoptr (GVariant) variant
      = g_variant_ref_sink (g_variant_new_from_bytes (END_TYPE, payload, FALSE));
  g_autoptr (GVariant) packed = NULL;
  g_autoptr (GVariant) maybe = NULL;
  g_autoptr (GVariant) inner = NULL;
  g_autoptr (GBytes) bytes = NULL;

  *failure = NULL;
  if (!g_variant_is_normal_form (variant))
    return g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                                _ ("the other side sent an error that cannot be read"));
  packed = g_variant_get_child_value (variant, 0);
  maybe = g_variant_get_child_value (variant, 1);
  inner = g_variant_get_maybe (maybe);
  if (inner != NULL)
    *failure = failure_from_wire (inner, function_name);
  bytes = g_variant_get_data_as_bytes (packed);
  return error_from_bytes (bytes);
}

gboolean
remote_head_read (GBytes *bytes, gpointer head, gsize size)
{
  if ((bytes != NULL ? g_bytes_get_size (bytes) : 0) != size)
    return FALSE;
  if (size > 0)
    memcpy (head, g_bytes_get_data (bytes, NULL), size);
  return TRUE;
}

GBytes *
remote_head_make (gconstpointer head, gsize size, GBytes *more)
{
  const gsize more_size = g_bytes_get_size (more);
  guint8 *both = g_malloc (size + more_size);

  memcpy (both, head, size);
  if (more_size > 0)
    memcpy (both + size, g_bytes_get_data (more, NULL), more_size);
  return g_bytes_new_take (both, size + more_size);
}
