/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The four ends of a call: a result, the function's own error, a crash, an exit. A crash and an
 * exit are errors for the caller, which tells them apart by their codes, and goes on. */

#include <procfun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (divide, int, (int, a), (int, b), (const char *, manner))
{
  if (strcmp (manner, "carefully") == 0 && b == 0)
    {
      g_set_error_literal (error, G_NUMBER_PARSER_ERROR, G_NUMBER_PARSER_ERROR_INVALID,
                           "cannot divide by zero");
      return 0;
    }
  if (strcmp (manner, "desperately") == 0 && b == 0)
    exit (3);
  if (b == 0)
    raise (SIGFPE); /* what the division would do on most machines, but not on all */
  return a / b;
}

static const char *
describe (const GError *error)
{
  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED))
    return "crash";
  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_EXITED))
    return "exit";
  if (error->domain == PROCFUN_ERROR)
    return "other failure of the call";
  return "error of the function";
}

int
main (void)
{
  static const struct
  {
    int b;
    const char *manner;
  } cases[] = { { 7, "carefully" }, { 0, "carefully" }, { 0, "carelessly" }, { 0, "desperately" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      int quotient = divide_process (42, cases[i].b, cases[i].manner, &error);

      if (error == NULL)
        printf ("42 / %d %s: %d\n", cases[i].b, cases[i].manner, quotient);
      else
        printf ("42 / %d %s: %s: %s\n", cases[i].b, cases[i].manner, describe (error),
                error->message);
    }
  return 0;
}
