/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A caller whose hosts are lost, for scripts: room-caller HOSTS HEARTBEAT_MS SLOTS [COMMAND…].
 * Calls fill all slots, and two more wait. Then it says “busy”, and executes the command, which
 * does something to the hosts; says after which time all calls in the slots were told to be lost;
 * and ends. Without a command it waits until it is killed. */

#include <procfun.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define N_WAITING 2

PROCFUN_DEFINE_STATIC_FUNCTION (hold, void)
{
  for (;;)
    pause ();
}

static void
check (const GError *error)
{
  if (error == NULL)
    return;
  fprintf (stderr, "%s\n", error->message);
  exit (1);
}

static guint n_started;
static guint n_lost;

static void
on_started (ProcfunCall *call, int pid, gpointer user_data)
{
  n_started++;
}

static void
on_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  hold_process_finish (result, &error);
  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST))
    n_lost++;
}

static void
begin_calls (ProcfunRemotePool *hosts, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ProcfunCall) call = hold_call ();

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
      g_signal_connect (call, "started", G_CALLBACK (on_started), NULL);
      procfun_call_run_async (call, NULL, on_end, NULL);
    }
}

static void
wait_for (const guint *counter, guint n)
{
  while (*counter < n)
    g_main_context_iteration (NULL, TRUE);
}

static void
execute (char **command)
{
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error);
  check (error);
  g_spawn_check_wait_status (status, &error);
  check (error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunRemotePool) hosts = NULL;
  gint64 began_at;
  guint slots;

  if (argc < 4)
    return 2;
  slots = (guint)atoi (argv[3]);
  hosts = procfun_remote_pool_new (argv[1], &error);
  check (error);
  procfun_remote_pool_set_heartbeat (hosts, atoi (argv[2]) * G_TIME_SPAN_MILLISECOND);
  begin_calls (hosts, slots + N_WAITING);
  wait_for (&n_started, slots);
  puts ("busy");
  fflush (stdout);
  if (argc == 4)
    wait_for (&n_lost, 1);
  began_at = g_get_monotonic_time ();
  execute (argv + 4);
  wait_for (&n_lost, slots);
  printf ("all lost after %.0f ms\n", (double)(g_get_monotonic_time () - began_at) / 1000);
  fflush (stdout);
  _exit (0); /* calls wait that no host will ever take */
}
