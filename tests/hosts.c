/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Exits with 0 when all is as it should be, and with 77 after saying why this host cannot be made
 * here. */

#include "tests/hosts.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Hosts end long before; for those that hang. */
#define WATCHDOG_SECONDS 60

void
host_skip (const char *why)
{
  printf ("%s\n", why);
  exit (77);
}

void
host_assert_works (void)
{
  g_autoptr (GError) error = NULL;
  gint32 sum = add_process (1, 2, &error);

  g_assert_no_error (error);
  g_assert_cmpint (sum, ==, 3);
}

void
host_assert_fails (ProcfunExecutor *executor, int code)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;

  procfun_call_set_executor (call, executor);
  g_assert_cmpint (add_run (call, NULL, &error), ==, 0);
  g_assert_error (error, PROCFUN_ERROR, code);
  g_assert_nonnull (strstr (error->message, "add()"));
}

static void
on_held (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Held *self = user_data;
  g_autoptr (GError) error = NULL;
  gint32 value = hold_process_finish (result, &error);

  g_assert_no_error (error);
  g_assert_cmpint (value, ==, 42);
  self->ended = TRUE;
}

static gpointer
start_call (gpointer user_data)
{
  Held *self = user_data;

  hold_process_async (self->ready[1], self->go[0], NULL, on_held, self);
  return NULL;
}

/* The call begins in the main loop. */
void
held_begin (Held *self)
{
  GPollFD ready;
  char byte;

  self->ended = FALSE;
  g_assert_true (g_unix_open_pipe (self->ready, FD_CLOEXEC, NULL));
  g_assert_true (g_unix_open_pipe (self->go, FD_CLOEXEC, NULL));
  g_thread_join (g_thread_new ("caller", start_call, self));
  ready = (GPollFD){ .fd = self->ready[0], .events = G_IO_IN };
  while (g_poll (&ready, 1, 1) == 0)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpint (read (self->ready[0], &byte, 1), ==, 1);
}

void
held_end (Held *self)
{
  g_assert_cmpint (write (self->go[1], "x", 1), ==, 1);
  while (!self->ended)
    g_main_context_iteration (NULL, TRUE);
  for (int i = 0; i < 2; i++)
    {
      close (self->ready[i]);
      close (self->go[i]);
    }
}

/* A program that does its work whatever its command line is, started as if for a call. */
static int
run_astray (void)
{
  g_autoptr (GError) error = NULL;
  const char *depth = g_getenv ("HOSTS_ASTRAY");

  g_assert_null (depth); /* no process starts the next */
  g_setenv ("HOSTS_ASTRAY", "1", TRUE);
  printf ("main\n");
  add_process (1, 2, &error);
  g_assert_nonnull (error);
  printf ("%s\n", error->message);
  return 3;
}

int
main (int argc, char **argv)
{
  static const Host *const groups[]
      = { hosts_calls, hosts_descriptors, hosts_identity, hosts_processes, hosts_signals };

  alarm (WATCHDOG_SECONDS);
  g_assert_cmpint (argc, >, 1);
  if (g_str_has_prefix (argv[1], "--procfun-"))
    return run_astray ();
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    for (const Host *host = groups[i]; host->name != NULL; host++)
      if (g_str_equal (host->name, argv[1]))
        {
          host->run (argv + 2);
          return 0;
        }
  g_error ("there is no host %s", argv[1]);
}
