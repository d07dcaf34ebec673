/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/contract.h"

#include "procfun/codecs/schema-json.h"
#include "procfun/core/function.h"
#include <string.h>

/* Flags that say how a function is called. */
#define CONTRACT_FLAGS (PROCFUN_FUNCTION_WITH_ERROR | PROCFUN_FUNCTION_GENERATOR)

static guint64
compute (ProcfunFunction *function)
{
  g_autoptr (GString) text = g_string_new (procfun_function_get_name (function));
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize size = sizeof digest;
  guint64 contract;

  g_string_append_c (text, '\n');
  schema_members_to_json (procfun_function_get_arguments_schema (function), text);
  g_string_append_c (text, '\n');
  schema_to_json (procfun_function_get_return_schema (function), text);
  g_string_append_printf (text, "\n%u",
                          (guint)(procfun_function_get_flags (function) & CONTRACT_FLAGS));
  if (function->module == NULL)
    g_string_append (text, "\nregistered"); /* not the one of a macro with that name */
  g_checksum_update (checksum, (const guchar *)text->str, (gssize)text->len);
  g_checksum_get_digest (checksum, digest, &size);
  memcpy (&contract, digest, sizeof contract);
  return GUINT64_FROM_BE (contract);
}

guint64
contract_get (ProcfunFunction *function)
{
  static GMutex lock;
  GQuark quark = g_quark_from_static_string ("procfun-contract");
  guint64 *contract;

  g_mutex_lock (&lock);
  contract = g_object_get_qdata (G_OBJECT (function), quark);
  if (contract == NULL)
    {
      contract = g_new (guint64, 1);
      *contract = compute (function);
      g_object_set_qdata_full (G_OBJECT (function), quark, contract, g_free);
    }
  g_mutex_unlock (&lock);
  return *contract;
}
