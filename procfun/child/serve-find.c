/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which function is meant. */

#include "procfun/child/serve-private.h"

#include "procfun/base/intl.h"
#include "procfun/core/definition.h"
#include "procfun/core/function.h"
#include "procfun/core/registry.h"
#include "procfun/procfun-error.h"
#include <inttypes.h>

/* (transfer none) (nullable) */
static ProcfunFunction *
find_function (Server *self, guint64 hash)
{
  ProcfunFunction *function
      = self->functions != NULL ? g_hash_table_lookup (self->functions, &hash) : NULL;
  g_autofree char *text = NULL;

  if (function != NULL || self->options.why != NULL)
    return function;
  text = g_strdup_printf ("%016" PRIx64, hash);
  if (self->options.registry != NULL)
    return procfun_registry_find_handler (self->options.registry, text);
  return procfun_definitions_find (self->options.path, NULL, text);
}

static void
set_not_found (Server *self, guint64 hash, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%016" PRIx64, hash);
  const char *where = _ ("the program");

  if (self->options.registry != NULL)
    where = _ ("the registry");
  else if (self->options.path != NULL)
    where = self->options.path;
  if (self->options.why != NULL)
    g_propagate_error (error, g_error_copy (self->options.why));
  else if (g_strcmp0 (self->options.hash, text) == 0)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                 _ ("there is no function %s() with the hash %s in %s"), self->options.name, text,
                 where);
  else
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                 _ ("there is no function with the hash %s in %s"), text, where);
}

gboolean
server_find_function (Server *self, const Frame *frame, GError **error)
{
  const FrameCall *head = g_bytes_get_data (frame->payload, NULL);

  if (self->codec == NULL || g_bytes_get_size (frame->payload) < sizeof *head)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("the caller sent a call that cannot be read"));
      return FALSE;
    }
  if (self->function == NULL || procfun_function_get_hash_number (self->function) != head->hash)
    self->function = find_function (self, head->hash);
  if (self->function == NULL)
    set_not_found (self, head->hash, error);
  else if (procfun_function_is_ambiguous (self->function))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, _ ("%s is defined twice"),
                 procfun_function_get_signature (self->function));
  else
    return TRUE;
  return FALSE;
}
