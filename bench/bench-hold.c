/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How soon a call ends that does not want to, and what it costs to hold one: a function in a busy
 * loop that ignores SIGTERM, from procfun_call_abort() or its deadline to the error; and a call
 * with limits against one without, in turn, so that the noise of the machine falls on both. */

#include <procfun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define DEADLINE_US 50000

PROCFUN_DEFINE_STATIC_FUNCTION (add, int, (int, a), (int, b)) { return a + b; }

PROCFUN_DEFINE_STATIC_FUNCTION (spin, void)
{
  signal (SIGTERM, SIG_IGN);
  procfun_report_progress (0, NULL);
  for (volatile guint i = 0;; i++)
    ;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double
percentile (double *values, int n, int percent)
{
  qsort (values, (size_t)n, sizeof *values, compare);
  return values[MIN (n * percent / 100, n - 1)];
}

static void
on_progress (ProcfunCall *call, double fraction, const char *message, gint64 *aborted_at)
{
  *aborted_at = g_get_monotonic_time ();
  procfun_call_abort (call);
}

static double
abort_call (void)
{
  g_autoptr (ProcfunCall) call = spin_call ();
  g_autoptr (GError) error = NULL;
  gint64 aborted_at = 0;

  procfun_call_set_grace_period (call, 0);
  g_signal_connect (call, "progress", G_CALLBACK (on_progress), &aborted_at);
  procfun_call_run (call, NULL, &error);
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_error ("it was not cancelled");
  return (double)(g_get_monotonic_time () - aborted_at);
}

static double
miss_deadline (void)
{
  g_autoptr (ProcfunCall) call = spin_call ();
  g_autoptr (GError) error = NULL;
  gint64 begun = g_get_monotonic_time ();

  procfun_call_set_grace_period (call, 0);
  procfun_call_set_deadline (call, DEADLINE_US);
  procfun_call_run (call, NULL, &error);
  if (!g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT))
    g_error ("it did not miss its deadline");
  return (double)(g_get_monotonic_time () - begun - DEADLINE_US);
}

static void
measure_ends (const char *title, double (*end_call) (void), int n, const char *bar)
{
  g_autofree double *values = g_new (double, n);

  end_call (); /* loads what only the first one needs */
  for (int i = 0; i < n; i++)
    values[i] = end_call ();
  printf ("%-44s %8.0f %8.0f   (bar: p95 %s)\n", title, percentile (values, n, 50),
          percentile (values, n, 95), bar);
}

static double
call_add (const ProcfunLimits *limits)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;
  gint64 begun = g_get_monotonic_time ();

  if (limits != NULL)
    {
      procfun_call_set_limits (call, limits);
      procfun_call_set_timeout (call, G_USEC_PER_SEC * 10);
      procfun_call_set_deadline (call, G_USEC_PER_SEC * 10);
    }
  if (add_run (call, NULL, &error) != 3)
    g_error ("%s", error->message);
  return (double)(g_get_monotonic_time () - begun);
}

static void
measure_limits (const char *text, int n)
{
  g_autoptr (ProcfunLimits) limits = procfun_limits_new_from_string (text, NULL);
  g_autofree double *plain = g_new (double, n);
  g_autofree double *limited = g_new (double, n);

  call_add (limits);
  for (int i = 0; i < n; i++)
    {
      plain[i] = call_add (NULL);
      limited[i] = call_add (limits);
    }
  printf ("%-44s %8.0f %8.0f   (bar: 500 more)\n", text, percentile (plain, n, 50),
          percentile (limited, n, 50));
}

int
main (int argc, char **argv)
{
  int n = argc > 1 ? atoi (argv[1]) : 200;

  printf ("%-44s %8s %8s\n", "µs", "p50", "p95");
  measure_ends ("abort to error, in a loop without SIGTERM", abort_call, n, "10000");
  measure_ends ("deadline to error, likewise", miss_deadline, n, "5000");
  printf ("%-44s %8s %8s\n", "µs, medians of a call", "without", "with");
  measure_limits ("cpu=10s files=64 file-size=1M", n);
  measure_limits ("memory=200M cpu=10s files=64 file-size=1M", n);
  return 0;
}
