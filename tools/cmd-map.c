/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* procfun map: a function for each line of stdin, in workers of the program's own. */

#include "tools/commands.h"

#include "procfun/base/intl.h"
#include "procfun/map/map.h"
#include "tools/line-reader.h"
#include "tools/map-progress.h"
#include "tools/program.h"
#include "tools/report.h"
#include "tools/run.h"
#include "tools/values.h"
#include <errno.h>
#include <glib-unix.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* So many lines may wait for a worker. */
#define MAX_WAITING 10000

/* Results are written at the latest after so many ms. */
#define FLUSH_MS 50

/* Options: times in µs, sizes in bytes, 0: not given */

static int n_workers;
static gint64 timeout;
static gint64 cpu_time;
static guint64 memory;
static char *limits_text;
static gboolean unordered;
static gboolean stop_on_error;

static gboolean
on_time (const char *option, const char *value, gpointer data, GError **error)
{
  return value_read_time (option, value, strcmp (option, "--cpu-time") == 0 ? &cpu_time : &timeout,
                          error);
}

static gboolean
on_memory (const char *option, const char *value, gpointer data, GError **error)
{
  return value_read_size (option, value, &memory, error);
}

static const GOptionEntry entries[]
    = { { "jobs", 'j', 0, G_OPTION_ARG_INT, &n_workers,
          N_ ("how many processes there may be; as many as CPUs by default"), N_ ("N") },
        { "timeout", 't', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_time,
          N_ ("end the function when it has run for so long for a line"), N_ ("TIME") },
        { "memory", 'm', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_memory,
          N_ ("let the function use no more memory"), N_ ("SIZE") },
        { "cpu-time", 'c', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_time,
          N_ ("let the function use no more CPU time"), N_ ("TIME") },
        { "limits", 'l', 0, G_OPTION_ARG_STRING, &limits_text,
          N_ ("limits by name, as “memory=200M cpu=2s files=32”"), N_ ("LIMITS") },
        { "unordered", 0, 0, G_OPTION_ARG_NONE, &unordered, N_ ("print results as they come"),
          NULL },
        { "stop-on-error", 's', 0, G_OPTION_ARG_NONE, &stop_on_error,
          N_ ("end with the first line that fails"), NULL },
        { NULL } };

/* So many results are printed before others of the main loop have their turn. */
#define RESULTS_A_TURN 1000

/* One run of it */

/* The line of an element. */
typedef struct
{
  guint64 number; /* 0: it has ended */
  gsize size;
} Line;

typedef struct
{
  ProcfunMap *map;
  ProcfunSchema *args;
  ProcfunSchema *result;
  GCancellable *cancellable;
  LineReader *lines;
  MapProgress *progress; /* (nullable) */
  FILE *output;

  GArray *lines_of; /* (element-type Line): of elements from @first on */
  guint64 first;
  guint n_front;      /* of these have ended */
  guint64 bytes_done; /* of lines */
  GQueue bad;         /* (element-type BadLine): that could not be read, and wait for their turn */
  guint64 n_pushed;
  guint64 n_ended; /* in order: elements whose results are printed */
  guint64 n_lines;
  guint64 n_failed;
  gboolean is_done;
  int signum; /* 0: nobody interrupted it */
  Status status;
} Run;

/* A line that could not be read, before the element with this index. */
typedef struct
{
  guint64 before;
  guint64 number;
  GError *error;
} BadLine;

static void
bad_line_free (gpointer data)
{
  BadLine *self = data;

  g_error_free (self->error);
  g_free (self);
}

/* Output */

/* Nothing is printed any more, and one message is enough. */
static void
fail_output (Run *self)
{
  if (self->status == STATUS_USAGE)
    return;
  map_progress_clear (self->progress);
  fprintf (stderr, _ ("procfun: stdout cannot be written: %s\n"), g_strerror (errno));
  self->status = STATUS_USAGE;
  g_cancellable_cancel (self->cancellable);
}

