/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/backend/launch.h"

#include "procfun/platform/environment.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/intl.h"
#include "procfun/platform/self.h"
#include "procfun/procfun-context-private.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-function-private.h"
#include "procfun/wire/setup.h"
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>

/* One string of a command line may have 32 pages: MAX_ARG_STRLEN in the kernel's linux/binfmts.h.
 */
#define ARGUMENT_MAX ((gsize)32 * 4096 - 1)

/* More descriptors than GLib opens for a call, among them /dev/null: where it finds none for
 * itself, it ends the program. */
#define SPARE_DESCRIPTORS 8

/* GLib's thread reaps within moments; more than this is no waiting, but somebody else took the
 * status. */
#define REAP_WAIT_MAX_US 500000
#define REAP_WAIT_STEP_US 200

void
launched_clear (Launched *self)
{
  g_clear_pointer (&self->process, process_free);
  fd_clear (&self->channel_fd);
  fd_clear (&self->lifeline_fd);
  fd_clear (&self->report_fd);
  fd_clear (&self->output_fds[0]);
  fd_clear (&self->output_fds[1]);
  g_clear_pointer (&self->cgroup, cgroup_free);
}

/* A process that was started for a call and does not know it, since its command line came through
 * and its descriptors did not. It must not start another one like it. */
static gboolean
is_astray (void)
{
  g_auto (GStrv) argv = self_read_command_line ();
  gsize n = g_strv_length (argv);

  if (procfun_is_child () || n < 2)
    return FALSE;
  if (g_str_has_prefix (argv[1], SETUP_ARGUMENT_PREFIX))
    return TRUE;
  for (gsize i = 1; i < n && procfun_context_serves (); i++)
    if (g_str_has_prefix (argv[i], SETUP_MAIN_ARGUMENT_PREFIX))
      return TRUE;
  return FALSE;
}

static gboolean
check_depth (ProcfunFunction *function, GError **error)
{
  const char *name = procfun_function_get_name (function);
  guint depth = procfun_context_get_depth ();

  if (procfun_is_child () && depth == 0)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
                 _ ("%s() cannot be called while a process for another call starts"), name);
  else if (is_astray ())
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
                 _ ("%s() cannot be called in a process that was started for another call, but "
                    "without its descriptors"),
                 name);
  else if (depth >= SETUP_MAX_DEPTH)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
                 _ ("%s() cannot be called: calls are nested %u deep"), name, depth);
  else
    return TRUE;
  return FALSE;
}

/* This program, and not a worker or another program. */
static gboolean
runs_in_own_program (ProcfunFunction *function)
{
  const Module *module = procfun_function_get_loaded_module (function);

  return module == NULL || module->path == NULL;
}

static gboolean
check_function (ProcfunFunction *function, const char *arguments, GError **error)
{
  const char *name = procfun_function_get_name (function);

  if (!procfun_function_check_loaded (function, error))
    return FALSE;
  if (procfun_function_is_ambiguous (function))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() cannot be called: %s is defined twice"), name,
                 procfun_function_get_signature (function));
  else if (procfun_function_get_loaded_module (function) == NULL && !procfun_context_serves ())
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() was registered at run time, but the program does not call "
                    "procfun_registry_serve()"),
                 name);
  else if (getauxval (AT_SECURE) != 0 && runs_in_own_program (function))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                 _ ("%s() cannot be called: a program with more rights than who runs it is not "
                    "started for calls"),
                 name);
  else if (arguments != NULL && strlen (arguments) > ARGUMENT_MAX)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                 _ ("the arguments of %s() take %zu bytes, too many for a command line: use the "
                    "channel"),
                 name, strlen (arguments));
  else
    return check_depth (function, error);
  return FALSE;
}

const char *
launch_get_worker_path (void)
{
  return environment_get_worker_path ();
}

/* A script is found by the command line that started it, which ends where that of a call began. */
static void
add_own_command_line (GStrvBuilder *builder)
{
  g_auto (GStrv) argv = self_read_command_line ();

  for (gsize i = 1; argv[0] != NULL && argv[i] != NULL; i++)
    if (!g_str_has_prefix (argv[i], SETUP_MAIN_ARGUMENT_PREFIX))
      g_strv_builder_add (builder, argv[i]);
    else
      break;
}

/* What is to be executed: the worker for a library, else another program or this one. (transfer
 * full) */
static char *
get_executable (const Module *module, gboolean directly)
{
  if (module == NULL || module->path == NULL)
    return self_get_executable (directly);
  return g_strdup (module->is_program ? module->path : launch_get_worker_path ());
}

static char **
make_argv (ProcfunFunction *function, const char *const *prefix, const char *arguments)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const Module *module = procfun_function_get_loaded_module (function);
  g_autofree char *executable = get_executable (module, prefix == NULL);
  g_autofree char *serve
      = g_strconcat (module != NULL ? SETUP_ARGUMENT_PREFIX : SETUP_MAIN_ARGUMENT_PREFIX,
                     procfun_function_get_hash (function), NULL);

  if (prefix != NULL)
    g_strv_builder_addv (builder, (const char **)prefix);
  g_strv_builder_add (builder, executable);
  if (module == NULL)
    add_own_command_line (builder);
  g_strv_builder_add (builder, serve);
  g_strv_builder_add (builder, procfun_function_get_name (function));
  if (module != NULL && module->path != NULL && !module->is_program)
    g_strv_builder_add (builder, module->path);
  if (arguments != NULL)
    g_strv_builder_add (builder, arguments);
  return g_strv_builder_end (builder);
}

