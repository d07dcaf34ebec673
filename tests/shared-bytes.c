/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/shared-bytes.h"

#include "tests/calls.h"

#include <string.h>

guint64
shared_bytes_sum (GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  guint64 sum = 0;

  for (gsize i = 0; i < size; i++)
    sum += data[i];
  return sum;
}

GBytes *
shared_bytes_new (gsize size, guint8 first)
{
  gpointer data;
  GBytes *bytes = procfun_bytes_new (size, &data);

  for (gsize i = 0; i < size; i++)
    ((guint8 *)data)[i] = (guint8)(i * 7 + first);
  return bytes;
}

gboolean
shared_bytes_has (gconstpointer data)
{
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL))
    return FALSE;
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *end;
      const guint64 first = g_ascii_strtoull (lines[i], &end, 16);
      const guint64 last = *end == '-' ? g_ascii_strtoull (end + 1, NULL, 16) : 0;

      if ((guintptr)data >= first && (guintptr)data < last)
        return strstr (lines[i], "/memfd:procfun-bytes") != NULL;
    }
  return FALSE;
}

gboolean
shared_bytes_is_mapped (GBytes *bytes)
{
  return shared_bytes_has (g_bytes_get_data (bytes, NULL));
}

GVariant *
shared_bytes_run_any (ProcfunExecutor *executor, ProcfunCall *call, gboolean async)
{
  g_autoptr (GError) error = NULL;
  GVariant *result;

  procfun_call_set_executor (call, executor);
  result = calls_run (call, async, NULL, &error);
  g_assert_no_error (error);
  return result;
}

guint64
shared_bytes_run_number (ProcfunExecutor *executor, ProcfunCall *call, gboolean async)
{
  g_autoptr (GVariant) result = shared_bytes_run_any (executor, call, async);

  return g_variant_get_uint64 (result);
}

GBytes *
shared_bytes_run (ProcfunExecutor *executor, ProcfunCall *call, gboolean async)
{
  g_autoptr (GVariant) result = shared_bytes_run_any (executor, call, async);

  return g_variant_get_data_as_bytes (result);
}

gboolean
shared_bytes_run_truth (ProcfunExecutor *executor, ProcfunCall *call, gboolean async)
{
  g_autoptr (GVariant) result = shared_bytes_run_any (executor, call, async);

  return g_variant_get_boolean (result);
}
