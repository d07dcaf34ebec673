/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls from a main loop, which goes on meanwhile: three functions run at the same time, one is
 * cancelled, and a timer shows that nothing waits for them. */

#include <procfun.h>
#include <stdio.h>

PROCFUN_DEFINE_FUNCTION (count_primes, int, (int, limit))
{
  int count = 0;

  for (int n = 2; n < limit; n++)
    {
      int divisor = 2;

      while (divisor * divisor <= n && n % divisor != 0)
        divisor++;
      count += divisor * divisor > n;
    }
  return count;
}

static int pending;

static void
on_counted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  int count = count_primes_process_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    printf ("below %d: cancelled\n", GPOINTER_TO_INT (user_data));
  else if (error != NULL)
    printf ("below %d: %s\n", GPOINTER_TO_INT (user_data), error->message);
  else
    printf ("below %d: %d primes\n", GPOINTER_TO_INT (user_data), count);
  pending--;
}

static void
count (int limit, GCancellable *cancellable)
{
  count_primes_process_async (limit, cancellable, on_counted, GINT_TO_POINTER (limit));
  pending++;
}

static gboolean
on_time (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return G_SOURCE_REMOVE;
}

int
main (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  count (1000, NULL);
  count (100000, NULL);
  count (G_MAXINT, cancellable); /* would take hours */
  g_timeout_add (200, on_time, cancellable);
  while (pending > 0)
    g_main_context_iteration (NULL, TRUE);
  return 0;
}
