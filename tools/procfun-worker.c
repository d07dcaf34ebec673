/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls functions of shared libraries and plugins: what a program starts for a function that is not
 * its own. */

#include <procfun.h>

int
main (int argc, char **argv)
{
  return procfun_worker_run (argc, argv);
}
