/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many calls at once: queued on a main context, from many threads, and the main loop meanwhile. */

#include "bench/contender.h"
#include "bench/pipeline.h"

#include <procfun.h>
#include <stdio.h>
#include <unistd.h>

#define GAP_CALLS 2000
#define GAP_CALL_US 2000
#define GAP_TICK_MS 5

PROCFUN_DEFINE_STATIC_FUNCTION (add, int, (int, a), (int, b)) { return a + b; }

PROCFUN_DEFINE_STATIC_FUNCTION (work, gint64, (gint64, us))
{
  gint64 end = g_get_monotonic_time () + us;

  while (g_get_monotonic_time () < end)
    ;
  return us;
}

static void
check (const GError *error)
{
  if (error != NULL)
    g_error ("%s", error->message);
}

static void
call_add (void)
{
  g_autoptr (GError) error = NULL;

  add_process (1, 2, &error);
  check (error);
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
set_up_pool (void)
{
  use (PROCFUN_EXECUTOR (procfun_pool_new (PIPELINE_WORKERS)));
}

static void
set_up_fork_server (void)
{
  use (PROCFUN_EXECUTOR (procfun_fork_server_new ()));
}

static void
set_up_spawner (void)
{
  use (PROCFUN_EXECUTOR (procfun_spawner_new ()));
}

/* On a main context */

static guint n_left;

static void
on_added (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  add_process_finish (result, &error);
  check (error);
  n_left--;
}

static double
run_queue (guint n)
{
  double start = contender_get_ns ();

  n_left = n;
  for (guint i = 0; i < n; i++)
    add_process_async (1, 2, NULL, on_added, NULL);
  while (n_left > 0)
    g_main_context_iteration (NULL, TRUE);
  return (contender_get_ns () - start) / n;
}

#define N_QUEUED 1000000

/* In bytes: resident. */
static double
get_memory (void)
{
  g_autofree char *text = NULL;
  unsigned long size, resident;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL)
      || sscanf (text, "%lu %lu", &size, &resident) != 2)
    g_error ("/proc/self/statm cannot be read");
  return (double)resident * (double)sysconf (_SC_PAGESIZE);
}

/* Memory of each call that waits; once, since memory that was freed is used again. They are left
 * waiting. */
static double
get_memory_of_queued (void)
{
  static double bytes;
  double before;

  if (bytes > 0)
    return bytes;
  run_queue (PIPELINE_WORKERS);
  before = get_memory ();
  for (guint i = 0; i < N_QUEUED; i++)
    add_process_async (1, 2, NULL, on_added, NULL);
  bytes = (get_memory () - before) / N_QUEUED;
  return bytes;
}

/* From threads */

static gpointer
call_in_thread (gpointer n)
{
  for (guint i = 0; i < GPOINTER_TO_UINT (n); i++)
    call_add ();
  return NULL;
}

/* One makes at least one call. */
static double
run_in_threads (guint n_threads, guint n)
{
  const guint n_each = MAX (n / n_threads, 1);
  g_autofree GThread **threads = g_new (GThread *, n_threads);
  double start = contender_get_ns ();

  for (guint i = 0; i < n_threads; i++)
    threads[i] = g_thread_new ("caller", call_in_thread, GUINT_TO_POINTER (n_each));
  for (guint i = 0; i < n_threads; i++)
    g_thread_join (threads[i]);
  return (contender_get_ns () - start) / (n_each * n_threads);
}

static double
run_in_4_threads (guint n)
{
  return run_in_threads (4, n);
}

static double
run_in_64_threads (guint n)
{
  return run_in_threads (64, n);
}

static double
run_in_256_threads (guint n)
{
  return run_in_threads (256, n);
}

/* The main loop */

typedef struct
{
  double last;
  double worst;
} Ticks;

static gboolean
on_tick (gpointer user_data)
{
  Ticks *self = user_data;
  double now = contender_get_ns ();

  self->worst = MAX (self->worst, now - self->last);
  self->last = now;
  return G_SOURCE_CONTINUE;
}

static void
on_worked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  work_process_finish (result, &error);
  check (error);
  n_left--;
}

static gboolean
ask_for_work (gpointer user_data)
{
  for (guint i = 0; i < GAP_CALLS; i++)
    work_process_async (GAP_CALL_US, NULL, on_worked, NULL);
  return G_SOURCE_REMOVE;
}

/* The longest time between two ticks. */
static double
get_worst_gap (void)
{
  Ticks ticks = { .last = contender_get_ns () };
  guint timer = g_timeout_add (GAP_TICK_MS, on_tick, &ticks);

  n_left = GAP_CALLS;
  g_idle_add (ask_for_work, NULL);
  while (n_left > 0)
    g_main_context_iteration (NULL, TRUE);
  on_tick (&ticks);
  g_source_remove (timer);
  return ticks.worst;
}

int
main (int argc, char **argv)
{
  static const Contender contenders[]
      = { { "queue", .set_up = set_up_pool, .batch = run_queue },
          { "memory-queued", .set_up = set_up_pool, .sample = get_memory_of_queued },
          { "burst", .set_up = set_up_fork_server, .batch = run_queue },
          { "threads-4", .set_up = set_up_pool, .batch = run_in_4_threads },
          { "threads-64", .set_up = set_up_pool, .batch = run_in_64_threads },
          { "threads-256", .set_up = set_up_pool, .batch = run_in_256_threads },
          { "gap-pool", .set_up = set_up_pool, .sample = get_worst_gap },
          { "gap-fork-server", .set_up = set_up_fork_server, .sample = get_worst_gap },
          { "gap-spawner", .set_up = set_up_spawner, .sample = get_worst_gap } };

  return contend (contenders, G_N_ELEMENTS (contenders), argc, argv);
}
