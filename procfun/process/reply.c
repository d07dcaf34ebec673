/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/reply.h"

#include "procfun/base/intl.h"
#include "procfun/base/usage.h"
#include "procfun/core/function.h"
#include "procfun/procfun-error.h"
#include <inttypes.h>

GBytes *
reply_split_usage (GBytes *payload, gconstpointer *usage)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (payload, &size);

  *usage = size >= sizeof (ProcfunUsage) ? data : NULL;
  if (*usage == NULL)
    return g_bytes_new (NULL, 0);
  return g_bytes_new_from_bytes (payload, sizeof (ProcfunUsage), size - sizeof (ProcfunUsage));
}

/* To translate takes as long as to read a small value. */
static const char *
name_value (ProcfunFunction *function)
{
  return procfun_function_is_generator (function) ? _ ("an item") : _ ("the result");
}

GVariant *
reply_read_value (const Worker *worker, ProcfunFunction *function, GBytes *payload, GError **error)
{
  const char *name = procfun_function_get_name (function);
  GVariant *value;

  if (g_bytes_get_size (payload) > worker->max_payload)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("%s of %s() takes %zu bytes, but %" PRIu64 " is the limit"),
                   name_value (function), name, g_bytes_get_size (payload), worker->max_payload);
      return NULL;
    }
  value = procfun_codec_decode (worker->codec, procfun_function_get_return_schema (function),
                                payload, error);
  if (value == NULL)
    g_prefix_error (error, _ ("%s of %s() cannot be read: "), name_value (function), name);
  return value;
}
