/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A bar for a function that takes long: it reports how far it is, and the caller draws. The bar is
 * on stderr, and the result on stdout. */

#include <procfun.h>
#include <stdio.h>

#define BAR_WIDTH 40

static gboolean
is_prime (int n)
{
  for (int divisor = 2; divisor * divisor <= n; divisor++)
    if (n % divisor == 0)
      return FALSE;
  return n > 1;
}

PROCFUN_DEFINE_FUNCTION (count_primes, int, (int, limit))
{
  int count = 0;

  for (int n = 0; n < limit; n++)
    {
      count += is_prime (n);
      if (n % 1000 == 0) /* reports that are too many for anybody to see are left out */
        {
          g_autofree char *message = g_strdup_printf ("%d found", count);

          procfun_report_progress ((double)n / limit, message);
        }
    }
  procfun_report_progress (1, "done");
  return count;
}

static void
on_progress (ProcfunCall *call, double fraction, const char *message, gpointer user_data)
{
  int filled = (int)(fraction * BAR_WIDTH);

  fprintf (stderr, "\r[");
  for (int i = 0; i < BAR_WIDTH; i++)
    fputc (i < filled ? '#' : '.', stderr);
  fprintf (stderr, "] %3.0f %% %-16s", fraction * 100, message);
}

int
main (void)
{
  g_autoptr (ProcfunCall) call = count_primes_call (500000);
  g_autoptr (GError) error = NULL;
  int count;

  g_signal_connect (call, "progress", G_CALLBACK (on_progress), NULL);
  count = count_primes_run (call, NULL, &error);
  fputc ('\n', stderr);
  if (error != NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  printf ("%d primes\n", count);
  return 0;
}
