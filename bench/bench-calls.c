/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls of a function that adds two numbers, by each executor. */

#include "bench/contender.h"

#include <procfun.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESIDENT ((gsize)2 << 30)

static char *program;

PROCFUN_DEFINE_STATIC_FUNCTION (add, int, (int, a), (int, b)) { return a + b; }

/* The limit of what executes this program: to start it, to do nothing, and to wait for its end. */
static void
call_nothing (void)
{
  char *argv[] = { program, (char *)"nothing", NULL };
  pid_t pid;
  int status;

  if (posix_spawn (&pid, program, NULL, NULL, argv, environ) != 0
      || waitpid (pid, &status, 0) != pid || status != 0)
    g_error ("this program cannot be started");
}

static void
call_add (void)
{
  g_autoptr (GError) error = NULL;

  if (add_process (1, 2, &error) != 3)
    g_error ("%s", error->message);
}

static void
make_resident (void)
{
  void *memory = mmap (NULL, RESIDENT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED)
    contender_skip ("there is too little memory for it");
  memset (memory, 1, RESIDENT);
}

/* (transfer full) */
static void
use (ProcfunExecutor *executor)
{
  procfun_executor_set_default (executor);
  g_object_unref (executor);
  call_add ();
}

static void
set_up_inline (void)
{
  use (procfun_inline_new ());
}

/* One sample for many: a clock would take as long as the call. */
static double
run_add (guint n)
{
  double start = contender_get_ns ();

  for (guint i = 0; i < n; i++)
    call_add ();
  return (contender_get_ns () - start) / n;
}

static void
set_up_spawner (void)
{
  use (procfun_spawner_new ());
}

static void
set_up_resident_spawner (void)
{
  make_resident ();
  set_up_spawner ();
}

/* As it comes: with one process forked ahead, which helps when there is time between calls. */
static void
set_up_fork_server (void)
{
  use (procfun_fork_server_new ());
}

static void
set_up_fork_server_without_spares (void)
{
  ProcfunExecutor *executor = procfun_fork_server_new ();

  procfun_fork_server_set_spares (PROCFUN_FORK_SERVER (executor), 0);
  use (executor);
}

static void
set_up_resident_fork_server (void)
{
  make_resident ();
  set_up_fork_server ();
}

int
main (int argc, char **argv)
{
  static const Contender contenders[]
      = { { "posix-spawn", .call = call_nothing },
          { "posix-spawn-resident", .set_up = make_resident, .call = call_nothing },
          { "inline", .set_up = set_up_inline, .batch = run_add },
          { "spawner", .set_up = set_up_spawner, .call = call_add },
          { "spawner-resident", .set_up = set_up_resident_spawner, .call = call_add },
          { "fork-server", .set_up = set_up_fork_server, .call = call_add },
          { "fork-server-no-spare", .set_up = set_up_fork_server_without_spares, .call = call_add },
          { "fork-server-resident", .set_up = set_up_resident_fork_server, .call = call_add },
          { "fork-server-paused", .set_up = set_up_fork_server, .call = call_add,
            .pause_us = 1000 } };

  program = argv[0];
  if (argc > 1 && strcmp (argv[1], "nothing") == 0)
    return 0;
  return contend (contenders, G_N_ELEMENTS (contenders), argc, argv);
}
