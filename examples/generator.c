/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pairs of primes whose difference is two, as many as are wanted, from a function that looks for
 * them without end: it waits for its reader, and ends when the call is dropped. */

#include <procfun.h>
#include <stdio.h>

PROCFUN_DEFINE_STRUCT (Twins, (int, smaller), (int, larger))

static gboolean
is_prime (int n)
{
  for (int divisor = 2; divisor * divisor <= n; divisor++)
    if (n % divisor == 0)
      return FALSE;
  return n > 1;
}

PROCFUN_DEFINE_GENERATOR (find_twins, Twins, (int, from))
{
  for (int n = from; n < G_MAXINT - 2; n++)
    if (is_prime (n) && is_prime (n + 2) && !find_twins_yield ((Twins){ n, n + 2 }))
      return;
}

/* In this process: an ordinary function that is called for each item. */
static gboolean
count (Twins twins, gpointer user_data)
{
  int *n = user_data;

  return ++*n < 100;
}

int
main (void)
{
  g_autoptr (ProcfunCall) call = find_twins_call (1000000);
  g_autoptr (GError) error = NULL;
  Twins twins;
  int n = 0;

  for (int i = 0; i < 5 && find_twins_next (call, &twins, NULL, &error); i++)
    printf ("%d %d\n", twins.smaller, twins.larger);
  if (error != NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  find_twins_each (3, count, &n);
  printf ("and %d that are smaller\n", n);
  return 0;
}
