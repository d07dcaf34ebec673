/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* procfun call: a function of a program or library, in a process that is the program's own. */

#include "tools/commands.h"

#include "procfun/base/intl.h"
#include "procfun/run/default-executor.h"
#include "procfun/values/schema.h"
#include "tools/on-hosts.h"
#include "tools/program.h"
#include "tools/report.h"
#include "tools/run.h"
#include "tools/values.h"
#include <signal.h>
#include <string.h>

/* Options: times in µs, sizes in bytes, 0: not given */

static gint64 timeout;
static gint64 deadline;
static gint64 cpu_time;
static guint64 memory;
static char *limits_text;
static char *sandbox_name;
static char **writable;
static char **readable;
static char *executor_name;
static char *hosts;
static char *codec_name;
static gboolean with_usage;
static gboolean with_trace;
static gboolean as_json;
static gboolean is_raw_input;
static gboolean is_raw_output;

static gboolean
on_time (const char *option, const char *value, gpointer data, GError **error)
{
  static const struct
  {
    const char *name;
    char letter;
    gint64 *time;
  } options[] = { { "--timeout", 't', &timeout },
                  { "--deadline", 'd', &deadline },
                  { "--cpu-time", 'c', &cpu_time } };
  gint64 *time = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (options); i++)
    if (strcmp (option, options[i].name) == 0 || option[1] == options[i].letter)
      time = options[i].time;

  return value_read_time (option, value, time, error);
}

static gboolean
on_memory (const char *option, const char *value, gpointer data, GError **error)
{
  return value_read_size (option, value, &memory, error);
}

static const GOptionEntry entries[]
    = { { "timeout", 't', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_time,
          N_ ("end the function when it has run for so long"), N_ ("TIME") },
        { "deadline", 'd', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_time,
          N_ ("end the call so long after its submission"), N_ ("TIME") },
        { "memory", 'm', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_memory,
          N_ ("let the function use no more memory"), N_ ("SIZE") },
        { "cpu-time", 'c', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_time,
          N_ ("let the function use no more CPU time"), N_ ("TIME") },
        { "limits", 'l', 0, G_OPTION_ARG_STRING, &limits_text,
          N_ ("limits by name, as “memory=200M cpu=2s files=32”"), N_ ("LIMITS") },
        { "sandbox", 0, 0, G_OPTION_ARG_STRING, &sandbox_name,
          N_ ("what the function can reach: no-new-privs, no-network, read-only or pure-compute"),
          N_ ("LEVEL") },
        { "writable", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &writable,
          N_ ("a folder that is not read-only"), N_ ("FOLDER") },
        { "readable", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &readable,
          N_ ("read nothing but this folder, where it is read-only"), N_ ("FOLDER") },
        { "executor", 'e', 0, G_OPTION_ARG_STRING, &executor_name,
          N_ ("where to run it: spawn, fork, pool, or inline for this process"), N_ ("NAME") },
        { "on", 0, 0, G_OPTION_ARG_STRING, &hosts,
          N_ ("run it on one of these machines, as “ssh:alpha*16,ssh:beta”"), N_ ("HOSTS") },
        { "codec", 0, 0, G_OPTION_ARG_STRING, &codec_name,
          N_ ("how values go to the process and back: json or gvariant"), N_ ("NAME") },
        { "raw-input", 'R', 0, G_OPTION_ARG_NONE, &is_raw_input,
          N_ ("the only argument is a string as it is, and not JSON"), NULL },
        { "raw-output", 'r', 0, G_OPTION_ARG_NONE, &is_raw_output,
          N_ ("print strings as they are, and not as JSON"), NULL },
        { "usage", 'u', 0, G_OPTION_ARG_NONE, &with_usage,
          N_ ("print on stderr what the call used"), NULL },
        { "trace", 'T', 0, G_OPTION_ARG_NONE, &with_trace,
          N_ ("print a failure in full, with its backtrace"), NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_ ("print a failure as JSON on stdout"),
          NULL },
        { NULL } };

