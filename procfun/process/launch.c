/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/process/launch.h"

#include "procfun/base/intl.h"
#include "procfun/core/function.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/reserve.h"
#include "procfun/platform/self.h"
#include "procfun/platform/worker-path.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/setup.h"
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* One string of a command line may have 32 pages: MAX_ARG_STRLEN in the kernel's linux/binfmts.h.
 */
#define ARGUMENT_MAX ((gsize)32 * 4096 - 1)

/* More descriptors than GLib opens for a call, among them /dev/null: where it finds none for
 * itself, it ends the program. */
#define SPARE_DESCRIPTORS 8

/* The process, and GLib's thread, without which it ends the program, too. */
#define SPARE_TASKS 2

/* GLib's thread reaps within moments; more than this is no waiting, but somebody else took the
 * status. */
#define REAP_WAIT_MAX_US 500000
#define REAP_WAIT_STEP_US 200

const char *
launch_get_start_folder (ProcfunFunction *function)
{
  return function->module == NULL ? self_get_start_folder () : NULL;
}

/* A script is found by the command line that started it, which ends where that of a call began. */
static void
add_own_command_line (GStrvBuilder *builder)
{
  g_auto (GStrv) argv = self_read_command_line ();

  for (gsize i = 1; argv[0] != NULL && argv[i] != NULL; i++)
    if (!g_str_has_prefix (argv[i], SETUP_MAIN_ARGUMENT_PREFIX)
        && strcmp (argv[i], SETUP_HOST_IN_MAIN) != 0)
      g_strv_builder_add (builder, argv[i]);
    else
      break;
}

/* Program to execute: the worker for a library, else another program or this one. (transfer full)
 */
static char *
get_executable (const Module *module, gboolean directly)
{
  if (module == NULL || module->path == NULL)
    return self_get_executable (directly);
  return g_strdup (module->is_program ? module->path : worker_path_get ());
}

static char **
make_argv (ProcfunFunction *function, const char *hash, const char *name, const char *const *prefix,
           const char *arguments)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const Module *module = function->module;
  g_autofree char *executable = get_executable (module, prefix == NULL);
  g_autofree char *serve = g_strconcat (
      module != NULL ? SETUP_ARGUMENT_PREFIX : SETUP_MAIN_ARGUMENT_PREFIX, hash, NULL);

  if (prefix != NULL)
    g_strv_builder_addv (builder, (const char **)prefix);
  g_strv_builder_add (builder, executable);
  if (module == NULL)
    add_own_command_line (builder);
  g_strv_builder_add (builder, serve);
  g_strv_builder_add (builder, name);
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

/* The child's ends of what the caller keeps in a Worker. */
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

/* GLib closes what becomes a standard stream last of all in the child, by its number here, also
 * where a descriptor of the child's has got that number meanwhile. Another thread need only close a
 * low one between two that are opened here. */
static gboolean
open_output (int *own, int *other, GError **error)
{
  return open_pair (fds_open_pipe, own, other, error)
         && fds_move_above (other, SETUP_REPORT_FD, error);
}

static gboolean
open_ends (Worker *worker, ChildEnds *ends, gboolean takes_output, GError **error)
{
  return open_pair (fds_open_socketpair, &worker->channel_fd, &ends->channel_fd, error)
         && open_pair (fds_open_pipe, &ends->lifeline_fd, &worker->lifeline_fd, error)
         && open_pair (fds_open_pipe, &worker->report_fd, &ends->report_fd, error)
         && (!takes_output
             || (open_output (&worker->output_fds[0], &ends->output_fds[0], error)
                 && open_output (&worker->output_fds[1], &ends->output_fds[1], error)));
}

/* INHERIT_FDS makes GLib use posix_spawn(), whose price does not grow with this program; the child
 * closes the descriptors that come along. A working directory or an environment of its own would
 * lose that: the child applies them, except for a script, which may be found from @folder
 * (nullable) alone. */
