/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/map-job.h"

#include "procfun/base/intl.h"
#include "procfun/codecs/json.h"
#include "tools/report.h"
#include <glib/gstdio.h>
#include <string.h>

MapJob *
map_job_new (MapRun *run, MapRecord record, GVariant *args, GError *error)
{
  MapJob *self = g_new0 (MapJob, 1);

  self->run = run;
  self->record = record;
  self->args = args;
  self->error = error;
  self->began_at = g_get_real_time ();
  self->tries_left = run->options->retries;
  self->is_over = error != NULL;
  self->status = error != NULL ? STATUS_USAGE : STATUS_DONE;
  return self;
}

void
map_job_free (MapJob *self)
{
  map_record_clear (&self->record);
  g_clear_pointer (&self->args, g_variant_unref);
  g_clear_error (&self->error);
  g_clear_object (&self->call);
  wire_buffer_clear (&self->text);
  g_free (self);
}

static const char *
get_tag (MapJob *self)
{
  return self->run->options->has_tags ? self->record.text : NULL;
}

/* Results */

static void
print (MapJob *self)
{
  Buffer *to = map_output_get_buffer (self->run->output);

  buffer_append (to, self->text.data, self->text.length);
  self->text.length = 0;
  map_run_push (self->run);
}

static void
take_result (MapJob *self, GVariant *result)
{
  g_autoptr (GVariant) array
      = g_variant_ref_sink (g_variant_new_array (g_variant_get_type (result), &result, 1));
  const gsize before = self->text.length;

  map_output_begin (self->run->output, array);
  map_output_next (self->run->output, get_tag (self), &self->text, &self->error);
  self->n_results += self->text.length - before;
  if (self->is_streamed)
    print (self);
}

/* The call */

static void run_once (MapJob *self);

static void
end_call (MapJob *self)
{
  ProcfunFailure *failure = procfun_call_get_failure (self->call);

  self->host = procfun_call_get_host (self->call);
  if (self->error != NULL)
    {
      self->status
          = failure != NULL ? report_get_status (self->error, failure) : STATUS_FUNCTION_FAILED;
      self->signum = failure != NULL ? MAX (0, procfun_failure_get_signal (failure)) : 0;
    }
  g_clear_object (&self->call);
  if (self->error != NULL && self->tries_left > 0
      && !g_cancellable_is_cancelled (self->run->cancellable))
    {
      self->tries_left--;
      run_once (self);
      return;
    }
  self->duration = g_get_monotonic_time () - self->started;
  self->is_over = TRUE;
  self->on_over (self, self->user_data);
}

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MapJob *self = user_data;
  g_autoptr (GVariant) value = procfun_call_run_finish (self->call, result, &self->error);

  if (value != NULL)
    take_result (self, value);
  end_call (self);
}

static void
on_next (GObject *source, GAsyncResult *result, gpointer user_data)
{
  MapJob *self = user_data;
  g_autoptr (GVariant) item = procfun_call_next_finish (self->call, result, &self->error);

  if (item != NULL && !g_cancellable_is_cancelled (self->run->cancellable))
    take_result (self, item);
  if (item != NULL)
    procfun_call_next_async (self->call, self->run->cancellable, on_next, self);
  else
    end_call (self);
}

static void
run_once (MapJob *self)
{
  MapRun *run = self->run;

  g_clear_error (&self->error);
  self->status = STATUS_DONE;
  self->signum = 0;
  self->text.length = 0;
  self->n_results = 0;
  self->call = procfun_call_new (run->function, self->args);
  procfun_call_set_executor (self->call, run->executor);
  if (run->options->timeout > 0)
    procfun_call_set_timeout (self->call, run->options->timeout);
  if (run->options->limits != NULL)
    procfun_call_set_limits (self->call, run->options->limits);
  if ((procfun_function_get_flags (run->function) & PROCFUN_FUNCTION_GENERATOR) != 0)
    procfun_call_next_async (self->call, run->cancellable, on_next, self);
  else
    procfun_call_run_async (self->call, run->cancellable, on_ended, self);
}

/* “add [1,2]” */
static void
describe (MapJob *self)
{
  const char *name = procfun_function_get_name (self->run->function);
  g_autoptr (GBytes) json = procfun_codec_encode (
      procfun_codec_get_json (), procfun_function_get_arguments_schema (self->run->function),
      self->args, &self->error);

  if (json == NULL)
    return;
  buffer_append (&self->text, name, strlen (name));
  buffer_append_byte (&self->text, ' ');
  buffer_append (&self->text, g_bytes_get_data (json, NULL), g_bytes_get_size (json));
  buffer_append_byte (&self->text, '\n');
}

void
map_job_start (MapJob *self, void (*on_over) (gpointer job, gpointer user_data), gpointer user_data)
{
  self->on_over = on_over;
  self->user_data = user_data;
  self->began_at = g_get_real_time ();
  self->started = g_get_monotonic_time ();
  run_once (self);
}

void
map_job_stream (MapJob *self)
{
  if (self->run->options->retries > 0 || self->run->options->results != NULL)
    return;
  self->is_streamed = TRUE;
  print (self);
}

/* Its end */

static void
note_in_log (MapJob *self)
{
  MapRun *run = self->run;
  const JobLogEntry entry = { .number = self->record.number,
                              .began_at = self->began_at,
                              .duration = self->duration,
                              .n_sent = self->record.size,
                              .n_received = self->n_results,
                              .host = self->host,
                              .exit_status = self->error != NULL ? (int)self->status : 0,
                              .signum = self->signum,
                              .name = procfun_function_get_name (run->function),
                              .text = self->record.text };
  g_autoptr (GError) error = NULL;

  if (run->log != NULL && !joblog_add (run->log, &entry, &error))
    map_run_break (run, "%s", error->message);
}

/* FOLDER/NUMBER/stdout has results, FOLDER/NUMBER/stderr why it failed. */
static void
keep_results (MapJob *self)
{
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, self->record.number);
  g_autofree char *folder = g_build_filename (self->run->options->results, number, NULL);
  g_autofree char *output = g_build_filename (folder, "stdout", NULL);
  g_autofree char *errors = g_build_filename (folder, "stderr", NULL);
  g_autofree char *message
      = self->error != NULL ? g_strconcat (self->error->message, "\n", NULL) : g_strdup ("");
  g_autoptr (GError) error = NULL;

  g_mkdir_with_parents (folder, 0777);
  if (!g_file_set_contents_full (output, self->text.data != NULL ? (char *)self->text.data : "",
                                 (gssize)self->text.length, G_FILE_SET_CONTENTS_NONE, 0666, &error)
      || !g_file_set_contents_full (errors, message, -1, G_FILE_SET_CONTENTS_NONE, 0666, &error))
    map_run_break (self->run, "%s", error->message);
}

void
map_job_end (MapJob *self)
{
  MapRun *run = self->run;

  if (run->options->is_dry && self->error == NULL)
    describe (self);
  if (!run->options->is_dry)
    note_in_log (self);
  if (run->options->results != NULL && !run->options->is_dry)
    keep_results (self);
  print (self);
  if (self->error != NULL)
    map_run_fail (run, &self->record, self->error, map_output_get_buffer (run->output));
  else
    map_run_note_done (run, &self->record);
}