static void
print_line (Run *self, const char *text, gsize size)
{
  fwrite (text, 1, size, self->output);
  putc ('\n', self->output);
  if (ferror (self->output))
    fail_output (self);
}

static void
flush_output (Run *self)
{
  if (fflush (self->output) != 0)
    fail_output (self);
}

/* {"error": "…"} in the place of the result, and the same for people. */
static void
print_failure (Run *self, guint64 number, const GError *error)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();
  g_autofree char *text = NULL;

  json_object_set_string_member (object, "error", error->message);
  json_node_take_object (node, object);
  text = json_to_string (node, FALSE);
  print_line (self, text, strlen (text));
  map_progress_clear (self->progress);
  fprintf (stderr, _ ("procfun: line %" PRIu64 ": %s\n"), number, error->message);
  self->n_failed++;
  if (stop_on_error)
    g_cancellable_cancel (self->cancellable);
}

/* Those in front of the element with this index. */
static void
print_bad_lines (Run *self, guint64 index)
{
  BadLine *bad;

  while ((bad = g_queue_peek_head (&self->bad)) != NULL && (unordered || bad->before <= index)
         && (!stop_on_error || self->n_failed == 0))
    {
      print_failure (self, bad->number, bad->error);
      bad_line_free (g_queue_pop_head (&self->bad));
    }
}

/* Forgets the line of an element, and the memory of many that have ended at once. */
static guint64
take_number (Run *self, guint64 index)
{
  Line *line = &g_array_index (self->lines_of, Line, index - self->first);
  guint64 number = line->number;

  self->bytes_done += line->size;
  line->number = 0;
  while (self->n_front < self->lines_of->len
         && g_array_index (self->lines_of, Line, self->n_front).number == 0)
    self->n_front++;
  if (self->n_front < MAX_WAITING && self->n_front < self->lines_of->len)
    return number;
  g_array_remove_range (self->lines_of, 0, self->n_front);
  self->first += self->n_front;
  self->n_front = 0;
  return number;
}

static void
print_result (Run *self, GVariant *result, guint64 number)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) json
      = procfun_codec_encode (procfun_codec_get_json (), self->result, result, &error);

  if (json != NULL)
    print_line (self, g_bytes_get_data (json, NULL), g_bytes_get_size (json));
  else
    print_failure (self, number, error);
}

/* Input */

static void
on_line (const char *line, gsize size, guint64 number, gpointer user_data)
{
  Run *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) args = NULL;
  g_autoptr (GBytes) bytes = NULL;
  const Line kept = { number, size + 1 };

  self->n_lines = number;
  if (strspn (line, " \t\r") >= size)
    {
      self->bytes_done += size + 1;
      return;
    }
  bytes = g_bytes_new_static (line, size);
  args = program_decode_arguments (self->args, bytes, &error);
  if (args == NULL)
    {
      const BadLine bad = { self->n_pushed, number, g_steal_pointer (&error) };

      self->bytes_done += size + 1;
      g_queue_push_tail (&self->bad, g_memdup2 (&bad, sizeof bad));
      print_bad_lines (self, self->n_ended);
      return;
    }
  g_array_append_val (self->lines_of, kept);
  self->n_pushed++;
  procfun_map_push (self->map, args);
  if (procfun_map_get_n_pushed (self->map) >= MAX_WAITING)
    line_reader_pause (self->lines);
}

/* Lines that could be read are still called for. */
static void
on_end (int errnum, gpointer user_data)
{
  Run *self = user_data;

  if (errnum != 0 && self->status == STATUS_DONE)
    {
      map_progress_clear (self->progress);
      fprintf (stderr, _ ("procfun: stdin cannot be read: %s\n"), g_strerror (errnum));
      self->status = STATUS_USAGE;
    }
  procfun_map_end_input (self->map);
}

/* Results */

static void take_next (Run *self);