/* GSubprocess knows the status if the kernel does not tell. But it takes a child that somebody else
 * reaped, or that nobody could because SIGCHLD is ignored, for one that succeeded: 0 means nothing.
 */
static gboolean
ask_subprocess (gpointer user_data, int *wait_status)
{
  GSubprocess *subprocess = user_data;
  gint64 end = g_get_monotonic_time () + REAP_WAIT_MAX_US;

  while (g_subprocess_get_identifier (subprocess) != NULL)
    {
      if (g_get_monotonic_time () > end)
        return FALSE;
      g_usleep (REAP_WAIT_STEP_US);
    }
  *wait_status = g_subprocess_get_status (subprocess);
  return *wait_status != 0;
}

/* The child's ends of what the caller keeps in a Launched. */
typedef struct
{
  int channel_fd;
  int lifeline_fd;
  int report_fd;
  int output_fds[2];
} ChildEnds;

static void
child_ends_clear (ChildEnds *self)
{
  fd_clear (&self->channel_fd);
  fd_clear (&self->lifeline_fd);
  fd_clear (&self->report_fd);
  fd_clear (&self->output_fds[0]);
  fd_clear (&self->output_fds[1]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ChildEnds, child_ends_clear)

static gboolean
open_pair (gboolean (*open) (int fds[2], GError **error), int *first, int *second, GError **error)
{
  int fds[2];

  if (!open (fds, error))
    return FALSE;
  *first = fds[0];
  *second = fds[1];
  return TRUE;
}

/* And room for those that GLib opens. */
static gboolean
open_ends (Launched *launched, ChildEnds *ends, GError **error)
{
  return open_pair (fds_open_socketpair, &launched->channel_fd, &ends->channel_fd, error)
         && open_pair (fds_open_pipe, &ends->lifeline_fd, &launched->lifeline_fd, error)
         && open_pair (fds_open_pipe, &launched->report_fd, &ends->report_fd, error)
         && open_pair (fds_open_pipe, &launched->output_fds[0], &ends->output_fds[0], error)
         && open_pair (fds_open_pipe, &launched->output_fds[1], &ends->output_fds[1], error)
         && fds_check_spare (SPARE_DESCRIPTORS, error);
}

/* INHERIT_FDS makes GLib use posix_spawn(), whose price does not grow with this program; what it
 * lets through, the child closes. A working directory or an environment of its own would lose that:
 * the child applies them. */
static Process *
spawn (const char *const *argv, ChildEnds *ends, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_INHERIT_FDS);
  g_autoptr (GSubprocess) subprocess = NULL;
  const char *identifier;

  g_subprocess_launcher_take_fd (launcher, g_steal_fd (&ends->channel_fd), SETUP_CHANNEL_FD);
  g_subprocess_launcher_take_fd (launcher, g_steal_fd (&ends->lifeline_fd), SETUP_LIFELINE_FD);
  g_subprocess_launcher_take_fd (launcher, g_steal_fd (&ends->report_fd), SETUP_REPORT_FD);
  g_subprocess_launcher_take_stdout_fd (launcher, g_steal_fd (&ends->output_fds[0]));
  g_subprocess_launcher_take_stderr_fd (launcher, g_steal_fd (&ends->output_fds[1]));
  subprocess = g_subprocess_launcher_spawnv (launcher, argv, error);
  g_subprocess_launcher_close (launcher);
  if (subprocess == NULL)
    return NULL;
  identifier = g_subprocess_get_identifier (subprocess);
  return process_new (identifier != NULL ? (pid_t)strtol (identifier, NULL, 10) : 0, ask_subprocess,
                      g_steal_pointer (&subprocess), g_object_unref);
}

/* It does nothing of its own before it is told to, and that is later. */
static gboolean
confine (Launched *launched, const ProcfunLimits *limits, GError **error)
{
  g_autoptr (GError) own_error = NULL;

  if (limits == NULL)
    return TRUE;
  launched->cgroup = cgroup_new_for_limits (limits, &own_error);
  if (own_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&own_error));
      return FALSE;
    }
  return launched->cgroup == NULL
         || cgroup_add (launched->cgroup, process_get_pid (launched->process), error);
}

gboolean
launch (Launched *launched, ProcfunFunction *function, const char *const *prefix,
        const char *arguments, const ProcfunLimits *limits, GError **error)
{
  g_auto (ChildEnds) ends = { -1, -1, -1, { -1, -1 } };
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) own_error = NULL;

  if (!check_function (function, arguments, error))
    return FALSE;
  argv = make_argv (function, prefix, arguments);
  if (!open_ends (launched, &ends, error))
    {
      g_prefix_error (error, _ ("%s() cannot be called: "), procfun_function_get_name (function));
      launched_clear (launched);
      return FALSE;
    }
  launched->process = spawn ((const char *const *)argv, &ends, &own_error);
  if (launched->process == NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                 _ ("%s() cannot be called: %s cannot be started: %s"),
                 procfun_function_get_name (function), argv[0], own_error->message);
  else if (confine (launched, limits, error))
    return TRUE;
  else
    process_kill_all (launched->process);
  launched_clear (launched);
  return FALSE;
}
