/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The smallest program: a function, and a call of it in a process of its own. Built by
 * cc first.c -o first $(pkg-config --cflags --libs procfun) */

#include <procfun.h>
#include <stdio.h>

PROCFUN_DEFINE_FUNCTION (add, int, (int, a), (int, b)) { return a + b; }

int
main (void)
{
  g_autoptr (GError) error = NULL;
  int sum = add_process (1, 2, &error);

  if (error != NULL)
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  printf ("1 + 2 = %d\n", sum);
  return 0;
}
