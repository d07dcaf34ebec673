/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/map-options.h"

#include "procfun/base/intl.h"
#include "tools/commands.h"
#include "tools/values.h"
#include <string.h>

static MapOptions options;

/* As they were written */

static guint64 memory;
static gint64 cpu_time;
static char *limits_text;
static char *gap;
static gboolean is_csv;
static gboolean is_tsv;
static gboolean stops_on_error;
static gint retries;

static gboolean
on_time (const char *option, const char *value, gpointer data, GError **error)
{
  gint64 *time = strcmp (option, "--delay") == 0 ? &options.delay
                 : strcmp (option, "--cpu-time") == 0 || strcmp (option, "-c") == 0
                     ? &cpu_time
                     : &options.timeout;

  return value_read_time (option, value, time, error);
}

static gboolean
on_size (const char *option, const char *value, gpointer data, GError **error)
{
  return value_read_size (
      option, value, strcmp (option, "--memfree") == 0 ? &options.free_memory : &memory, error);
}

static gboolean
on_jobs (const char *option, const char *value, gpointer data, GError **error)
{
  return value_read_jobs ("--jobs", value, &options.n_workers, error);
}

static gboolean
on_halt (const char *option, const char *value, gpointer data, GError **error)
{
  return halt_read (&options.halt, value, error);
}

static const GOptionEntry entries[] = {
  { "arg-file", 'a', 0, G_OPTION_ARG_FILENAME, &options.file,
    N_ ("read lines from a file, and not from stdin"), N_ ("FILE") },
  { "raw-input", 'R', 0, G_OPTION_ARG_NONE, &options.format.is_raw,
    N_ ("a line is the argument itself, a string, and not JSON"), NULL },
  { "null", '0', 0, G_OPTION_ARG_NONE, &options.has_nuls,
    N_ ("NUL bytes end what is read, and with -r what is printed"), NULL },
  { "colsep", 0, 0, G_OPTION_ARG_STRING, &gap,
    N_ ("each field of a line is an argument; TEXT is between them"), N_ ("TEXT") },
  { "csv", 0, 0, G_OPTION_ARG_NONE, &is_csv, N_ ("lines are comma-separated values"), NULL },
  { "tsv", 0, 0, G_OPTION_ARG_NONE, &is_tsv, N_ ("lines are tab-separated values"), NULL },
  { "header", 0, 0, G_OPTION_ARG_NONE, &options.has_header, N_ ("the first line names the fields"),
    NULL },
  { "raw-output", 'r', 0, G_OPTION_ARG_NONE, &options.is_raw,
    N_ ("print strings as they are, and not as JSON"), NULL },
  { "tag", 0, 0, G_OPTION_ARG_NONE, &options.has_tags,
    N_ ("print each result after its line and a tab"), NULL },
  { "unordered", 0, 0, G_OPTION_ARG_NONE, &options.is_unordered, N_ ("print results as they come"),
    NULL },
  { "results", 0, 0, G_OPTION_ARG_FILENAME, &options.results,
    N_ ("write results and errors into files in this folder, too"), N_ ("FOLDER") },
  { "eta", 0, 0, G_OPTION_ARG_NONE, &options.has_eta,
    N_ ("show how long it will take, and in the end how long it took"), NULL },
  { "dry-run", 0, 0, G_OPTION_ARG_NONE, &options.is_dry,
    N_ ("print what would be called, and call nothing"), NULL },
  { "on", 0, 0, G_OPTION_ARG_STRING, &options.hosts,
    N_ ("run it on these machines, as “ssh:alpha*16,ssh:beta”"), N_ ("HOSTS") },
  { "jobs", 'j', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_jobs,
    N_ ("how many processes there may be: 4, or +1, -1 or 50%, counted from the CPUs"), N_ ("N") },
  { "timeout", 't', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_time,
    N_ ("end the function when it has run for so long for a line"), N_ ("TIME") },
  { "memory", 'm', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_size,
    N_ ("let the function use no more memory"), N_ ("SIZE") },
  { "cpu-time", 'c', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_time,
    N_ ("let the function use no more CPU time"), N_ ("TIME") },
  { "limits", 'l', 0, G_OPTION_ARG_STRING, &limits_text,
    N_ ("limits by name, as “memory=200M cpu=2s files=32”"), N_ ("LIMITS") },
  { "retries", 0, 0, G_OPTION_ARG_INT, &retries,
    N_ ("call an idempotent function so often again when it fails"), N_ ("N") },
  { "delay", 0, 0, G_OPTION_ARG_CALLBACK, (gpointer)on_time,
    N_ ("wait so long after the start of a call before the next starts"), N_ ("TIME") },
  { "memfree", 0, 0, G_OPTION_ARG_CALLBACK, (gpointer)on_size,
    N_ ("start no call while the machine has less memory available"), N_ ("SIZE") },
  { "halt", 0, 0, G_OPTION_ARG_CALLBACK, (gpointer)on_halt,
    N_ ("when to end before the input does, as “now,fail=1” or “soon,fail=3%”"), N_ ("WHEN") },
  { "stop-on-error", 's', 0, G_OPTION_ARG_NONE, &stops_on_error,
    N_ ("the same as --halt now,fail=1"), NULL },
  { "joblog", 0, 0, G_OPTION_ARG_FILENAME, &options.log,
    N_ ("write a line to this file for each call"), N_ ("FILE") },
  { "resume", 0, 0, G_OPTION_ARG_NONE, &options.resumes,
    N_ ("leave out lines that the log of --joblog has"), NULL },
  { "resume-failed", 0, 0, G_OPTION_ARG_NONE, &options.resumes_failed,
    N_ ("leave out lines that have succeeded by the log of --joblog"), NULL },
  { NULL }
};

