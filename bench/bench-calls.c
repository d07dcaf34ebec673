/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a call costs: by ProcfunSpawner against posix_spawn() and wait of this same program doing
 * nothing, in a small process and with 2 GiB resident; and by ProcfunInline. The two alternate, so
 * that the noise of the machine falls on both, and the ratio is that of the medians. */

#include <procfun.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define RESIDENT ((gsize)2 << 30)

extern char **environ;

PROCFUN_DEFINE_STATIC_FUNCTION (add, int, (int, a), (int, b)) { return a + b; }

static void
spawn_nothing (char *program)
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

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double
median (double *values, int n)
{
  qsort (values, (size_t)n, sizeof *values, compare);
  return values[n / 2];
}

static double
since (gint64 start)
{
  return (double)(g_get_monotonic_time () - start);
}

static void
compare_spawner (const char *title, char *program, int rounds)
{
  g_autofree double *nothing = g_new (double, rounds);
  g_autofree double *call = g_new (double, rounds);
  double nothing_median, call_median;

  for (int i = 0; i < rounds; i++)
    {
      gint64 start = g_get_monotonic_time ();

      spawn_nothing (program);
      nothing[i] = since (start);
      start = g_get_monotonic_time ();
      call_add ();
      call[i] = since (start);
    }
  nothing_median = median (nothing, rounds);
  call_median = median (call, rounds);
  printf ("%-36s %10.0f %10.0f %8.2f   (bar: 1.25)\n", title, nothing_median, call_median,
          call_median / nothing_median);
}

static void
measure_inline (void)
{
  g_autoptr (ProcfunExecutor) executor = procfun_inline_new ();
  double rounds[9];

  procfun_executor_set_default (executor);
  for (gsize i = 0; i < G_N_ELEMENTS (rounds); i++)
    {
      gint64 start = g_get_monotonic_time ();

      for (int k = 0; k < 10000; k++)
        call_add ();
      rounds[i] = since (start) / 10000;
    }
  procfun_executor_set_default (NULL);
  printf ("%-36s %10s %10.2f %8s   (bar: 5 µs)\n", "add by ProcfunInline", "",
          median (rounds, G_N_ELEMENTS (rounds)), "");
}

int
main (int argc, char **argv)
{
  int rounds = argc > 1 ? atoi (argv[1]) : 300;
  void *resident;

  if (argc > 1 && strcmp (argv[1], "nothing") == 0)
    return 0;
  printf ("%-36s %10s %10s %8s\n", "medians in µs", "reference", "procfun", "ratio");
  call_add ();
  compare_spawner ("add by ProcfunSpawner", argv[0], rounds);
  resident = mmap (NULL, RESIDENT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (resident == MAP_FAILED)
    g_error ("there is no memory for the second measurement");
  memset (resident, 1, RESIDENT);
  compare_spawner ("the same with 2 GiB resident", argv[0], rounds);
  munmap (resident, RESIDENT);
  measure_inline ();
  return 0;
}