static ProcfunLimits *
make_limits (GError **error)
{
  ProcfunLimits *limits
      = procfun_limits_new_from_string (limits_text != NULL ? limits_text : "", error);

  if (limits == NULL)
    return NULL;
  if (memory > 0)
    procfun_limits_set_memory (limits, memory);
  if (cpu_time > 0)
    procfun_limits_set_cpu_time (limits, cpu_time);
  return limits;
}

/* Failures */

static Status
report (const GError *error, ProcfunFailure *failure, Status status)
{
  return as_json ? report_to_programs (error, failure, status)
                 : report_to_people (error, failure, with_trace, status);
}

static Status
refuse (const GError *error)
{
  return report (error, NULL, STATUS_USAGE);
}

static Status
fail (GError **error, ProcfunFailure *failure, int signum)
{
  const char *name = procfun_failure_get_function_name (failure);

  if (signum == 0 || procfun_failure_get_cause (failure) != PROCFUN_CAUSE_CANCELLED)
    {
      Status status = report_get_status (*error, failure);

      report_explain (error, failure);
      return report (*error, failure, status);
    }
  g_clear_error (error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("%s() was ended: interrupted by %s"),
               name,
               signum == SIGINT    ? "SIGINT"
               : signum == SIGTERM ? "SIGTERM"
                                   : "SIGHUP");
  return report (*error, failure, (Status)(STATUS_SIGNAL + signum));
}

/* Calling */

static ProcfunExecutor *
make_executor_here (const Program *program, GError **error)
{
  g_autoptr (ProcfunExecutor) executor
      = procfun_executor_new_by_name (executor_name != NULL ? executor_name : "spawn", error);
  ProcfunCodec *codec = codec_name != NULL ? procfun_codec_lookup (codec_name) : NULL;

  if (executor == NULL)
    g_prefix_error_literal (error, "--executor: ");
  else if (codec_name != NULL && codec == NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("--codec: “%s”: the codecs are json and gvariant"), codec_name);
  else
    {
      on_hosts_set_program (executor, program);
      if (codec != NULL && PROCFUN_IS_PROCESS_EXECUTOR (executor))
        procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (executor), codec);
      return g_steal_pointer (&executor);
    }
  return NULL;
}

static ProcfunExecutor *
make_executor (const Program *program, GError **error)
{
  if (hosts != NULL && executor_name == NULL)
    return on_hosts_new (hosts, program, error);
  if (hosts != NULL)
    g_set_error_literal (
        error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
        _ ("--on: hosts have an executor of their own, and --executor names another "
           "one"));
  return hosts == NULL ? make_executor_here (program, error) : NULL;
}

/* FALSE: there is no such level, or none for the folders. */
static gboolean
set_sandbox (ProcfunCall *call, GError **error)
{
  g_autoptr (GEnumClass) levels = g_type_class_ref (PROCFUN_TYPE_SANDBOX);
  const GEnumValue *level
      = g_enum_get_value_by_nick (levels, sandbox_name != NULL ? sandbox_name : "none");
  g_autoptr (ProcfunSandboxRules) rules = procfun_sandbox_rules_new ();

  if (level == NULL)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                   _ ("--sandbox: “%s”: the levels are none, no-new-privs, no-network, read-only "
                      "and pure-compute"),
                   sandbox_name);
      return FALSE;
    }
  for (char **path = writable; path != NULL && *path != NULL; path++)
    procfun_sandbox_rules_add_writable (rules, *path);
  for (char **path = readable; path != NULL && *path != NULL; path++)
    procfun_sandbox_rules_add_readable (rules, *path);
  if (sandbox_name != NULL)
    procfun_call_set_sandbox (call, (ProcfunSandbox)level->value);
  if (writable != NULL || readable != NULL)
    procfun_call_set_sandbox_rules (call, rules);
  return TRUE;
}

