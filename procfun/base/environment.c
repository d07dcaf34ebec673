/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/base/environment.h"

#include <string.h>
#include <sys/auxv.h>

/* A longer time would not limit anything, and might overflow. */
#define TIMEOUT_MAX_S 1e9

/* Cached: finding it in the auxiliary vector takes as long as an allocation. */
gboolean
environment_is_secure (void)
{
  static gint secure = -1;

  if (g_atomic_int_get (&secure) < 0)
    g_atomic_int_set (&secure, getauxval (AT_SECURE) != 0);
  return g_atomic_int_get (&secure);
}

const char *
environment_get (const char *name)
{
  return !environment_is_secure () ? g_getenv (name) : NULL;
}

static gint64
read_timeout (void)
{
  const char *text = environment_get ("PROCFUN_TIMEOUT");
  char *end;
  double seconds;

  if (text == NULL)
    return 0;
  seconds = g_ascii_strtod (text, &end);
  if (strspn (text, "0123456789.") == strlen (text) && end != text && *end == '\0'
      && seconds <= TIMEOUT_MAX_S)
    return (gint64)(seconds * G_USEC_PER_SEC);
  g_warning ("PROCFUN_TIMEOUT=%s: this is no number of seconds; calls have no timeout", text);
  return 0;
}

gint64
environment_get_timeout (void)
{
  static gsize read;
  static gint64 timeout;

  if (g_once_init_enter (&read))
    {
      timeout = read_timeout ();
      g_once_init_leave (&read, 1);
    }
  return timeout;
}
