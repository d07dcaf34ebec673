/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/statistics/monitor.h"

#include "procfun/base/environment.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/local-socket.h"
#include "procfun/procfun-context.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/**
 * SECTION:procfun-monitor
 * @title: Monitor
 * @short_description: lets the user look into a program that runs
 *
 * A program can let its user see what its executors do: the command `procfun monitor` shows their
 * #ProcfunStatistics as a table that is kept up to date. It asks the program over a socket, which
 * is there only when somebody has asked for it: the program by procfun_monitor_open(), or the user
 * by the environment variable `PROCFUN_MONITOR=1`, which opens it when the first executor is made.
 * Setuid and setgid programs ignore the variable.
 *
 * The socket is `procfun/PID.sock` in the user's runtime directory, g_get_user_runtime_dir(). Only
 * processes of the same user, and of root, can connect to it. Each line that one writes is
 * answered: `json` by an object, in a line, with `pid`, `program` and `executors`, an array of what
 * procfun_statistics_to_json() gives for each #ProcfunExecutor of the process; `openmetrics` by
 * what procfun_statistics_to_openmetrics() gives, for all of them. After any other line the
 * connection is closed.
 *
 * While the socket is open, the program has one thread more, which waits for clients. It
 * blocks all signals. An executor that is dropped while that thread looks at it ends in that
 * thread.
 *
 * Since: 0.1
 */

typedef struct
{
  int pid; /* process that opened it; 0: closed. A fork of the process has only copies */
  int folder;
  int listener;
  int ends[2]; /* pipe: a byte ends the thread */
  char name[32];
  GThread *thread;
} Monitor;

G_LOCK_DEFINE_STATIC (monitor);
static Monitor monitor = { .folder = -1, .listener = -1, .ends = { -1, -1 } };

static gpointer
serve (gpointer user_data)
{
  const Monitor *self = user_data;

  monitor_serve (self->listener, self->ends[0]);
  return NULL;
}

/* Signals belong to the program's own threads. */
static GThread *
start_thread (Monitor *self, GError **error)
{
  sigset_t all, before;
  GThread *thread;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  thread = g_thread_try_new ("procfun-monitor", serve, self, error);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return thread;
}

/* Ends the thread by a byte, not by a hang-up: a fork of the process may hold the other end of the
 * pipe. */
static void
stop_thread (Monitor *self)
{
  while (write (self->ends[1], "", 1) < 0 && errno == EINTR)
    ;
  g_clear_pointer (&self->thread, g_thread_join);
}

static void
drop (Monitor *self)
{
  fd_clear (&self->ends[1]);
  fd_clear (&self->ends[0]);
  fd_clear (&self->listener);
  fd_clear (&self->folder);
  self->pid = 0;
}

static void
remove_socket (Monitor *self)
{
  if (self->listener >= 0 && self->pid == getpid ())
    unlinkat (self->folder, self->name, 0);
}

/* The thread ends with the process; the socket must be removed. */
static void
on_exit_of_process (void)
{
  if (!G_TRYLOCK (monitor))
    return;
  remove_socket (&monitor);
  G_UNLOCK (monitor);
}

static gboolean
start (Monitor *self, GError **error)
{
  static gboolean registered;

  self->pid = getpid ();
  g_snprintf (self->name, sizeof self->name, "%d.sock", self->pid);
  if ((self->folder = local_folder_open (TRUE, error)) < 0
      || (self->listener = local_socket_listen (self->folder, self->name, error)) < 0
      || !fds_open_pipe (self->ends, error) || (self->thread = start_thread (self, error)) == NULL)
    {
      remove_socket (self);
      drop (self);
      return FALSE;
    }
  if (!registered)
    atexit (on_exit_of_process);
  registered = TRUE;
  return TRUE;
}

/**
 * procfun_monitor_open:
 * @error: return location for a #GError
 *
 * Opens the socket by which `procfun monitor` looks into this process. If it is open already,
 * nothing happens. It is closed by procfun_monitor_close(), or when the process exits.
 *
 * Fails with an error of the domain %G_IO_ERROR or %PROCFUN_ERROR when the socket cannot be made,
 * or with one of %G_THREAD_ERROR when the thread cannot be.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
procfun_monitor_open (GError **error)
{
  gboolean opened = TRUE;

  G_LOCK (monitor);
  if (monitor.pid != getpid ())
    {
      drop (&monitor);
      opened = start (&monitor, error);
    }
  G_UNLOCK (monitor);
  return opened;
}

/**
 * procfun_monitor_close:
 *
 * Closes the socket, if it is open, and waits for its thread to end.
 *
 * Since: 0.1
 */
void
procfun_monitor_close (void)
{
  G_LOCK (monitor);
  if (monitor.pid == getpid ())
    {
      remove_socket (&monitor);
      stop_thread (&monitor);
    }
  drop (&monitor);
  G_UNLOCK (monitor);
}

/* Not in a child, which has the same environment. */
void
monitor_open_if_asked (void)
{
  g_autoptr (GError) error = NULL;

  if (g_strcmp0 (environment_get ("PROCFUN_MONITOR"), "1") != 0 || procfun_is_child ())
    return;
  if (!procfun_monitor_open (&error))
    g_warning ("PROCFUN_MONITOR=1: %s", error->message);
}
