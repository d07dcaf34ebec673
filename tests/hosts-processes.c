/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Leftovers of the processes of a call, and of the program. */

#include "tests/hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Much longer than it takes, and shorter than the watchdog. */
#define PATIENCE_MS 20000

/* All that held the other end are gone. */
static void
assert_nobody_holds (int fd)
{
  struct pollfd poll_fd = { .fd = fd };

  g_assert_cmpint (poll (&poll_fd, 1, PATIENCE_MS), ==, 1);
  close (fd);
}

static void
assert_none_is_left (Descendant kind, gboolean crashes)
{
  g_autoptr (GError) error = NULL;
  int alive[2];

  g_assert_true (g_unix_open_pipe (alive, FD_CLOEXEC, NULL));
  g_assert_true (leave_behind_process (kind, alive[1], crashes, &error) == !crashes);
  if (crashes)
    g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  else
    g_assert_no_error (error);
  close (alive[1]);
  assert_nobody_holds (alive[0]);
}

/* A process that left the group of a function that crashes belongs to nobody then. */
static void
descendants (char **args)
{
  assert_none_is_left (DESCENDANT_CHILD, FALSE);
  assert_none_is_left (DESCENDANT_SESSION, FALSE);
  assert_none_is_left (DESCENDANT_DAEMON, FALSE);
  assert_none_is_left (DESCENDANT_CHILD, TRUE);
}

static void
forks (char **args)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (return_twice_process (&error), ==, 2);
  g_assert_no_error (error);
  g_assert_cmpint (exit_in_fork_process (&error), ==, 5);
  g_assert_no_error (error);
}

static void
spins (char **args)
{
  spin_process (NULL);
  g_assert_not_reached ();
}

/* A launcher that loses the descriptors, so that main() runs. */
static ProcfunExecutor *
new_losing_executor (void)
{
  static const char *const launcher[] = { "sh", "-c", "exec \"$@\" 3<&- 4<&-", "sh", NULL };
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (procfun_spawner_new ());

  procfun_spawner_set_launcher (PROCFUN_SPAWNER (executor), launcher);
  return executor;
}

static void
descriptors_lost (char **args)
{
  g_autoptr (ProcfunExecutor) executor = new_losing_executor ();

  host_assert_fails (executor, PROCFUN_ERROR_SPAWN);
}

static GVariant *
return_unit (GVariant *args, gpointer user_data, GError **error)
{
  return g_variant_new ("()");
}

/* @args: none, or what the call put there. The process of the call comes here, too, and must not
 * start another. */
static void
descriptors_lost_in_main (char **args)
{
  const int code = args[0] == NULL ? PROCFUN_ERROR_SPAWN : PROCFUN_ERROR_NESTED;
  ProcfunRegistry *registry = procfun_registry_get_default ();
  ProcfunFunction *function
      = procfun_registry_register (registry, "late", NULL, G_VARIANT_TYPE ("()"),
                                   G_VARIANT_TYPE ("()"), return_unit, NULL, NULL, NULL);
  g_autoptr (ProcfunExecutor) executor = new_losing_executor ();
  g_autoptr (ProcfunCall) call = procfun_call_new (function, g_variant_new ("()"));
  g_autoptr (GError) error = NULL;

  procfun_registry_serve (registry);
  procfun_call_set_executor (call, executor);
  g_assert_null (procfun_call_run (call, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, code);
}

static GVariant *
return_folder (GVariant *args, gpointer user_data, GError **error)
{
  g_autofree char *folder = g_get_current_dir ();

  return g_variant_new_string (folder);
}

/* The program writes a title over its command line, and goes elsewhere. */
static void
retitled (char **args)
{
  ProcfunRegistry *registry = procfun_registry_get_default ();
  ProcfunFunction *function
      = procfun_registry_register (registry, "folder", NULL, G_VARIANT_TYPE ("()"),
                                   G_VARIANT_TYPE ("s"), return_folder, NULL, NULL, NULL);
  ProcfunExecutor *executors[] = { PROCFUN_EXECUTOR (procfun_spawner_new ()),
                                   PROCFUN_EXECUTOR (procfun_fork_server_new ()) };

  procfun_registry_serve (registry);
  memset (args[-2], 'x', strlen (args[-2]));
  memset (args[-1], 'x', strlen (args[-1]));
  g_assert_no_errno (chdir ("/"));
  for (gsize i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      g_autoptr (ProcfunCall) call = procfun_call_new (function, g_variant_new ("()"));
      g_autoptr (GVariant) folder = NULL;
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, executors[i]);
      folder = procfun_call_run (call, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (g_variant_get_string (folder, NULL), ==, "/");
      g_object_unref (executors[i]);
    }
}

/* Executed by the dynamic loader. */
static void
by_loader (char **args)
{
  g_autoptr (GError) error = NULL;

  add_process (1, 2, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
  g_assert_nonnull (strstr (error->message, "loader"));
}

/* A user who may start a process, but no thread after it, gets an error, and the program does not
 * end. */
static void
few_tasks (char **args)
{
  struct rlimit limit;
  rlim_t before;
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (getrlimit (RLIMIT_NPROC, &limit));
  before = limit.rlim_cur;
  limit.rlim_cur = (rlim_t)atoi (args[0]);
  if (setgroups (0, NULL) != 0 || setgid (65522) != 0 || setuid (65522) != 0)
    host_skip ("only root can become another user");
  g_assert_no_errno (setrlimit (RLIMIT_NPROC, &limit));
  if (add_process (1, 2, &error) != 3)
    g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
  limit.rlim_cur = before; /* a sanitizer that looks for leaks starts one, too */
  g_assert_no_errno (setrlimit (RLIMIT_NPROC, &limit));
}

/* The new program is the parent of processes that it did not start: they end by themselves. */
static void
executes_itself (char **args)
{
  const char *const again[] = { "hosts", "executes-itself", "again", NULL };
  g_autoptr (ProcfunCall) call = spin_call ();

  host_assert_works ();
  if (args[0] == NULL)
    {
      procfun_call_run_async (call, NULL, NULL, NULL);
      while (procfun_call_get_pid (call) <= 0)
        g_main_context_iteration (NULL, TRUE);
      execv ("/proc/self/exe", (char **)again);
      g_assert_not_reached ();
    }
  procfun_executor_close (procfun_executor_get_default (), NULL, NULL);
  while (waitpid (-1, NULL, 0) > 0)
    ;
  g_assert_cmpint (errno, ==, ECHILD);
}

const Host hosts_processes[] = { { "descendants", descendants },
                                 { "forks", forks },
                                 { "spins", spins },
                                 { "executes-itself", executes_itself },
                                 { "retitled", retitled },
                                 { "by-loader", by_loader },
                                 { "few-tasks", few_tasks },
                                 { "descriptors-lost", descriptors_lost },
                                 { "descriptors-lost-in-main", descriptors_lost_in_main },
                                 { NULL, NULL } };
