/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Large arguments and results, as ratios to the same work in one process: all in one run, so that
 * the machine matters little. bench-large [MiB] [rounds] */

#include <procfun.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static guint64
sum_words (gconstpointer data, gsize size)
{
  const guint64 *words = data;
  guint64 sum = 0;

  for (gsize i = 0; i < size / sizeof *words; i++)
    sum += words[i];
  return sum;
}

PROCFUN_DEFINE_FUNCTION (sum, guint64, (GBytes *, bytes))
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  return sum_words (data, size);
}

PROCFUN_DEFINE_FUNCTION (fill, GBytes *, (guint64, size), (guint, value))
{
  gpointer data = g_malloc (size);

  memset (data, (int)value, size);
  return g_bytes_new_take (data, size);
}

PROCFUN_DEFINE_FUNCTION (fill_shared, GBytes *, (guint64, size), (guint, value))
{
  gpointer data;
  GBytes *bytes = procfun_bytes_new (size, &data);

  memset (data, (int)value, size);
  return bytes;
}

static gsize size;
static guint n_rounds = 7;
static GBytes *bytes;
static GBytes *shared;
static gpointer copy;

static double
now (void)
{
  return (double)g_get_monotonic_time () / 1000;
}

static ProcfunExecutor *executor;

static GVariant *
run (ProcfunCall *call)
{
  g_autoptr (GError) error = NULL;
  GVariant *result;

  procfun_call_set_executor (call, executor);
  result = procfun_call_run (call, NULL, &error);
  if (result == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      exit (1);
    }
  g_object_unref (call);
  return result;
}

static void
measure_floor (void)
{
  volatile guint64 sum = sum_words (g_bytes_get_data (bytes, NULL), size);

  (void)sum;
}

static void
measure_copy (void)
{
  memcpy (copy, g_bytes_get_data (bytes, NULL), size);
  measure_floor ();
}

static void
measure_fill (void)
{
  g_autofree gpointer data = g_malloc (size);
  volatile guint64 sum;

  memset (data, 3, size);
  sum = sum_words (data, size);
  (void)sum;
}

static void
measure_argument (void)
{
  g_variant_unref (run (sum_call (bytes)));
}

static void
measure_shared_argument (void)
{
  g_variant_unref (run (sum_call (shared)));
}

static void
look_at (GVariant *result)
{
  volatile guint64 sum = sum_words (g_variant_get_data (result), size);

  (void)sum;
  g_variant_unref (result);
}

static void
measure_result (void)
{
  look_at (run (fill_call (size, 3)));
}

static void
measure_shared_result (void)
{
  look_at (run (fill_shared_call (size, 3)));
}

/* The best of several, after a first one, which is told, too. In ms. */
static double
take (void (*func) (void), double *first)
{
  double best = G_MAXDOUBLE;

  for (guint i = 0; i <= n_rounds; i++)
    {
      const double before = now ();
      double took;

      func ();
      took = now () - before;
      if (i == 0)
        *first = took;
      else
        best = MIN (best, took);
    }
  return best;
}

static void
show (const char *name, void (*func) (void), double unit)
{
  double first;
  const double best = take (func, &first);

  printf ("%-34s %9.3f ms  %5.2f   first %9.3f ms  %5.2f\n", name, best, best / unit, first,
          first / unit);
}

static void
show_of (const char *name, const char *what, void (*func) (void), double unit)
{
  g_autofree char *line = g_strdup_printf ("%s: %s", name, what);

  show (line, func, unit);
}

static void
show_executor (const char *name, ProcfunExecutor *which, double floor_unit, double copy_unit,
               double fill_unit)
{
  executor = which;
  show_of (name, "argument / copy + sum", measure_argument, copy_unit);
  show_of (name, "shared argument / sum", measure_shared_argument, floor_unit);
  show_of (name, "result / fill + sum", measure_result, fill_unit);
  show_of (name, "shared result / fill + sum", measure_shared_result, fill_unit);
  g_object_unref (which);
}

int
main (int argc, char **argv)
{
  double first, floor_unit, copy_unit, fill_unit;
  gpointer data;

  size = (gsize)((argc > 1 ? atof (argv[1]) : 64) * 1024 * 1024) & ~(gsize)7;
  if (argc > 2)
    n_rounds = (guint)atoi (argv[2]);
  copy = g_malloc (size);
  bytes = g_bytes_new_take (memset (g_malloc (size), 1, size), size);
  shared = procfun_bytes_new (size, &data);
  memset (data, 1, size);
  printf ("%" G_GSIZE_FORMAT " bytes\n", size);
  floor_unit = take (measure_floor, &first);
  show ("sum", measure_floor, floor_unit);
  copy_unit = take (measure_copy, &first);
  fill_unit = take (measure_fill, &first);
  show ("copy + sum", measure_copy, copy_unit);
  show ("fill + sum", measure_fill, fill_unit);
  show_executor ("pool", PROCFUN_EXECUTOR (procfun_pool_new (1)), floor_unit, copy_unit, fill_unit);
  show_executor ("fork server", PROCFUN_EXECUTOR (procfun_fork_server_new ()), floor_unit,
                 copy_unit, fill_unit);
  show_executor ("spawner", PROCFUN_EXECUTOR (procfun_spawner_new ()), floor_unit, copy_unit,
                 fill_unit);
  g_bytes_unref (bytes);
  g_bytes_unref (shared);
  g_free (copy);
  return 0;
}
