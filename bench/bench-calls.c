/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls of a function that adds two numbers, by each executor. */

#include "bench/contender.h"
#include "bench/pipeline.h"

#include <procfun.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESIDENT ((gsize)2 << 30)

static char *program;

PROCFUN_DEFINE_STATIC_FUNCTION (add, int, (int, a), (int, b)) { return a + b; }

/* In kB: memory that would be free without the process. */
static double
get_private_memory (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/smaps_rollup", pid);
  g_autofree char *text = NULL;
  double sum = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    g_error ("%s cannot be read", path);
  for (const char *at = text; (at = strstr (at, "\nPrivate_")) != NULL; at++)
    if (g_str_has_prefix (at, "\nPrivate_Clean:") || g_str_has_prefix (at, "\nPrivate_Dirty:"))
      sum += g_ascii_strtod (strchr (at, ':') + 1, NULL);
  return sum;
}

PROCFUN_DEFINE_STATIC_FUNCTION (own_memory, double) { return get_private_memory (getpid ()); }

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
  use (PROCFUN_EXECUTOR (procfun_inline_new ()));
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
  use (PROCFUN_EXECUTOR (procfun_spawner_new ()));
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
  use (PROCFUN_EXECUTOR (procfun_fork_server_new ()));
}

static void
set_up_fork_server_without_spares (void)
{
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());

  procfun_fork_server_set_spares (PROCFUN_FORK_SERVER (executor), 0);
  use (executor);
}

static void
set_up_resident_fork_server (void)
{
  make_resident ();
  set_up_fork_server ();
}

/* One worker, unless many calls are under way. */
static void
set_up_pool (void)
{
  use (PROCFUN_EXECUTOR (procfun_pool_new (1)));
}

static void
use_shut_in (ProcfunExecutor *executor)
{
  g_autoptr (GError) error = NULL;

  procfun_process_executor_set_sandbox (PROCFUN_PROCESS_EXECUTOR (executor),
                                        PROCFUN_SANDBOX_PURE_COMPUTE);
  procfun_executor_set_default (executor);
  add_process (1, 2, &error);
  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX))
    contender_skip (error->message);
  use (executor);
}

static void
set_up_shut_in_fork_server (void)
{
  use_shut_in (PROCFUN_EXECUTOR (procfun_fork_server_new ()));
}

static void
set_up_shut_in_pool (void)
{
  use_shut_in (PROCFUN_EXECUTOR (procfun_pool_new (1)));
}

static void
set_up_pool_of_all (void)
{
  ProcfunPool *pool = procfun_pool_new (PIPELINE_WORKERS);

  procfun_pool_set_calls_in_flight (pool, PIPELINE_IN_FLIGHT);
  use (PROCFUN_EXECUTOR (pool));
}

static void
set_up_json_pool (void)
{
  ProcfunPool *pool = procfun_pool_new (PIPELINE_WORKERS);

  procfun_pool_set_calls_in_flight (pool, PIPELINE_IN_FLIGHT);
  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (pool), procfun_codec_get_json ());
  use (PROCFUN_EXECUTOR (pool));
}

static void
finish_add (GAsyncResult *result)
{
  g_autoptr (GError) error = NULL;

  if (add_process_finish (result, &error) != 3)
    g_error ("%s", error->message);
}

static void
on_added (GObject *source, GAsyncResult *result, gpointer done)
{
  finish_add (result);
  *(gboolean *)done = TRUE;
}

static void
call_add_async (void)
{
  gboolean done = FALSE;

  add_process_async (1, 2, NULL, on_added, &done);
  while (!done)
    g_main_context_iteration (NULL, TRUE);
}

static void
on_one_added (GObject *source, GAsyncResult *result, gpointer worker)
{
  finish_add (result);
  pipeline_answered (GPOINTER_TO_UINT (worker));
}

/* The pool chooses the worker of each call; the number of calls is the same in all. */
static void
send_add (guint worker)
{
  add_process_async (1, 2, NULL, on_one_added, GUINT_TO_POINTER (worker));
}

static double
run_pipelined (guint n)
{
  return pipeline_run (n, send_add);
}

/* All of them at once, chunks and the rest left to the map. The pool is the default executor. */
static double
run_map (guint n)
{
  ProcfunPool *pool = PROCFUN_POOL (procfun_executor_get_default ());
  gint32 *pairs = g_new (gint32, 2 * (gsize)n);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) sums = NULL;
  double begin;

  for (gsize i = 0; i < 2 * (gsize)n; i++)
    pairs[i] = (gint32)i;
  begin = contender_get_ns ();
  sums = procfun_pool_map (pool, add_function (),
                           g_variant_new_from_data (G_VARIANT_TYPE ("a(ii)"), pairs,
                                                    2 * (gsize)n * sizeof *pairs, TRUE, g_free,
                                                    pairs),
                           NULL, &error);
  if (sums == NULL || g_variant_n_children (sums) != n)
    g_error ("%s", error != NULL ? error->message : "not all");
  return (contender_get_ns () - begin) / n;
}

/* Of a worker that waits for its next call. */
static double
get_memory_of_idle (void)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;

  if (add_run (call, NULL, &error) != 3)
    g_error ("%s", error->message);
  return get_private_memory (procfun_call_get_pid (call));
}

static double
get_memory_of_executed (void)
{
  g_autoptr (GError) error = NULL;
  double memory = own_memory_process (&error);

  if (error != NULL)
    g_error ("%s", error->message);
  return memory;
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
            .pause_us = 1000 },
          { "pool", .set_up = set_up_pool, .call = call_add },
          { "fork-server-shut-in", .set_up = set_up_shut_in_fork_server, .call = call_add },
          { "pool-shut-in", .set_up = set_up_shut_in_pool, .call = call_add },
          { "pool-async", .set_up = set_up_pool, .call = call_add_async },
          { "pool-pipelined", .set_up = set_up_pool_of_all, .batch = run_pipelined },
          { "pool-pipelined-json", .set_up = set_up_json_pool, .batch = run_pipelined },
          { "map", .set_up = set_up_pool_of_all, .batch = run_map },
          { "memory-forked", .set_up = set_up_pool, .sample = get_memory_of_idle },
          { "memory-executed", .set_up = set_up_spawner, .sample = get_memory_of_executed } };

  program = argv[0];
  if (argc > 1 && strcmp (argv[1], "nothing") == 0)
    return 0;
  return contend (contenders, G_N_ELEMENTS (contenders), argc, argv);
}
