/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* More calls of one kind, one after the other, than what a worker and its caller keep for all of
 * them has room for: words that wake the caller are more than a turn of a channel takes, and than
 * fit in its socket. */

#include "tests/fixture.h"

#include <procfun.h>

#define N_CALLS 6000

/* So long that its caller sleeps. */
PROCFUN_DEFINE_STATIC_FUNCTION (nap, gint, (gint, n))
{
  g_usleep (50);
  return n;
}

static void
on_napped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  *(gint *)user_data = nap_process_finish (result, &error);
  g_assert_no_error (error);
}

static void
call_blocking (gint n)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (nap_process (n, &error), ==, n);
  g_assert_no_error (error);
}

static void
call_in_main_loop (gint n)
{
  gint result = 0;

  nap_process_async (n, NULL, on_napped, &result);
  while (result != n)
    g_main_context_iteration (NULL, TRUE);
}

static void
call_by_object (gint n)
{
  g_autoptr (ProcfunCall) call = nap_call (n);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = procfun_call_run (call, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (g_variant_get_int32 (result), ==, n);
}

/* The first one, by an object, leaves a turn behind that has begun. */
static void
test_many (gconstpointer data)
{
  void (*call) (gint n) = data;
  ProcfunPool *pool = procfun_pool_new (1);

  procfun_executor_set_default (PROCFUN_EXECUTOR (pool));
  call_by_object (0);
  for (gint n = 1; n <= N_CALLS; n++)
    call (n);
  procfun_executor_set_default (NULL);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  g_object_unref (pool);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_setenv ("PROCFUN_TIMEOUT", "5", TRUE); /* of each call */

  fixture_add_data_func ("/plain-long/blocking", call_blocking, test_many);
  fixture_add_data_func ("/plain-long/in-a-main-loop", call_in_main_loop, test_many);
  fixture_add_data_func ("/plain-long/by-objects", call_by_object, test_many);

  return fixture_run ();
}