/* Of one element, or the end. */
static void
take_outcome (Run *self, GVariant *result, guint64 index, const GError *error)
{
  if (index == G_MAXUINT64) /* the end */
    {
      self->is_done = TRUE;
      if (error == NULL)
        print_bad_lines (self, G_MAXUINT64);
      else if (!g_cancellable_is_cancelled (self->cancellable))
        self->status = (Status)command_fail (error, STATUS_USAGE);
      return;
    }
  print_bad_lines (self, unordered ? G_MAXUINT64 : index);
  if (stop_on_error && self->n_failed > 0)
    ;
  else if (result != NULL)
    print_result (self, result, take_number (self, index));
  else
    print_failure (self, take_number (self, index), error);
  self->n_ended++;
  if (procfun_map_get_n_pushed (self->map) < MAX_WAITING / 2)
    line_reader_go_on (self->lines);
  if (self->n_ended == self->n_pushed)
    flush_output (self);
}

/* A task for each element would take longer than all else. */
static void
on_next (GObject *source, GAsyncResult *async_result, gpointer user_data)
{
  Run *self = user_data;
  g_autoptr (GError) error = NULL;
  guint64 index;
  g_autoptr (GVariant) result = procfun_map_next_finish (self->map, async_result, &index, &error);

  take_outcome (self, result, index, error);
  for (guint i = 0; i < RESULTS_A_TURN && !self->is_done && map_has_next (self->map); i++)
    {
      g_clear_pointer (&result, g_variant_unref);
      g_clear_error (&error);
      result = procfun_map_next (self->map, &index, self->cancellable, &error);
      take_outcome (self, result, index, error);
    }
  if (!self->is_done)
    take_next (self);
}

static void
take_next (Run *self)
{
  procfun_map_next_async (self->map, self->cancellable, on_next, self);
}

static void
show_progress (Run *self)
{
  guint64 size = line_reader_get_size (self->lines);

  map_progress_show (self->progress, self->n_ended, self->n_failed,
                     size > 0 ? MIN (1, (double)self->bytes_done / (double)size) : -1);
}

static gboolean
on_tick (gpointer user_data)
{
  Run *self = user_data;

  flush_output (self);
  show_progress (self);
  return G_SOURCE_CONTINUE;
}

typedef struct
{
  Run *run;
  int signum;
  guint source; /* 0: not watched */
} Watch;

static gboolean
on_signal (gpointer user_data)
{
  Watch *watch = user_data;

  watch->source = 0;
  watch->run->signum = watch->signum;
  g_cancellable_cancel (watch->run->cancellable);
  return G_SOURCE_REMOVE;
}

static void
wait_for_end (Run *self)
{
  Watch watches[] = { { self, SIGINT, 0 }, { self, SIGTERM, 0 }, { self, SIGHUP, 0 } };
  guint timer = g_timeout_add (FLUSH_MS, on_tick, self);

  for (gsize i = 0; i < G_N_ELEMENTS (watches); i++)
    watches[i].source = g_unix_signal_add (watches[i].signum, on_signal, &watches[i]);
  take_next (self);
  while (!self->is_done)
    g_main_context_iteration (NULL, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (watches); i++)
    if (watches[i].source != 0)
      g_source_remove (watches[i].source);
  g_source_remove (timer);
}

/* The command */

static ProcfunLimits *
make_limits (GError **error)
{
  ProcfunLimits *limits
      = procfun_limits_new_from_string (limits_text != NULL ? limits_text : "", error);

  if (limits != NULL && memory > 0)
    procfun_limits_set_memory (limits, memory);
  if (limits != NULL && cpu_time > 0)
    procfun_limits_set_cpu_time (limits, cpu_time);
  return limits;
}

static ProcfunMap *
make_map (ProcfunPool *pool, ProcfunFunction *function, GError **error)
{
  g_autoptr (ProcfunLimits) limits = make_limits (error);
  g_autofree char *set = limits != NULL ? procfun_limits_to_string (limits) : NULL;
  ProcfunMap *map;

  if (limits == NULL)
    return NULL;
  map = procfun_map_new (pool, function);
  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  procfun_map_set_ordered (map, !unordered);
  procfun_map_set_timeout (map, timeout);
  if (set[0] != '\0')
    procfun_map_set_limits (map, limits);
  return map;
}

