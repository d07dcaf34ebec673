/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How soon a call ends that does not want to: a function in a busy loop that ignores SIGTERM, from
 * procfun_call_abort() or its deadline to the error. And what it costs to hold one: calls with
 * limits, and without. */

#include "bench/contender.h"

#include <procfun.h>
#include <signal.h>

#define DEADLINE_US 50000

PROCFUN_DEFINE_STATIC_FUNCTION (add, int, (int, a), (int, b)) { return a + b; }

PROCFUN_DEFINE_STATIC_FUNCTION (spin, void)
{
  signal (SIGTERM, SIG_IGN);
  procfun_report_progress (0, NULL);
  for (volatile guint i = 0;; i++)
    ;
}

static void
on_progress (ProcfunCall *call, double fraction, const char *message, double *aborted_at)
{
  *aborted_at = contender_get_ns ();
  procfun_call_abort (call);
}

static double
abort_call (void)
{
  g_autoptr (ProcfunCall) call = spin_call ();
  g_autoptr (GError) error = NULL;
  double aborted_at = 0;

  procfun_call_set_grace_period (call, 0);
  g_signal_connect (call, "progress", G_CALLBACK (on_progress), &aborted_at);
  procfun_call_run (call, NULL, &error);
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_error ("it was not cancelled");
  return contender_get_ns () - aborted_at;
}

static double
miss_deadline (void)
{
  g_autoptr (ProcfunCall) call = spin_call ();
  g_autoptr (GError) error = NULL;
  double begun = contender_get_ns ();

  procfun_call_set_grace_period (call, 0);
  procfun_call_set_deadline (call, DEADLINE_US);
  procfun_call_run (call, NULL, &error);
  if (!g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT))
    g_error ("it did not miss its deadline");
  return contender_get_ns () - begun - DEADLINE_US * 1000.0;
}

static ProcfunLimits *limits; /* (nullable) */

static void
call_add (void)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;

  if (limits != NULL)
    {
      procfun_call_set_limits (call, limits);
      procfun_call_set_timeout (call, G_USEC_PER_SEC * 10);
      procfun_call_set_deadline (call, G_USEC_PER_SEC * 10);
    }
  if (add_run (call, NULL, &error) != 3)
    g_error ("%s", error->message);
}

static void
set_up_limits (void)
{
  limits = procfun_limits_new_from_string ("cpu=10s files=64 file-size=1M", NULL);
}

static void
set_up_memory (void)
{
  limits = procfun_limits_new_from_string ("memory=200M cpu=10s files=64 file-size=1M", NULL);
}

int
main (int argc, char **argv)
{
  static const Contender contenders[]
      = { { "abort", .sample = abort_call },
          { "deadline", .sample = miss_deadline },
          { "plain", .call = call_add },
          { "limits", .set_up = set_up_limits, .call = call_add },
          { "limits-with-memory", .set_up = set_up_memory, .call = call_add } };
  g_autoptr (ProcfunExecutor) spawner = PROCFUN_EXECUTOR (procfun_spawner_new ());

  procfun_executor_set_default (spawner);
  return contend (contenders, G_N_ELEMENTS (contenders), argc, argv);
}
