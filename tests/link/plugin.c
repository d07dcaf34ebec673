/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A library with functions: -DNAME="…" tells one from another, -DNEEDS_HOST needs a symbol of the
 * program that loads it. */

#include <procfun.h>
#include <string.h>

PROCFUN_DEFINE_FUNCTION (who, char *) { return g_strdup (NAME); }

/* By the command line, which is that of the process that forks. */
PROCFUN_DEFINE_FUNCTION (is_forked, gboolean)
{
  g_autofree char *text = NULL;
  gsize size;

  return g_file_get_contents ("/proc/self/cmdline", &text, &size, NULL)
         && g_str_equal (text + strlen (text) + 1, "--procfun-serve=zygote");
}

PROCFUN_DEFINE_FUNCTION (where, gboolean) { return procfun_is_child (); }

#ifdef NEEDS_HOST
extern int symbol_of_host (void);

PROCFUN_DEFINE_FUNCTION (needs_host, gint32) { return symbol_of_host (); }
#endif
