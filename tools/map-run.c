/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One run of procfun map: its input, its output, and its end. */

#include "tools/map-run.h"

#include "procfun/base/intl.h"
#include "procfun/base/readable.h"
#include "tools/run.h"
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Results are written at the latest after so many ms. */
#define FLUSH_MS 50

/* Ending */

static void
stop (MapRun *self)
{
  g_cancellable_cancel (self->cancellable);
  record_reader_pause (self->records);
}

void
map_run_break (MapRun *self, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  if (self->status == STATUS_USAGE)
    return;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  map_progress_clear (self->progress);
  fprintf (stderr, "procfun: %s\n", message);
  self->status = STATUS_USAGE;
  stop (self);
}

static void
note_errnum (MapRun *self, int errnum)
{
  if (errnum != 0)
    map_run_break (self, _ ("stdout cannot be written: %s"), g_strerror (errnum));
}

void
map_run_push (MapRun *self)
{
  note_errnum (self, map_output_push (self->output));
}

void
map_run_flush (MapRun *self)
{
  note_errnum (self, map_output_flush (self->output));
}

static void
check_halt (MapRun *self)
{
  if (self->is_cut || !halt_is_due (&self->options->halt, self->n_done, self->n_failed))
    return;
  self->is_cut = TRUE;
  if (self->options->halt.is_now)
    stop (self);
  else
    {
      self->funcs->cut (self);
      record_reader_stop (self->records);
    }
}

void
map_run_note_done (MapRun *self, const MapRecord *record)
{
  self->n_done++;
  self->bytes_done += record->size;
  check_halt (self);
}

void
map_run_fail (MapRun *self, const MapRecord *record, const GError *error, Buffer *to)
{
  g_autofree char *message = readable_text (error->message, -1);

  map_output_fail (self->output, record->number, self->options->has_tags ? record->text : NULL,
                   error->message, to);
  map_progress_clear (self->progress);
  fprintf (stderr, _ ("procfun: line %" PRIu64 ": %s\n"), record->number, message);
  self->n_failed++;
  map_run_note_done (self, record);
}

/* Input */

static gboolean
is_left_out (MapRun *self, const char *text, gsize size, guint64 number)
{
  gboolean is_empty = !self->options->format.is_raw && strspn (text, " \t\r") >= size;

  return is_empty || (self->log != NULL && joblog_has (self->log, number));
}

static gboolean
take_header (MapRun *self, const char *text, gsize size)
{
  g_autoptr (GError) error = NULL;

  if (!self->options->has_header || self->has_header)
    return FALSE;
  self->has_header = TRUE;
  if (!map_arguments_set_header (self->arguments, text, size, &error))
    map_run_break (self, "%s", error->message);
  return TRUE;
}

static void
on_record (const char *text, gsize size, guint64 number, gpointer user_data)
{
  MapRun *self = user_data;
  MapRecord record = { number, size + 1, NULL };
  GError *error = NULL;

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (take_header (self, text, size) || is_left_out (self, text, size, number))
    {
      self->bytes_done += size + 1;
      return;
    }
  if (self->options->has_tags || self->funcs == &map_calls_engine)
    record.text = g_strndup (text, size);
  map_arguments_add (self->arguments, text, size, &error);
  self->funcs->add (self, record, error);
}

static void
on_block (gpointer user_data)
{
  MapRun *self = user_data;

  self->funcs->end_block (self);
}

/* Records that could be read are still called for. */
static void
on_end (int errnum, gpointer user_data)
{
  MapRun *self = user_data;

  if (errnum != 0 && self->status == STATUS_DONE)
    {
      map_progress_clear (self->progress);
      fprintf (stderr, _ ("procfun: %s cannot be read: %s\n"),
               self->options->file != NULL ? self->options->file : "stdin", g_strerror (errnum));
      self->status = STATUS_USAGE;
    }
  self->input_ended = TRUE;
  self->funcs->end_input (self);
}

static void
open_input (MapRun *self, int fd)
{
  const RecordReaderFuncs funcs
      = { .on_record = on_record, .on_block = on_block, .on_end = on_end };
  const MapOptions *options = self->options;

  if (options->words != NULL)
    self->records = record_reader_new_for_words (options->words, &funcs, self);
  else
    self->records = record_reader_new (fd, options->has_nuls ? '\0' : '\n',
                                       options->format.is_quoted, &funcs, self);
}

/* The main loop */

