/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/maps.h"

#include "tests/map-functions.h"

#include <glib/gstdio.h>
#include <stdlib.h>

ProcfunMap *
maps_new (gpointer executor, const char *name, const char *array)
{
  ProcfunFunction *function
      = procfun_registry_lookup_by_name (procfun_registry_get_default (), name);
  ProcfunMap *map = procfun_map_new_on (executor, function);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) parsed
      = array != NULL ? g_variant_parse (NULL, array, NULL, NULL, &error) : NULL;

  g_assert_no_error (error);
  if (parsed != NULL)
    procfun_map_set_array (map, parsed);
  return map;
}

ProcfunMap *
maps_new_deaths (gpointer executor, const char *deaths, const char *path)
{
  ProcfunMap *map = procfun_map_new_on (executor, ten_times_function ());
  g_auto (GStrv) names = g_strsplit (deaths, ",", -1);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(iss)"));
  for (guint i = 0; names[i] != NULL; i++)
    g_variant_builder_add (&builder, "(iss)", i, deaths, path != NULL ? path : "");
  procfun_map_set_array (map, g_variant_builder_end (&builder));
  return map;
}

GVariant *
maps_make_pairs (gsize n)
{
  gint32 *pairs = g_new (gint32, 2 * n);

  for (gsize i = 0; i < n; i++)
    {
      pairs[2 * i] = (gint32)i;
      pairs[2 * i + 1] = 1;
    }
  return g_variant_new_from_data (G_VARIANT_TYPE ("a(ii)"), pairs, n * 2 * sizeof *pairs, TRUE,
                                  g_free, pairs);
}

void
maps_on_result (GObject *source, GAsyncResult *result, gpointer where)
{
  *(GAsyncResult **)where = g_object_ref (result);
}

static GMainContext *
push_context (void)
{
  GMainContext *context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  return context;
}

static void
wait_for_result (GMainContext *context, GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
}

GVariant *
maps_run (ProcfunMap *map, gconstpointer async_mode, GCancellable *cancellable, GError **error)
{
  g_autoptr (GMainContext) context = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  if (async_mode == NULL)
    return procfun_map_run (map, cancellable, error);
  context = push_context ();
  procfun_map_run_async (map, cancellable, maps_on_result, &result);
  wait_for_result (context, &result);
  return procfun_map_run_finish (map, result, error);
}

GVariant *
maps_next (ProcfunMap *map, gconstpointer async_mode, guint64 *index, GCancellable *cancellable,
           GError **error)
{
  g_autoptr (GMainContext) context = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  if (async_mode == NULL)
    return procfun_map_next (map, index, cancellable, error);
  context = push_context ();
  procfun_map_next_async (map, cancellable, maps_on_result, &result);
  wait_for_result (context, &result);
  return procfun_map_next_finish (map, result, index, error);
}

void
maps_assert_error (ProcfunMap *map, guint64 index, GQuark domain, gint code)
{
  g_autoptr (GError) error = procfun_map_get_error (map, index);

  g_assert_error (error, domain, code);
}

char *
maps_make_path (void)
{
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  int fd = g_file_open_tmp ("procfun-map-XXXXXX", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  return path;
}

guint *
maps_count_calls (const char *path, guint n)
{
  guint *calls = g_new0 (guint, n);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_no_errno (g_unlink (path));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      g_assert_cmpint (atoi (lines[i]), <, n);
      calls[atoi (lines[i])]++;
    }
  return calls;
}

void
maps_assert_called (const char *path, guint n, guint needless)
{
  g_autofree guint *calls = maps_count_calls (path, n);

  for (guint i = 0; i < n; i++)
    {
      g_assert_cmpuint (calls[i], <=, 1);
      g_assert_cmpuint (calls[i], >=, i == needless ? 0 : 1);
    }
}

void
maps_assert_called_once (const char *path, guint n)
{
  maps_assert_called (path, n, n);
}