static const char *
get_description (void)
{
  return _ (
      "Calls the function for each line of stdin, or for each ARGUMENT, in processes that are "
      "kept, and\n"
      "prints a line for each: its result as JSON, or !{\"error\": …} where there is none. A line "
      "is an\n"
      "array of the arguments, an object that names them, or the argument itself if there is one.\n"
      "A TIME is in seconds, or has one of the units us, ms, s and min; a SIZE is in bytes, or has "
      "K, M or G.\n\n"
      "Example:\n"
      "  ls *.jpg | procfun map -R ./photos thumbnail\n\n"
      "Exit status: 0 success, 1 lines have failed, 2 something is wrong with the command,\n"
      "128 and the number of the signal when one interrupted the tool.");
}

/* As in “make -j4”, which GLib does not read. */
static void
split_jobs (int argc, char **argv)
{
  for (int i = 1; i < argc && strcmp (argv[i], "--") != 0; i++)
    if (strncmp (argv[i], "-j", 2) == 0 && argv[i][2] != '\0' && argv[i][2] != '=')
      {
        g_autofree char *jobs = g_strconcat ("--jobs=", argv[i] + 2, NULL);

        argv[i] = (char *)g_intern_string (jobs); /* there as long as the process */
      }
}

static void
take_words (int *argc, char **argv)
{
  for (int i = 1; i < *argc; i++)
    if (strcmp (argv[i], ":::") == 0)
      {
        options.words = argv + i + 1;
        *argc = i;
      }
}

static gboolean
take_limits (GError **error)
{
  g_autoptr (ProcfunLimits) limits
      = procfun_limits_new_from_string (limits_text != NULL ? limits_text : "", error);
  g_autofree char *set = NULL;

  if (limits == NULL)
    return FALSE;
  if (memory > 0)
    procfun_limits_set_memory (limits, memory);
  if (cpu_time > 0)
    procfun_limits_set_cpu_time (limits, cpu_time);
  set = procfun_limits_to_string (limits);
  if (set[0] != '\0')
    options.limits = g_steal_pointer (&limits);
  return TRUE;
}

static gboolean
take_format (void)
{
  if ((gap != NULL) + is_csv + is_tsv > 1)
    return FALSE;
  options.format.is_quoted = is_csv;
  options.format.gap = is_csv ? "," : is_tsv ? "\t" : gap != NULL ? g_strcompress (gap) : NULL;
  return TRUE;
}

/* (nullable): nothing is wrong with them */
static const char *
find_fault (void)
{
  if (!take_format ())
    return _ ("--colsep, --csv and --tsv: only one of them can say how fields are separated");
  if (options.format.gap != NULL && options.format.gap[0] == '\0')
    return _ ("--colsep: there is nothing between two fields");
  if (options.has_header && options.format.gap == NULL)
    return _ ("--header: a line has no fields without --csv, --tsv or --colsep");
  if (options.has_nuls && is_csv)
    return _ ("--null: with --csv lines are ended by newlines");
  if (options.words != NULL && options.file != NULL)
    return _ ("--arg-file: the arguments are after “:::” already");
  if ((options.resumes || options.resumes_failed) && options.log == NULL)
    return _ ("--resume: the log of what was done is named by --joblog");
  if (options.hosts != NULL && options.n_workers > 0)
    return _ ("--jobs: hosts say themselves how many calls they run at once, as in ssh:alpha*16");
  if (retries < 0)
    return _ ("--retries: a number of times is not less than 0");
  return NULL;
}

const MapOptions *
map_options_read (int *argc, char ***argv)
{
  g_autoptr (GError) error = NULL;
  const char *fault;

  take_words (argc, *argv);
  split_jobs (*argc, *argv);
  if (!command_parse (argc, argv, entries, _ ("PROGRAM|LIBRARY.so FUNCTION [::: ARGUMENT…]"),
                      get_description (), 2, 2))
    return NULL;
  fault = find_fault ();
  if (fault != NULL)
    g_set_error_literal (&error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, fault);
  if (fault != NULL || !take_limits (&error))
    {
      command_fail (error, STATUS_USAGE);
      return NULL;
    }
  options.retries = (guint)retries;
  if (stops_on_error)
    options.halt = (Halt){ .counts = HALT_FAIL, .number = 1, .is_now = TRUE };
  return &options;
}
