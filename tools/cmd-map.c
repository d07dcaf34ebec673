/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* procfun map: a function for each line of an input, in workers of the program's own. */

#include "tools/commands.h"

#include "procfun/base/intl.h"
#include "tools/map-run.h"
#include "tools/on-hosts.h"
#include "tools/program.h"
#include <string.h>

static gboolean
has_descriptors (ProcfunSchema *schema)
{
  const GVariantType *type = procfun_schema_get_variant_type (schema);

  return memchr (g_variant_type_peek_string (type), 'h', g_variant_type_get_string_length (type))
         != NULL;
}

static gboolean
check_function (ProcfunFunction *function, const MapOptions *options, GError **error)
{
  const char *name = procfun_function_get_name (function);

  if (has_descriptors (procfun_function_get_arguments_schema (function))
      || has_descriptors (procfun_function_get_return_schema (function)))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() passes descriptors, and cannot be called by a map"), name);
  else if (options->retries > 0
           && (procfun_function_get_flags (function) & PROCFUN_FUNCTION_IDEMPOTENT) == 0)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("--retries: %s() is not idempotent: a second call may do harm"), name);
  else
    return TRUE;
  return FALSE;
}

static ProcfunExecutor *
make_executor (const MapOptions *options, const Program *program, GError **error)
{
  if (options->hosts != NULL)
    return on_hosts_new (options->hosts, program, error);
  return PROCFUN_EXECUTOR (procfun_pool_new (options->n_workers));
}

int
command_map (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = NULL;
  g_autoptr (ProcfunExecutor) executor = NULL;
  const MapOptions *options = map_options_read (&argc, &argv);
  ProcfunFunction *function = NULL;
  Status status;

  if (options == NULL)
    return STATUS_USAGE;
  program = program_open (argv[1], &error);
  if (program != NULL)
    function = program_find (program, argv[2], &error);
  if (function != NULL && check_function (function, options, &error))
    executor = make_executor (options, program, &error);
  if (executor == NULL)
    return command_fail (error, STATUS_USAGE);
  status = map_run (options, function, executor);
  procfun_executor_close (executor, NULL, NULL);
  return (int)status;
}
