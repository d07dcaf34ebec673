/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <procfun.h>
#include <stdio.h>

/* A second function of that name. */
PROCFUN_DEFINE_STATIC_FUNCTION (twin, double, (double, a)) { return a; }

static int n_constructed;

PROCFUN_DEFINE_FUNCTION (get_constructed, int) { return n_constructed; }

static void __attribute__ ((constructor)) construct (void)
{
  printf ("{ constructed }\n");
  n_constructed++;
}

int
main (int argc, char **argv)
{
  printf ("main with %s\n", argc > 1 ? argv[1] : "no argument");
  return 7;
}
