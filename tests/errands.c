/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/errands.h"

#include "tests/calls.h"
#include "tests/remotes.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

#define STEP_US 1000

PROCFUN_DEFINE_FUNCTION (linger, gint, (const char *, begun), (const char *, end))
{
  FILE *file = fopen (begun, "a");

  fprintf (file, "%d\n", remotes_get_host_process ());
  fclose (file);
  while (!g_file_test (end, G_FILE_TEST_EXISTS))
    g_usleep (STEP_US);
  return 7;
}

/* Places */

void
place_open (Place *self, Broker *broker, const char *pool, const char *words)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("procfun-nats-XXXXXX", &error);
  g_assert_no_error (error);
  self->begun = g_build_filename (self->folder, "begun", NULL);
  self->end = g_build_filename (self->folder, "end", NULL);
  self->url = broker_make_pool (broker, pool, words);
  self->hosts = remotes_new (self->url);
  procfun_remote_pool_set_heartbeat (self->hosts, ERRANDS_HEARTBEAT);
}

void
place_close (Place *self)
{
  remotes_close (self->hosts);
  g_remove (self->begun);
  g_remove (self->end);
  g_rmdir (self->folder);
  g_free (self->folder);
  g_free (self->begun);
  g_free (self->end);
  g_free (self->url);
}

void
place_let_end (Place *self)
{
  g_assert_true (g_file_set_contents (self->end, "", 0, NULL));
}

guint
place_count_runs (Place *self)
{
  g_autofree char *text = NULL;
  guint n = 0;

  if (!g_file_get_contents (self->begun, &text, NULL, NULL))
    return 0;
  for (const char *at = text; *at != '\0'; at++)
    n += *at == '\n' ? 1 : 0;
  return n;
}

/* Errands */

static void
on_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ((Errand *)user_data)->result = g_object_ref (result);
}

void
errand_begin (Errand *self, Place *place, ProcfunCall *call)
{
  *self = (Errand){ .call = call, .cancellable = g_cancellable_new () };
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (place->hosts));
  procfun_call_run_async (call, self->cancellable, on_end, self);
}

gint
errand_end (Errand *self, GError **error)
{
  g_autoptr (GVariant) value = NULL;

  while (self->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  value = procfun_call_run_finish (self->call, self->result, error);
  g_object_unref (self->call);
  g_object_unref (self->cancellable);
  g_object_unref (self->result);
  return value != NULL ? g_variant_get_int32 (value) : 0;
}

void
errand_assert_result (Errand *self, gint expected)
{
  g_autoptr (GError) error = NULL;
  const gint result = errand_end (self, &error);

  g_assert_no_error (error);
  g_assert_cmpint (result, ==, expected);
}

void
errand_assert_lost (Errand *self)
{
  g_autoptr (GError) error = NULL;

  errand_end (self, &error);
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, "*() lost its host*: *");
  g_assert_cmpint (procfun_failure_get_cause (procfun_error_get_failure (error)), ==,
                   PROCFUN_CAUSE_WORKER_LOST);
}

gboolean
errand_is_lost (Errand *self, gint expected)
{
  g_autoptr (GError) error = NULL;
  const gint result = errand_end (self, &error);

  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST))
    return TRUE;
  g_assert_no_error (error);
  g_assert_cmpint (result, ==, expected);
  return FALSE;
}

void
errands_await (const char *path)
{
  struct stat st;

  while (stat (path, &st) != 0 || st.st_size == 0)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (STEP_US);
    }
}
