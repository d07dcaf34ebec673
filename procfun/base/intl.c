/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/intl.h"

#include <libintl.h>
#include <locale.h>

static char *own_locale_name; /* (nullable) */

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
intl_get_locale (void)
{
  return own_locale_name != NULL ? own_locale_name : setlocale (LC_MESSAGES, NULL);
}

void
intl_set_locale (const char *name)
{
  g_free (own_locale_name);
  own_locale_name = g_strdup (name);
}

/* Loaded on demand: most children have no message. 0: no such locale. */
static locale_t
get_own_locale (void)
{
  static gsize tried;
  static locale_t locale;

  if (own_locale_name == NULL)
    return (locale_t)0;
  if (g_once_init_enter (&tried))
    {
      locale = newlocale (LC_MESSAGES_MASK, own_locale_name, (locale_t)0);
      g_once_init_leave (&tried, 1);
    }
  return locale;
}

static locale_t
enter_own_locale (void)
{
  locale_t locale = get_own_locale ();

  intl_bind_once ();
  return locale != (locale_t)0 ? uselocale (locale) : (locale_t)0;
}

static void
leave_own_locale (locale_t before)
{
  if (before != (locale_t)0)
    uselocale (before);
}

const char *
intl_get (const char *text)
{
  locale_t before = enter_own_locale ();
  const char *translated = g_dgettext (GETTEXT_PACKAGE, text);

  leave_own_locale (before);
  return translated;
}
