/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Apart from core/call.c: a static program needs json-glib only if it uses this. */

#include "procfun/procfun-call-json.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-json.h"

/**
 * procfun_call_new_json:
 * @function: what to call
 * @args: its arguments, as an array in their order or as an object by their names
 * @error: return location for a #GError
 *
 * Makes a call with arguments from JSON, which is not started.
 *
 * Returns: (transfer full): a new call, or %NULL with @error set to %PROCFUN_ERROR_DECODE, which
 *     names the place that is wrong
 *
 * Since: 0.1
 */
ProcfunCall *
procfun_call_new_json (ProcfunFunction *function, JsonNode *args, GError **error)
{
  g_autoptr (GVariant) variant = NULL;

  g_return_val_if_fail (PROCFUN_IS_FUNCTION (function), NULL);
  g_return_val_if_fail (args != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  variant = procfun_json_to_variant (procfun_function_get_arguments_schema (function), args, error);
  if (variant != NULL)
    return procfun_call_new (function, variant);
  g_prefix_error (error, _ ("%s() cannot be called with this: "),
                  procfun_function_get_name (function));
  return NULL;
}

/**
 * procfun_call_get_result_json:
 * @self: a #ProcfunCall that has succeeded
 * @error: return location for a #GError
 *
 * Gets the result of a call as JSON, as the command line prints it.
 *
 * Returns: (transfer full): the result, or %NULL with @error set to %PROCFUN_ERROR_INVALID when
 *     the call has not succeeded, or to %PROCFUN_ERROR_ENCODE when JSON has no place for the result
 *
 * Since: 0.1
 */
JsonNode *
procfun_call_get_result_json (ProcfunCall *self, GError **error)
{
  ProcfunFunction *function;

  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  function = procfun_call_get_function (self);
  if (procfun_call_get_result (self) != NULL)
    return procfun_json_from_variant (procfun_function_get_return_schema (function),
                                      procfun_call_get_result (self), error);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, _ ("this call of %s() has no result"),
               procfun_function_get_name (function));
  return NULL;
}