static Status
finish (Run *self)
{
  show_progress (self);
  map_progress_clear (self->progress);
  flush_output (self);
  if (self->n_failed > 0)
    fprintf (stderr, _ ("procfun: %" PRIu64 " of %" PRIu64 " lines failed\n"), self->n_failed,
             self->n_lines);
  if (self->signum != 0)
    return (Status)(STATUS_SIGNAL + self->signum);
  return self->status == STATUS_DONE && self->n_failed > 0 ? STATUS_FUNCTION_FAILED : self->status;
}

static Status
run (ProcfunMap *map)
{
  ProcfunFunction *function = procfun_map_get_function (map);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GArray) lines_of = g_array_new (FALSE, FALSE, sizeof (Line));
  int kept = run_set_stdout_aside ();
  Run self = { .map = map,
               .args = procfun_function_get_arguments_schema (function),
               .result = procfun_function_get_return_schema (function),
               .cancellable = cancellable,
               .lines_of = lines_of,
               .output = fdopen (kept, "w"),
               .bad = G_QUEUE_INIT };
  Status status;

  if (self.output == NULL) /* it cannot be written */
    {
      fprintf (stderr, _ ("procfun: stdout cannot be written: %s\n"), g_strerror (EBADF));
      close (kept);
      return STATUS_USAGE;
    }
  self.progress = map_progress_new (kept);
  self.lines = line_reader_new (STDIN_FILENO, on_line, on_end, &self);
  wait_for_end (&self);
  status = finish (&self);
  line_reader_free (self.lines);
  map_progress_free (self.progress);
  g_queue_clear_full (&self.bad, bad_line_free);
  fclose (self.output);
  return status;
}

/* As in “make -j4”, which GLib does not read. */
static void
split_jobs (int argc, char **argv)
{
  for (int i = 1; i < argc && strcmp (argv[i], "--") != 0; i++)
    if (strncmp (argv[i], "-j", 2) == 0 && g_ascii_isdigit (argv[i][2]))
      {
        g_autofree char *jobs = g_strconcat ("--jobs=", argv[i] + 2, NULL);

        argv[i] = (char *)g_intern_string (jobs); /* there as long as the process */
      }
}

int
command_map (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = NULL;
  g_autoptr (ProcfunPool) pool = NULL;
  g_autoptr (ProcfunMap) map = NULL;
  ProcfunFunction *function = NULL;
  Status status;

  split_jobs (argc, argv);
  if (!command_parse (
          &argc, &argv, entries, _ ("PROGRAM|LIBRARY.so FUNCTION"),
          _ ("Calls the function for each line of stdin, in processes that are kept, and prints a "
             "line for each:\n"
             "its result as JSON, or {\"error\": …}. A line is an array of the arguments, an "
             "object that names\n"
             "them, or the argument itself if there is one.\n"
             "A TIME is in seconds, or has one of the units us, ms, s and min; a SIZE is in bytes, "
             "or has K, M or G.\n\n"
             "Exit status: 0 success, 1 lines have failed, 2 something is wrong with the command,\n"
             "128 and the number of the signal when one interrupted the tool."),
          2, 2))
    return STATUS_USAGE;
  if (n_workers < 0)
    g_set_error_literal (&error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                         _ ("--jobs: there must be one process at least"));
  else
    program = program_open (argv[1], &error);
  if (program != NULL)
    function = program_find (program, argv[2], &error);
  if (function != NULL)
    {
      pool = procfun_pool_new ((guint)n_workers);
      map = make_map (pool, function, &error);
    }
  if (map == NULL)
    return command_fail (error, STATUS_USAGE);
  status = run (map);
  g_clear_object (&map);
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
  return (int)status;
}
