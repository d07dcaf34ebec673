/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A library with functions: -DNAME="…" tells one from another, -DNEEDS_HOST needs a symbol of the
 * program that loads it. */

#include <procfun.h>

PROCFUN_DEFINE_FUNCTION (who, char *) { return g_strdup (NAME); }

PROCFUN_DEFINE_FUNCTION (where, gboolean) { return procfun_is_child (); }

#ifdef NEEDS_HOST
extern int symbol_of_host (void);

PROCFUN_DEFINE_FUNCTION (needs_host, gint32) { return symbol_of_host (); }
#endif
