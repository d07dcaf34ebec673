/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Leftovers of the processes of a call, and of the program. */

#include "tests/hosts.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
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
  ProcfunExecutor *executor = procfun_spawner_new ();

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

const Host hosts_processes[] = { { "descendants", descendants },
                                 { "forks", forks },
                                 { "spins", spins },
                                 { "descriptors-lost", descriptors_lost },
                                 { "descriptors-lost-in-main", descriptors_lost_in_main },
                                 { NULL, NULL } };
