/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compiled twice into one program. */

#include <procfun.h>

PROCFUN_DEFINE_STATIC_FUNCTION (twice, gint32, (gint32, x)) { return 2 * x; }

#ifdef MAIN
int
main (void)
{
  g_autoptr (GError) error = NULL;

  return twice_process (1, &error) == 0
                 && g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID)
             ? 0
             : 1;
}
#endif
