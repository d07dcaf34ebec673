/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A function may use little memory at first. Whenever that was what it failed for, and not anything
 * else, it gets twice as much; and a function that hangs is ended. */

#include <procfun.h>
#include <stdio.h>

#define MIB ((guint64)1 << 20)

/* One byte for each number, and it does not care whether there is so much memory. */
PROCFUN_DEFINE_FUNCTION (count_primes, guint, (guint, limit))
{
  g_autofree guint8 *composite = g_malloc0 (limit);
  guint count = 0;

  for (guint64 n = 2; n < limit; n++)
    {
      if (composite[n])
        continue;
      count++;
      for (guint64 multiple = n * n; multiple < limit; multiple += n)
        composite[multiple] = 1;
    }
  return count;
}

static guint
count_with (guint64 memory, ProcfunFailure **failure, GError **error)
{
  g_autoptr (ProcfunCall) call = count_primes_call (30000000);
  g_autoptr (ProcfunLimits) limits = procfun_limits_new ();
  guint count;

  procfun_limits_set_memory (limits, memory);
  procfun_call_set_limits (call, limits);
  procfun_call_set_timeout (call, 60 * G_USEC_PER_SEC);
  count = count_primes_run (call, NULL, error);
  if (procfun_call_get_failure (call) != NULL)
    *failure = procfun_failure_ref (procfun_call_get_failure (call));
  return count;
}

int
main (void)
{
  for (guint64 memory = 8 * MIB; memory <= 1024 * MIB; memory *= 2)
    {
      g_autoptr (ProcfunFailure) failure = NULL;
      g_autoptr (GError) error = NULL;
      guint count = count_with (memory, &failure, &error);

      if (failure == NULL)
        {
          printf ("%d MiB: %u primes\n", (int)(memory / MIB), count);
          return 0;
        }
      if (procfun_failure_get_cause (failure) != PROCFUN_CAUSE_MEMORY_LIMIT)
        {
          fprintf (stderr, "%s\n", error->message);
          return 1;
        }
      printf ("%d MiB: too little\n", (int)(memory / MIB));
    }
  return 1;
}
