/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <procfun.h>
#include <stdio.h>

/* A program for “procfun monitor” to look into: makes calls, says so, and waits for the end of its
 * input. */

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (halve, gint, (gint, n))
{
  if (n % 2 == 0)
    return n / 2;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%d is odd", n);
  return 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());

  procfun_executor_set_default (executor);
  g_set_prgname ("monitored\033[1m");
  for (int i = 0; i < 5; i++)
    {
      g_autoptr (GError) error = NULL;

      halve_process (i, &error);
    }
  puts ("ready");
  fflush (stdout);
  while (getchar () != EOF)
    ;
  return 0;
}
