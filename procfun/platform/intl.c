/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/intl.h"

#include <libintl.h>

static void
intl_bind_once (void)
{
  static gsize bound = 0;

  if (g_once_init_enter (&bound))
    {
      bindtextdomain (GETTEXT_PACKAGE, PROCFUN_LOCALEDIR);
      bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
      g_once_init_leave (&bound, 1);
    }
}

const char *
intl_get (const char *text)
{
  intl_bind_once ();
  return g_dgettext (GETTEXT_PACKAGE, text);
}

const char *
intl_get_plural (const char *one, const char *many, gulong n)
{
  intl_bind_once ();
  return g_dngettext (GETTEXT_PACKAGE, one, many, n);
}