static void
show_progress (MapRun *self)
{
  guint64 size = record_reader_get_size (self->records);

  map_progress_show (self->progress, self->n_done, self->n_failed,
                     size > 0 ? MIN (1, (double)self->bytes_done / (double)size) : -1);
}

static gboolean
on_tick (gpointer user_data)
{
  MapRun *self = user_data;

  map_run_flush (self);
  show_progress (self);
  return G_SOURCE_CONTINUE;
}

typedef struct
{
  MapRun *run;
  int signum;
  guint source; /* 0: not watched */
} Watch;

static gboolean
on_signal (gpointer user_data)
{
  Watch *watch = user_data;

  watch->source = 0;
  watch->run->signum = watch->signum;
  stop (watch->run);
  return G_SOURCE_REMOVE;
}

static void
wait_for_end (MapRun *self)
{
  Watch watches[] = { { self, SIGINT, 0 }, { self, SIGTERM, 0 }, { self, SIGHUP, 0 } };
  guint timer = g_timeout_add (FLUSH_MS, on_tick, self);

  for (gsize i = 0; i < G_N_ELEMENTS (watches); i++)
    watches[i].source = g_unix_signal_add (watches[i].signum, on_signal, &watches[i]);
  while (!self->is_done)
    g_main_context_iteration (NULL, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (watches); i++)
    if (watches[i].source != 0)
      g_source_remove (watches[i].source);
  g_source_remove (timer);
}

static Status
finish (MapRun *self)
{
  show_progress (self);
  map_progress_clear (self->progress);
  map_run_flush (self);
  if (!map_progress_end (self->progress, self->n_done, self->n_failed) && self->n_failed > 0)
    fprintf (stderr, _ ("procfun: %" PRIu64 " of %" PRIu64 " lines failed\n"), self->n_failed,
             self->n_done);
  if (self->signum != 0)
    return (Status)(STATUS_SIGNAL + self->signum);
  return self->status == STATUS_DONE && self->n_failed > 0 ? STATUS_FUNCTION_FAILED : self->status;
}

/* Opening and closing */

/* -1: it cannot be read, which is printed. */
static int
open_file (const MapOptions *options)
{
  int fd = options->file == NULL || strcmp (options->file, "-") == 0
               ? fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
               : open (options->file, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    fprintf (stderr, _ ("procfun: %s cannot be read: %s\n"),
             options->file != NULL ? options->file : "stdin", g_strerror (errno));
  return fd;
}

static gboolean
prepare (MapRun *self)
{
  const MapOptions *options = self->options;
  g_autoptr (GError) error = NULL;

  self->arguments = map_arguments_new (self->function, &options->format, &error);
  if (self->arguments != NULL && options->log != NULL)
    self->log = joblog_open (options->log, options->resumes || options->resumes_failed,
                             options->resumes_failed, &error);
  if (error == NULL)
    return TRUE;
  command_fail (error, STATUS_USAGE);
  return FALSE;
}

static Status
run_with (MapRun *self, int input, int output)
{
  const MapOptions *options = self->options;
  Status status;

  self->output
      = map_output_new (output, procfun_function_get_return_schema (self->function),
                        options->is_raw, options->is_raw && options->has_nuls ? '\0' : '\n');
  self->progress = map_progress_new (output, options->has_eta);
  open_input (self, input);
  self->engine = self->funcs->start (self);
  wait_for_end (self);
  status = finish (self);
  self->funcs->free (self->engine);
  record_reader_free (self->records);
  map_progress_free (self->progress);
  map_output_free (self->output);
  return status;
}

static gboolean
needs_calls (const MapOptions *options, ProcfunFunction *function)
{
  return (procfun_function_get_flags (function) & PROCFUN_FUNCTION_GENERATOR) != 0
         || options->retries > 0 || options->delay > 0 || options->free_memory > 0
         || options->log != NULL || options->results != NULL || options->is_dry;
}

Status
map_run (const MapOptions *options, ProcfunFunction *function, ProcfunExecutor *executor)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  MapRun self
      = { .options = options,
          .function = function,
          .executor = executor,
          .funcs = needs_calls (options, function) ? &map_calls_engine : &map_batches_engine,
          .cancellable = cancellable };
  int input = -1;
  Status status = STATUS_USAGE;

  if (prepare (&self) && (options->words != NULL || (input = open_file (options)) >= 0))
    status = run_with (&self, input, run_set_stdout_aside ());
  g_clear_pointer (&self.arguments, map_arguments_free);
  g_clear_pointer (&self.log, joblog_free);
  if (input >= 0)
    close (input);
  return status;
}
