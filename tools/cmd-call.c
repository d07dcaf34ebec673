/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* procfun call: a function of a program or library, in a process that is the program's own. */

#include "tools/commands.h"

#include "procfun/child/command-line.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/intl.h"
#include "tools/program.h"
#include <fcntl.h>

static const GOptionEntry entries[] = { { NULL } };

/* The function's own error, unless it is one that the call can have. */
static Status
get_status (const GError *error)
{
  if (error->domain != PROCFUN_ERROR)
    return STATUS_FUNCTION_FAILED;
  switch ((ProcfunError)error->code)
    {
    case PROCFUN_ERROR_CRASHED:
    case PROCFUN_ERROR_EXITED:
    case PROCFUN_ERROR_KILLED:
      return STATUS_CRASHED;
    case PROCFUN_ERROR_TIMED_OUT:
    case PROCFUN_ERROR_MEMORY_LIMIT:
    case PROCFUN_ERROR_CPU_LIMIT:
    case PROCFUN_ERROR_LIMIT:
      return STATUS_LIMIT;
    case PROCFUN_ERROR_SPAWN:
    case PROCFUN_ERROR_NOT_FOUND:
    case PROCFUN_ERROR_MISMATCH:
    case PROCFUN_ERROR_INVALID:
    case PROCFUN_ERROR_NESTED:
      return STATUS_USAGE;
    default:
      return STATUS_FUNCTION_FAILED;
    }
}

/* Errors of the call name the function themselves. */
static int
fail (ProcfunFunction *function, GError *error)
{
  Status status = get_status (error);

  if (status == STATUS_FUNCTION_FAILED && error->domain != PROCFUN_ERROR)
    g_prefix_error (&error, _ ("%s() failed (%s, %d): "), procfun_function_get_name (function),
                    g_quark_to_string (error->domain), error->code);
  return command_fail (error, status);
}

static GVariant *
read_arguments (ProcfunFunction *function, const char *text, GError **error)
{
  g_autoptr (GBytes) json = command_line_read_json (text, error);
  g_autofree char *description = NULL;
  GVariant *args;

  if (json == NULL)
    return NULL;
  args = procfun_codec_decode (procfun_codec_get_json (),
                               procfun_function_get_arguments_schema (function), json, error);
  if (args != NULL)
    return args;
  description = program_describe_arguments (function);
  g_prefix_error (error, _ ("the arguments of %s (%s) cannot be read: "),
                  procfun_function_get_name (function), description);
  return NULL;
}

/* What the function itself prints goes to stderr, so that stdout has the result alone. */
static GVariant *
run (ProcfunFunction *function, GVariant *args, GError **error)
{
  g_autoptr (ProcfunExecutor) executor = procfun_spawner_new ();
  g_autoptr (ProcfunCall) call = procfun_call_new (function, args);
  auto_fd int kept = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  GVariant *result;

  procfun_call_set_executor (call, executor);
  dup2 (STDERR_FILENO, STDOUT_FILENO);
  result = procfun_call_run (call, NULL, error);
  dup2 (kept, STDOUT_FILENO);
  return result;
}

static int
call (ProcfunFunction *function, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) args = read_arguments (function, text, &error);
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GBytes) json = NULL;

  if (args == NULL)
    return command_fail (error, STATUS_USAGE);
  result = run (function, args, &error);
  if (result == NULL)
    return fail (function, error);
  json = procfun_codec_encode (procfun_codec_get_json (),
                               procfun_function_get_return_schema (function), result, &error);
  if (json == NULL)
    return command_fail (error, STATUS_FUNCTION_FAILED);
  return command_print (g_bytes_get_data (json, NULL), g_bytes_get_size (json)) ? STATUS_DONE
                                                                                : STATUS_USAGE;
}

int
command_call (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = NULL;
  ProcfunFunction *function = NULL;

  if (!command_parse (
          &argc, &argv, entries, _ ("PROGRAM|LIBRARY.so FUNCTION [JSON|-]"),
          _ ("Calls the function, by name or hash, in a process of its own, and prints its result "
             "as JSON.\n"
             "JSON is an array of the arguments, or an object that names them; with - it is read "
             "from stdin.\n\n"
             "Exit status: 0 success, 1 the function failed with an error, 2 it was not called,\n"
             "3 it crashed or ended its process, 4 it went over a limit or its time."),
          2, 3))
    return STATUS_USAGE;
  program = program_open (argv[1], &error);
  if (program != NULL)
    function = program_find (program, argv[2], &error);
  if (function == NULL)
    return command_fail (error, STATUS_USAGE);
  return call (function, argv[3]);
}
