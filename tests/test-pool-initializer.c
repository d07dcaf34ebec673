/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The initializer of a pool, which prepares each worker before its first call. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

PROCFUN_DEFINE_STATIC_FUNCTION (wait_for_ever, void)
{
  for (;;)
    pause ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (leave_more, void, (int, how))
{
  if (how == 0)
    g_assert_cmpint (dup (STDERR_FILENO), >=, 0);
  else if (how == 1)
    leave_thread ();
  else
    umask (0123);
}

PROCFUN_DEFINE_STATIC_FUNCTION (get_umask, int)
{
  mode_t mask = umask (0);

  umask (mask);
  return (int)mask;
}

/* Opened files, threads and settings that it leaves are there for the calls. */
static void
test_initializer_leaves (void)
{
  for (int how = 0; how < 3; how++)
    {
      auto_pool ProcfunPool *pool = procfun_pool_new (1);
      gint pid;

      procfun_pool_set_initializer (pool, leave_more_function (), g_variant_new ("(i)", how));
      pid = pools_get_pid (pool);
      for (guint i = 0; i < 3; i++)
        g_assert_cmpint (pools_get_pid (pool), ==, pid);
      if (how == 2)
        g_assert_cmpint (pools_get_number (pool, get_umask_call ()), ==, 0123);
    }
}

/* Failures before a success do not count: the first one afterwards is followed by the shortest
 * wait, and each one doubles it. */
#define N_FAILURES 6

static guint
fail_until_put_off (ProcfunPool *pool, guint n, double *rest)
{
  guint n_failed = 0;

  *rest = 0;
  while (n_failed < n || *rest == 0)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      g_autoptr (GError) error = NULL;
      const char *next;

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
      g_assert_null (procfun_call_run (call, NULL, &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
      next = strstr (error->message, "next try is in ");
      if (next == NULL)
        n_failed++;
      *rest = next != NULL ? g_ascii_strtod (next + strlen ("next try is in "), NULL) : 0;
    }
  return n_failed;
}

static void
test_initializer_back_off (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  guint n_failed;
  double rest;

  procfun_pool_set_initializer (pool, fail_to_prepare_function (), NULL);
  fail_until_put_off (pool, N_FAILURES, &rest);
  procfun_pool_set_initializer (pool, NULL, NULL);
  for (gboolean works = FALSE; !works;)
    {
      g_autoptr (GError) error = NULL;

      works = add_process_with (1, 2, PROCFUN_EXECUTOR (pool), NULL, &error) == 3;
    }
  procfun_pool_set_initializer (pool, fail_to_prepare_function (), NULL);
  pools_assert_error (pool, do_crash_call (), PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "*");
  n_failed = fail_until_put_off (pool, 1, &rest);
  g_assert_cmpfloat (rest, <=, 0.01 * (double)(1u << (n_failed - 1)));
  procfun_pool_set_initializer (pool, NULL, NULL);
  for (gboolean works = FALSE; !works;)
    {
      g_autoptr (GError) error = NULL;

      works = add_process_with (1, 2, PROCFUN_EXECUTOR (pool), NULL, &error) == 3;
    }
}

static void
test_initializer (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  Results results;

  results_init (&results);
  procfun_pool_set_initializer (pool, prepare_function (), g_variant_new ("(i)", 5));
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (pools_get_number (pool, get_prepared_call ()), ==, 5);
  pools_assert_error (pool, do_crash_call (), PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "*");
  results_run (&results, pool, get_prepared_call ());
  results_wait (&results, 1);
  g_assert_cmpint (g_array_index (results.results, gint, 0), ==, 5);
  procfun_pool_set_initializer (pool, NULL, NULL);
  g_assert_cmpint (pools_get_number (pool, get_prepared_call ()), ==, 5);
  pools_assert_error (pool, do_crash_call (), PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "*");
  g_assert_cmpint (pools_get_number (pool, get_prepared_call ()), ==, 0);
  results_clear (&results);
}

/* A process that is dead before the call is sent to it is not the call's: the call asks for another
 * one, which is not started so soon. */
static const struct
{
  const char *name;
  const char *pattern; /* of the first error */
} spoilers[] = { { "fail_to_prepare", "*fail_to_prepare()*nothing to prepare with*" },
                 { "do_abort", "*could not be prepared by do_abort()*" } };

/* It is not tried for ever: at some time the error is that it is not tried now. */
static void
test_initializer_fails (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  ProcfunFunction *function
      = procfun_registry_lookup_by_name (procfun_registry_get_default (), spoilers[i].name);
  gboolean backed_off = FALSE;
  Events events;
  guint n_calls;

  events_init (&events, pool);
  procfun_pool_set_initializer (pool, function, NULL);
  pools_assert_error (pool, add_call (1, 2), PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                      spoilers[i].pattern);
  for (n_calls = 1; !backed_off; n_calls++)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
      g_assert_null (procfun_call_run (call, NULL, &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
      backed_off = strstr (error->message, "next try") != NULL;
      if (i == 0) /* the reason, each time */
        g_assert_true (g_pattern_match_simple (spoilers[i].pattern, error->message));
    }
  g_assert_cmpuint (events_count (&events, "started"), >=, n_calls - 1);
  g_assert_cmpuint (events_count (&events, "started"), <=, n_calls);
  while (events_count (&events, "exited") < events_count (&events, "started"))
    pools_get_statistic (pool, "workers"); /* reaps those that are dead by now */
  g_assert_cmpuint (events_count (&events, "started"), ==, events_count (&events, "exited"));
  /* A cured initializer is used again, when its time has come. */
  procfun_pool_set_initializer (pool, NULL, NULL);
  for (gboolean works = FALSE; !works;)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      g_autoptr (GVariant) result = NULL;

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
      result = procfun_call_run (call, NULL, NULL);
      works = result != NULL;
    }
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  events_clear (&events);
}

/* The time of the call is also that of the initializer. */
static void
test_initializer_hangs (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  ProcfunCall *call = add_call (1, 2);

  procfun_pool_set_initializer (pool, wait_for_ever_function (), g_variant_new ("()"));
  procfun_call_set_timeout (call, 50 * G_TIME_SPAN_MILLISECOND);
  procfun_call_set_grace_period (call, 0);
  pools_assert_error (pool, call, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT, "*");
  procfun_pool_set_initializer (pool, NULL, NULL);
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/pool-initializer/each worker runs it before its first call",
                    test_initializer);
  fixture_add_func ("/pool-initializer/it may leave anything", test_initializer_leaves);
  for (gsize i = 0; i < G_N_ELEMENTS (spoilers); i++)
    {
      g_autofree char *path = g_strdup_printf (
          "/pool-initializer/%s is told and not tried for ever", spoilers[i].name);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_initializer_fails);
    }
  fixture_add_func ("/pool-initializer/a success ends the waits for one that fails",
                    test_initializer_back_off);
  fixture_add_func ("/pool-initializer/the timeout of a call limits it, too",
                    test_initializer_hangs);
  return fixture_run ();
}
