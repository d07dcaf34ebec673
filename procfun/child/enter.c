/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The three ways into a child. An executable with functions of its own serves them before its
 * main(): the last thing that its constructors do. procfun-worker serves those of a library that it
 * has loaded. A script or program serves what it registered at run time, when it says so. */

#include "procfun/base/intl.h"
#include "procfun/child/command-line.h"
#include "procfun/child/command.h"
#include "procfun/child/names.h"
#include "procfun/child/serve.h"
#include "procfun/child/setup.h"
#include "procfun/child/zygote.h"
#include "procfun/core/context.h"
#include "procfun/core/definition.h"
#include "procfun/core/registry.h"
#include "procfun/platform/module.h"
#include "procfun/procfun-error.h"
#include <dlfcn.h>
#include <string.h>

/* Runs before any constructor of the program, and closes all descriptors of the caller before the
 * program opens any of its own. A script runs this later, where only other traces of the caller can
 * be removed. */
static void procfun_first_of_all (void) __attribute__ ((constructor (101)));

static void
procfun_first_of_all (void)
{
  if (command_has_lost_descriptors ())
    setup_end_without_descriptors ();
  if (!command_is_child ())
    return;
  procfun_context_set_child ();
  setup_process (TRUE, command_is_zygote ());
}

/* The constructors that the linker placed behind this one, among them those of C++ objects in files
 * linked later: the function may need them. */
static void
run_rest (ProcfunConstructor const *rest, ProcfunConstructor const *end, int argc, char **argv,
          char **envp)
{
  for (ProcfunConstructor const *constructor = rest; end != NULL && constructor < end;
       constructor++)
    (*constructor) (argc, argv, envp);
}

static void serve (const Command *command, ServerOptions *options) G_GNUC_NORETURN;

static void
serve (const Command *command, ServerOptions *options)
{
  Server *server;

  if (!command->is_zygote)
    {
      options->name = command->name;
      options->hash = command->hash;
    }
  server = server_new (options);
  if (command->is_zygote)
    zygote_serve (server);
  server_start (server);
}

static void
serve_executable (void)
{
  g_autoptr (Command) command = command_new ();
  ServerOptions options = { NULL };

  if (command == NULL)
    setup_end ();
  options.arguments = command->rest[0];
  serve (command, &options);
}

void
procfun_definition_enter (ProcfunDefinition *self, ProcfunConstructor const *rest,
                          ProcfunConstructor const *end, int argc, char **argv, char **envp)
{
  static gboolean entered;

  if (entered || !module_is_executable (self))
    return;
  entered = TRUE;
  if (command_line_is_asked ())
    {
      command_line_begin ();
      run_rest (rest, end, argc, argv, envp);
      command_line_answer (NULL);
    }
  if (!procfun_is_child ())
    {
      procfun_definitions_report_duplicates ();
      return;
    }
  run_rest (rest, end, argc, argv, envp);
  serve_executable ();
}

/* RTLD_NOW, so that a library that needs symbols of its host program says so here, by name. */
static gboolean
load_library (const char *path)
{
  return dlopen (path, RTLD_NOW | RTLD_LOCAL) != NULL;
}

static int
answer_for_library (const char *argument)
{
  g_autofree char *path = NULL;

  if (argument == NULL)
    {
      g_printerr (_ ("procfun-worker needs the name of a library\n"));
      return 2;
    }
  path = g_canonicalize_filename (argument, NULL);
  command_line_begin ();
  if (load_library (path))
    command_line_answer (path);
  g_printerr ("procfun-worker: %s\n", dlerror ());
  return 2;
}

int
procfun_worker_run (int argc, char **argv)
{
  g_autoptr (Command) command = command_new ();
  ServerOptions options = { NULL };

  if (names_is_asked (argc, argv))
    names_serve ();
  if (command_line_is_asked ())
    return answer_for_library (argv[2]);
  if (!procfun_is_child () || command == NULL || command->rest[0] == NULL)
    {
      g_printerr (_ ("procfun-worker is started by programs that use procfun, and not by hand\n"));
      return 2;
    }
  options.path = command->rest[0];
  options.arguments = command->rest[1];
  if (!load_library (options.path))
    {
      if (command->is_zygote) /* a process of one call says why, by the name of the function */
        setup_end ();
      options.why = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                                 _ ("%s() cannot be called: %s"), command->name, dlerror ());
    }
  serve (command, &options);
}

/**
 * procfun_registry_serve:
 * @self: a #ProcfunRegistry
 *
 * Lets functions that were registered at run time be called in processes of their own: such a
 * process is the same program with the same command line, and when it comes here it runs the
 * function and ends. It can also become a host of a #ProcfunRemotePool here, which takes calls of
 * these functions from another machine. In a process that is neither this returns at once.
 *
 * Programs call this once, after they have registered their functions and before they do anything
 * that should not happen in each child. Functions that macros define need no such call.
 *
 * Since: 0.1
 */
void
procfun_registry_serve (ProcfunRegistry *self)
{
  g_autoptr (Command) command = NULL;
  ServerOptions options = { .registry = self };

  g_return_if_fail (PROCFUN_IS_REGISTRY (self));

  procfun_context_set_serves ();
  if (command_line_is_host_in_main ())
    command_line_be_host_in_main (self);
  if (procfun_is_child () || !command_is_child_in_main ())
    return;
  command = command_new ();
  procfun_context_set_child ();
  setup_process (FALSE, command->is_zygote);
  options.arguments = command->rest[0];
  serve (command, &options);
}
