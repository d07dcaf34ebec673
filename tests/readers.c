/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/readers.h"

#include "tests/calls.h"

#include <stdio.h>
#include <string.h>

const ReaderMode reader_modes[] = { { "json/blocking", "json", FALSE },
                                    { "json/async", "json", TRUE },
                                    { "gvariant/blocking", "gvariant", FALSE },
                                    { "gvariant/async", "gvariant", TRUE } };

Reader
reader_new (ProcfunCall *call, const ReaderMode *mode)
{
  g_autoptr (ProcfunExecutor) spawner = calls_new_executor ();
  const Reader self = { call, mode->async ? g_main_context_new () : NULL };

  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (spawner),
                                      procfun_codec_lookup (mode->codec));
  procfun_call_set_executor (call, spawner);
  return self;
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

GAsyncResult *
reader_wait (Reader *self, GCancellable *cancellable)
{
  GAsyncResult *result = NULL;

  g_main_context_push_thread_default (self->context);
  procfun_call_next_async (self->call, cancellable, keep_result, &result);
  g_assert_null (result);
  while (result == NULL)
    g_main_context_iteration (self->context, TRUE);
  g_main_context_pop_thread_default (self->context);
  return result;
}

GVariant *
reader_next (Reader *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  GVariant *item;

  if (self->context == NULL)
    return procfun_call_next (self->call, cancellable, error);
  result = reader_wait (self, cancellable);
  item = procfun_call_next_finish (self->call, result, error);
  g_assert_true (item == NULL || !g_variant_is_floating (item));
  return item;
}

void
reader_skip (Reader *self, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) item = reader_next (self, NULL, &error);

      g_assert_no_error (error);
      g_assert_nonnull (item);
    }
}

char *
reader_print_rest (Reader *self, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GVariant *item;

  while ((item = reader_next (self, NULL, error)) != NULL)
    {
      g_autofree char *printed = g_variant_print (item, TRUE);

      g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", printed);
      g_variant_unref (item);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

void
reader_wait_until_it_sleeps (Reader *self)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", procfun_call_get_pid (self->call));
  char state = 'R';

  while (state != 'S')
    {
      g_autofree char *stat = NULL;

      g_assert_true (g_file_get_contents (path, &stat, NULL, NULL));
      g_assert_cmpint (sscanf (strrchr (stat, ')'), ") %c", &state), ==, 1);
      g_thread_yield ();
    }
}

static void
note (gpointer user_data, GObject *object)
{
  *(gboolean *)user_data = TRUE;
}

void
reader_clear (Reader *self)
{
  gboolean gone = FALSE;

  if (self->call == NULL)
    return;
  g_object_weak_ref (G_OBJECT (self->call), note, &gone);
  g_clear_object (&self->call);
  while (!gone && self->context != NULL)
    g_main_context_iteration (self->context, TRUE);
  g_assert_true (gone);
  g_clear_pointer (&self->context, g_main_context_unref);
}