static Process *
spawn (const char *const *argv, const char *folder, ChildEnds *ends, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_INHERIT_FDS);
  g_autoptr (GSubprocess) subprocess = NULL;
  const char *identifier;

  g_subprocess_launcher_take_fd (launcher, g_steal_fd (&ends->channel_fd), SETUP_CHANNEL_FD);
  g_subprocess_launcher_take_fd (launcher, g_steal_fd (&ends->lifeline_fd), SETUP_LIFELINE_FD);
  g_subprocess_launcher_take_fd (launcher, g_steal_fd (&ends->report_fd), SETUP_REPORT_FD);
  if (ends->output_fds[0] >= 0)
    {
      g_subprocess_launcher_take_stdout_fd (launcher, g_steal_fd (&ends->output_fds[0]));
      g_subprocess_launcher_take_stderr_fd (launcher, g_steal_fd (&ends->output_fds[1]));
    }
  if (folder != NULL)
    g_subprocess_launcher_set_cwd (launcher, folder);
  subprocess = g_subprocess_launcher_spawnv (launcher, argv, error);
  g_subprocess_launcher_close (launcher);
  if (subprocess == NULL)
    return NULL;
  identifier = g_subprocess_get_identifier (subprocess);
  return process_new (identifier != NULL ? (pid_t)strtol (identifier, NULL, 10) : 0, ask_subprocess,
                      g_steal_pointer (&subprocess), g_object_unref);
}

gboolean
launch_confine (Worker *worker, const ProcfunLimits *limits, GError **error)
{
  g_autoptr (GError) own_error = NULL;
  g_autoptr (Cgroup) cgroup = NULL;

  if (limits == NULL)
    return TRUE;
  cgroup = cgroup_new_for_limits (limits, &own_error);
  if (cgroup != NULL && cgroup_add (cgroup, process_get_pid (worker->process), &own_error))
    {
      g_clear_pointer (&worker->cgroup, cgroup_free); /* which is empty now */
      worker->cgroup = g_steal_pointer (&cgroup);
    }
  if (own_error == NULL)
    return TRUE;
  process_kill_all (worker->process);
  g_propagate_error (error, g_steal_pointer (&own_error));
  return FALSE;
}

/* There is no room for another process now, and may be later. */
static gboolean
is_refusal (const GError *error)
{
  return g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_FORK)
         || g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOMEM)
         || g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_MFILE)
         || g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_NFILE);
}

static gboolean
start (Worker *worker, ProcfunFunction *function, const char *const *argv, gboolean takes_output,
       GError **error)
{
  const char *name = procfun_function_get_name (function);
  g_auto (ChildEnds) ends = { -1, -1, -1, { -1, -1 } };
  static gint has_thread; /* of GLib's, which it starts after the first process */
  g_auto (Reserve) reserve = { .n_fds = 0 };
  g_autoptr (GError) own_error = NULL;

  if (!reserve_hold (&reserve, SPARE_DESCRIPTORS, g_atomic_int_get (&has_thread) ? 0 : SPARE_TASKS,
                     error)
      || !open_ends (worker, &ends, takes_output, error))
    {
      g_prefix_error (error, _ ("%s() cannot be called: "), name);
      worker_clear (worker);
      worker->was_refused = TRUE;
      return FALSE;
    }
  reserve_let_go (&reserve);
  worker->process = spawn (argv, launch_get_start_folder (function), &ends, &own_error);
  if (worker->process != NULL)
    {
      g_atomic_int_set (&has_thread, TRUE);
      return TRUE;
    }
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
               _ ("%s() cannot be called: %s cannot be started: %s"), name, argv[0],
               own_error->message);
  worker_clear (worker);
  worker->was_refused = is_refusal (own_error);
  return FALSE;
}

gboolean
launch (Worker *worker, ProcfunFunction *function, const char *const *prefix, const char *arguments,
        GError **error)
{
  const char *name = procfun_function_get_name (function);
  g_auto (GStrv) argv
      = make_argv (function, procfun_function_get_hash (function), name, prefix, arguments);

  if (arguments != NULL && strlen (arguments) > ARGUMENT_MAX)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("the arguments of %s() take %zu bytes, too many for a command line: use the "
                      "channel"),
                   name, strlen (arguments));
      return FALSE;
    }
  return start (worker, function, (const char *const *)argv, TRUE, error);
}

gboolean
launch_zygote (Worker *worker, ProcfunFunction *function, GError **error)
{
  g_auto (GStrv) argv = make_argv (function, SETUP_ZYGOTE, SETUP_ZYGOTE, NULL, NULL);

  return start (worker, function, (const char *const *)argv, FALSE, error);
}
