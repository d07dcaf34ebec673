/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ours, for bench/peers/hosts.sh: bench-peers HOSTS CALLS, where each call takes a millisecond, and
 * all are made at once; then a map of as many elements, and one of a hundred times as many sums.
 * Prints the seconds of each. */

#include "bench/check.h"

#include <procfun.h>
#include <stdio.h>
#include <stdlib.h>

PROCFUN_DEFINE_FUNCTION (nap, gint32, (gint32, n))
{
  g_usleep (1000);
  return n;
}

PROCFUN_DEFINE_FUNCTION (add, gint32, (gint32, a), (gint32, b)) { return a + b; }

static guint n_ended;

static void
on_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  nap_process_finish (result, &error);
  check (error);
  n_ended++;
}

static void
make_calls (ProcfunExecutor *hosts, guint n)
{
  n_ended = 0;
  for (guint i = 0; i < n; i++)
    nap_process_with_async ((gint32)i, hosts, NULL, NULL, on_end, NULL);
  while (n_ended < n)
    g_main_context_iteration (NULL, TRUE);
}

/* @type: of an array, whose elements take @size bytes */
static void
map (ProcfunExecutor *hosts, ProcfunFunction *function, const char *type, gsize size, guint n)
{
  g_autoptr (ProcfunMap) one = procfun_map_new_on (hosts, function);
  g_autofree gpointer elements = g_malloc0_n (n, size);
  g_autoptr (GVariant) array = g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE (type), elements, n * size, TRUE, NULL, NULL));
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;

  procfun_map_set_array (one, array);
  results = procfun_map_run (one, NULL, &error);
  check (error);
}

static void
map_naps (ProcfunExecutor *hosts, guint n)
{
  map (hosts, nap_function (), "a(i)", sizeof (gint32), n);
}

static void
map_sums (ProcfunExecutor *hosts, guint n)
{
  map (hosts, add_function (), "a(ii)", 2 * sizeof (gint32), 100 * n);
}

static void
show (const char *what, void (*func) (ProcfunExecutor *hosts, guint n), ProcfunExecutor *hosts,
      guint n)
{
  const gint64 began_at = g_get_monotonic_time ();

  func (hosts, n);
  printf ("%s %.3f\n", what, (double)(g_get_monotonic_time () - began_at) / G_USEC_PER_SEC);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunRemotePool) hosts = NULL;
  guint n;

  if (argc != 3)
    return 2;
  n = (guint)atoi (argv[2]);
  hosts = procfun_remote_pool_new (argv[1], &error);
  check (error);
  make_calls (PROCFUN_EXECUTOR (hosts), 64); /* all are started */
  show ("calls", make_calls, PROCFUN_EXECUTOR (hosts), n);
  show ("map", map_naps, PROCFUN_EXECUTOR (hosts), n);
  show ("sums", map_sums, PROCFUN_EXECUTOR (hosts), n);
  procfun_executor_close (PROCFUN_EXECUTOR (hosts), NULL, NULL);
  return 0;
}