static ProcfunCall *
make_call (ProcfunFunction *function, ProcfunExecutor *executor, const char *text, GError **error)
{
  g_autoptr (ProcfunLimits) limits = make_limits (error);
  g_autoptr (GVariant) args
      = limits != NULL ? program_read_arguments (function, text, is_raw_input, error) : NULL;
  g_autofree char *set = limits != NULL ? procfun_limits_to_string (limits) : NULL;
  g_autoptr (ProcfunCall) call = NULL;

  if (args == NULL)
    return NULL;
  call = procfun_call_new (function, args);
  procfun_call_set_executor (call, executor);
  if (timeout > 0)
    procfun_call_set_timeout (call, timeout);
  procfun_call_set_deadline (call, deadline);
  if (set[0] != '\0')
    procfun_call_set_limits (call, limits);
  return set_sandbox (call, error) ? g_steal_pointer (&call) : NULL;
}

typedef struct
{
  ProcfunSchema *schema;
  Status status;
} Printer;

static gboolean
print_value (GVariant *value, gpointer user_data)
{
  Printer *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) json = NULL;

  if (is_raw_output && g_variant_type_is_basic (self->schema->type)
      && strchr ("sog", self->schema->type_class) != NULL)
    {
      gsize size;
      const char *text = g_variant_get_string (value, &size);

      json = g_bytes_new (text, size);
    }
  else
    json = procfun_codec_encode (procfun_codec_get_json (), self->schema, value, &error);

  if (json == NULL)
    self->status = report (error, NULL, STATUS_FUNCTION_FAILED);
  else if (!command_print (g_bytes_get_data (json, NULL), g_bytes_get_size (json)))
    self->status = STATUS_USAGE;
  return self->status == STATUS_DONE;
}

static Status
run (ProcfunFunction *function, ProcfunExecutor *executor, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunCall) call = make_call (function, executor, text, &error);
  g_autoptr (GVariant) result = NULL;
  Printer printer = { procfun_function_get_return_schema (function), STATUS_DONE };
  int signum = 0;

  if (call == NULL)
    return refuse (error);
  result = run_call (call, print_value, &printer, &signum, &error);
  if (with_usage)
    report_usage (procfun_call_get_usage (call));
  if (printer.status != STATUS_DONE)
    return printer.status;
  if (result == NULL)
    return fail (&error, procfun_call_get_failure (call), signum);
  if ((procfun_function_get_flags (function) & PROCFUN_FUNCTION_GENERATOR) == 0)
    print_value (result, &printer);
  return printer.status;
}

/* In this process, which becomes the program. */
static Status
run_here (Program *program, ProcfunFunction *function, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (timeout > 0 || deadline > 0 || memory > 0 || cpu_time > 0 || limits_text != NULL
      || sandbox_name != NULL || writable != NULL || readable != NULL || codec_name != NULL
      || is_raw_input || is_raw_output || with_usage || with_trace || as_json)
    g_set_error_literal (&error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                         _ ("with --executor=inline there is no process that another option could "
                            "be for"));
  else
    program_become (program, function, text, &error);
  return refuse (error);
}

int
command_call (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = NULL;
  g_autoptr (ProcfunExecutor) executor = NULL;
  ProcfunFunction *function = NULL;

  if (!command_parse (
          &argc, &argv, entries, _ ("PROGRAM|LIBRARY.so FUNCTION [JSON|-]"),
          _ ("Calls the function, by name or hash, in a process of its own, and prints its result "
             "as JSON,\n"
             "or the items of a generator, a line each.\n"
             "JSON is an array of the arguments, an object that names them, or the argument itself "
             "if "
             "there is one;\n"
             "with - it is read from stdin.\n"
             "A TIME is in seconds, or has one of the units us, ms, s and min; a SIZE is in bytes, "
             "or has K, M or G.\n\n"
             "Exit status: 0 success, 1 the function failed with an error, 2 it was not called,\n"
             "3 it crashed or ended its process, 4 it went over a limit or its time,\n"
             "128 and the number of the signal when one interrupted the tool."),
          2, 3))
    return STATUS_USAGE;
  program = program_open (argv[1], &error);
  if (program != NULL)
    function = program_find (program, argv[2], &error);
  if (function != NULL)
    executor = make_executor (program, &error);
  if (executor == NULL)
    return (int)refuse (error);
  return (int)(PROCFUN_IS_INLINE (executor) ? run_here (program, function, argv[3])
                                            : run (function, executor, argv[3]));
}
