/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls functions of shared libraries and plugins: a program starts it for functions that are not
 * its own. */

#include <procfun.h>

int
main (int argc, char **argv)
{
  return procfun_worker_run (argc, argv);
}
