/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls and maps on hosts, as ratios to what a pool of this machine takes for the same, and to the
 * way alone: all in one run, so that the machine matters little. Hosts are processes of this
 * machine, behind pipes, or behind the command that is given. bench-hosts [ROUNDS [COMMAND]] */

#include "bench/check.h"

#include <procfun.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_ELEMENTS 1000000
#define N_MAPS 5
#define N_SINGLE 2000
#define N_FLIGHT 20000
#define IN_FLIGHT 64
#define LARGE ((gsize)64 * 1024 * 1024)

PROCFUN_DEFINE_FUNCTION (add, gint32, (gint32, a), (gint32, b)) { return a + b; }

PROCFUN_DEFINE_FUNCTION (echo, GBytes *, (GBytes *, bytes)) { return g_bytes_ref (bytes); }

static guint n_rounds = 5;
static const char *command; /* (nullable) */
static ProcfunExecutor *pool;
static ProcfunExecutor *hosts;
static GBytes *large;

/* The least and the median of what a measurement gives, in its unit. */
typedef struct
{
  double least;
  double median;
} Times;

static int
compare (gconstpointer a, gconstpointer b)
{
  return *(const double *)a < *(const double *)b ? -1 : 1;
}

static Times
sort (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare);
  return (Times){ values[0], values[n / 2] };
}

static void
show (const char *what, const char *unit, Times ours, Times other)
{
  printf ("%-44s %10.1f %10.1f %s, beside %10.1f %10.1f: %5.2f %5.2f\n", what, ours.least,
          ours.median, unit, other.least, other.median, ours.least / other.least,
          ours.median / other.median);
  fflush (stdout);
}

/* Maps */

static double
map_once (ProcfunExecutor *executor, GVariant *pairs)
{
  g_autoptr (ProcfunMap) map = procfun_map_new_on (executor, add_function ());
  const gint64 began_at = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) sums = NULL;

  procfun_map_set_array (map, pairs);
  sums = procfun_map_run (map, NULL, &error);
  check (error);
  return (double)(g_get_monotonic_time () - began_at) / 1000;
}

static GVariant *
make_pairs (void)
{
  const gsize size = 2 * N_ELEMENTS * sizeof (gint32);
  gpointer pairs = g_malloc0 (size);

  return g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE ("a(ii)"), pairs, size, TRUE, g_free, pairs));
}

/* Some after each other, so that each pays for what it has itself left behind in the caches, and
 * for where its processes are. */
static void
measure_map (void)
{
  const guint n = n_rounds * N_MAPS;
  g_autoptr (GVariant) pairs = make_pairs ();
  g_autofree double *on_hosts = g_new (double, n);
  g_autofree double *on_pool = g_new (double, n);

  map_once (hosts, pairs);
  map_once (pool, pairs);
  for (guint i = 0; i < n; i += N_MAPS)
    {
      for (guint k = 0; k < N_MAPS; k++)
        on_hosts[i + k] = map_once (hosts, pairs);
      for (guint k = 0; k < N_MAPS; k++)
        on_pool[i + k] = map_once (pool, pairs);
    }
  show ("map of 1 000 000 add, / on a pool", "ms", sort (on_hosts, n), sort (on_pool, n));
}

/* Calls, one after the other, blocking and in a main loop, and 64 bytes there and back by cat */

static double
block_once (void)
{
  const gint64 began_at = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;

  add_process_with (1, 2, hosts, NULL, &error);
  check (error);
  return (double)(g_get_monotonic_time () - began_at);
}

static double
call_once (ProcfunExecutor *executor)
{
  const gint64 began_at = g_get_monotonic_time ();
  g_autoptr (ProcfunCall) call = add_call (1, 2);

  procfun_call_set_executor (call, executor);
  procfun_call_run_async (call, NULL, NULL, NULL);
  while (procfun_call_get_state (call) < PROCFUN_CALL_SUCCEEDED)
    g_main_context_iteration (NULL, TRUE);
  if (procfun_call_get_state (call) != PROCFUN_CALL_SUCCEEDED)
    g_error ("a call failed");
  return (double)(g_get_monotonic_time () - began_at);
}

/* (transfer full) */
static GSubprocess *
start_cat (void)
{
  g_autofree char *line = g_strdup_printf ("%s cat", command != NULL ? command : "");
  g_auto (GStrv) argv = g_strsplit (g_strstrip (line), " ", -1);
  g_autoptr (GError) error = NULL;
  GSubprocess *cat
      = g_subprocess_newv ((const char *const *)argv,
                           G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);

  check (error);
  return cat;
}

static double
cat_once (GSubprocess *cat)
{
  const gint64 began_at = g_get_monotonic_time ();
  char bytes[64] = { 0 };
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (g_subprocess_get_stdin_pipe (cat), bytes, sizeof bytes, NULL, NULL,
                             &error);
  check (error);
  g_input_stream_read_all (g_subprocess_get_stdout_pipe (cat), bytes, sizeof bytes, NULL, NULL,
                           &error);
  check (error);
  return (double)(g_get_monotonic_time () - began_at);
}

static void
measure_call (void)
{
  static double blocking[N_SINGLE], in_loop[N_SINGLE], beside[N_SINGLE];
  g_autoptr (GSubprocess) cat = start_cat ();
  Times least;

  for (guint i = 0; i < N_SINGLE; i++)
    {
      blocking[i] = block_once ();
      in_loop[i] = call_once (hosts);
      beside[i] = cat_once (cat) + call_once (pool);
    }
  least = sort (beside, N_SINGLE);
  show ("call, / 64 bytes by cat + call on a pool", "us", sort (blocking, N_SINGLE), least);
  show ("the same in a main loop", "us", sort (in_loop, N_SINGLE), least);
  g_output_stream_close (g_subprocess_get_stdin_pipe (cat), NULL, NULL);
  g_subprocess_wait (cat, NULL, NULL);
}

/* Many calls at once */

static guint n_ended;

static void
on_call (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  add_process_finish (result, &error);
  check (error);
  n_ended++;
}

/* Calls in a second. */
static double
flight_once (ProcfunExecutor *executor)
{
  const gint64 began_at = g_get_monotonic_time ();
  guint n_begun = 0;

  n_ended = 0;
  while (n_ended < N_FLIGHT)
    {
      for (; n_begun < N_FLIGHT && n_begun - n_ended < IN_FLIGHT; n_begun++)
        add_process_with_async (1, 2, executor, NULL, NULL, on_call, NULL);
      g_main_context_iteration (NULL, TRUE);
    }
  return N_FLIGHT * 1e6 / (double)(g_get_monotonic_time () - began_at);
}

static ProcfunExecutor *
make_hosts (guint n, guint slots)
{
  g_autoptr (GError) error = NULL;
  GString *list = g_string_new (NULL);
  ProcfunRemotePool *made;

  for (guint i = 0; i < n; i++)
    {
      g_string_append (list, i > 0 ? ", " : "");
      if (command != NULL)
        g_string_append_printf (list, "exec:%s {}*%u", command, slots);
      else
        g_string_append_printf (list, "local*%u", slots);
    }
  made = procfun_remote_pool_new (list->str, &error);
  check (error);
  g_string_free (list, TRUE);
  return PROCFUN_EXECUTOR (made);
}

/* Hosts are sent all of them, or they would be in the queue of the caller. */
static void
measure_flight (void)
{
  g_autoptr (ProcfunExecutor) many = make_hosts (2, MAX (g_get_num_processors (), 2) / 2);
  g_autofree double *on_hosts = g_new (double, n_rounds);
  g_autofree double *on_pool = g_new (double, n_rounds);

  procfun_remote_pool_set_calls_in_flight (PROCFUN_REMOTE_POOL (many), IN_FLIGHT);
  for (guint i = 0; i < n_rounds; i++)
    {
      on_hosts[i] = flight_once (many);
      on_pool[i] = flight_once (pool);
    }
  show ("64 calls in flight, / on a pool", "1/s", sort (on_hosts, n_rounds),
        sort (on_pool, n_rounds));
  procfun_executor_close (many, NULL, NULL);
}

/* Large values, and small calls beside them */

static double
echo_once (ProcfunExecutor *executor)
{
  const gint64 began_at = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) back = echo_process_with (large, executor, NULL, &error);

  check (error);
  g_assert_cmpuint (g_bytes_get_size (back), ==, g_bytes_get_size (large));
  return (double)(g_get_monotonic_time () - began_at) / 1000;
}

static double
cat_large_once (void)
{
  g_autoptr (GSubprocess) cat = start_cat ();
  const gint64 began_at = g_get_monotonic_time ();
  g_autoptr (GBytes) back = NULL;
  g_autoptr (GError) error = NULL;

  g_subprocess_communicate (cat, large, NULL, &back, NULL, &error);
  check (error);
  return (double)(g_get_monotonic_time () - began_at) / 1000;
}

static void
measure_large (void)
{
  g_autofree double *on_hosts = g_new (double, n_rounds);
  g_autofree double *beside = g_new (double, n_rounds);

  large = g_bytes_new_take (g_malloc0 (LARGE), LARGE);
  procfun_remote_pool_set_max_payload (PROCFUN_REMOTE_POOL (hosts), 2 * LARGE);
  echo_once (hosts);
  echo_once (pool);
  for (guint i = 0; i < n_rounds; i++)
    {
      on_hosts[i] = echo_once (hosts);
      beside[i] = cat_large_once () + echo_once (pool);
    }
  show ("64 MiB there and back, / cat + on a pool", "ms", sort (on_hosts, n_rounds),
        sort (beside, n_rounds));
}

static gint is_busy;

static gpointer
echo_on (gpointer unused)
{
  while (g_atomic_int_get (&is_busy))
    echo_once (hosts);
  return NULL;
}

static void
measure_beside_large (void)
{
  static double times[N_SINGLE];
  guint n = 0;
  GThread *thread;

  g_atomic_int_set (&is_busy, TRUE);
  thread = g_thread_new ("large", echo_on, NULL);
  for (gint64 end = g_get_monotonic_time () + 3 * G_USEC_PER_SEC;
       n < N_SINGLE && g_get_monotonic_time () < end; n++)
    times[n] = call_once (hosts) / 1000;
  g_atomic_int_set (&is_busy, FALSE);
  g_thread_join (thread);
  qsort (times, n, sizeof *times, compare);
  printf ("%-44s %10.1f %10.1f ms, 99th of 100 %.1f ms\n", "call beside 64 MiB", times[0],
          times[n / 2], times[n * 99 / 100]);
}

int
main (int argc, char **argv)
{
  const guint n_cores = MAX (g_get_num_processors (), 2);

  if (argc > 1)
    n_rounds = (guint)MAX (atoi (argv[1]), 1);
  command = argc > 2 ? argv[2] : NULL;
  pool = PROCFUN_EXECUTOR (procfun_pool_new (n_cores));
  hosts = make_hosts (2, n_cores / 2);
  printf ("two hosts of %u slots; least and median; ratios\n", n_cores / 2);
  measure_map ();
  measure_call ();
  measure_flight ();
  measure_large ();
  measure_beside_large ();
  procfun_executor_close (hosts, NULL, NULL);
  procfun_executor_close (pool, NULL, NULL);
  g_object_unref (hosts);
  g_object_unref (pool);
  g_bytes_unref (large);
  return 0;
}
