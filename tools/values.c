/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/values.h"

#include "procfun/base/intl.h"
#include "procfun/platform/cpus.h"
#include <procfun.h>
#include <string.h>

/* Of times; far more than anybody waits, and far less than would overflow. */
#define SECONDS_MAX 1e9

/* Of processes at a time */
#define JOBS_MAX 100000

static gboolean
refuse (const char *option, const char *text, const char *expected, GError **error)
{
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s: “%s”: %s", option, text,
               expected);
  return FALSE;
}

/* In seconds; 0: there is no such unit. */
static double
get_unit (const char *suffix)
{
  static const struct
  {
    const char *suffix;
    double seconds;
  } units[] = { { "", 1 }, { "s", 1 }, { "ms", 1e-3 }, { "us", 1e-6 }, { "min", 60 } };

  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    if (strcmp (suffix, units[i].suffix) == 0)
      return units[i].seconds;
  return 0;
}

gboolean
value_read_time (const char *option, const char *text, gint64 *us, GError **error)
{
  gsize length = strspn (text, "0123456789.");
  g_autofree char *number = g_strndup (text, length); /* no "inf", no "0x", no sign */
  char *end;
  double seconds = g_ascii_strtod (number, &end) * get_unit (text + length);

  if (length == 0 || *end != '\0' || seconds * G_USEC_PER_SEC < 1 || seconds > SECONDS_MAX)
    return refuse (option, text, _ ("a time is a number with us, ms, s or min, as 300ms"), error);
  *us = (gint64)(seconds * G_USEC_PER_SEC);
  return TRUE;
}

gboolean
value_read_size (const char *option, const char *text, guint64 *bytes, GError **error)
{
  g_autofree char *limit = g_strconcat ("memory=", text, NULL);
  g_autoptr (ProcfunLimits) limits = NULL;

  if (strpbrk (text, " \t\n") == NULL) /* after which there could be another limit */
    limits = procfun_limits_new_from_string (limit, NULL);
  if (limits == NULL)
    return refuse (option, text, _ ("a size is a whole number with K, M, G or nothing, as 200M"),
                   error);
  *bytes = procfun_limits_get_memory (limits);
  return TRUE;
}

gboolean
value_read_jobs (const char *option, const char *text, guint *n, GError **error)
{
  gboolean is_relative = text[0] == '+' || text[0] == '-';
  gsize length = strspn (text + is_relative, "0123456789");
  const char *unit = text + is_relative + length;
  g_autofree char *digits = g_strndup (text + is_relative, length);
  guint64 number;
  gint64 jobs;

  if (!g_ascii_string_to_unsigned (digits, 10, 0, JOBS_MAX, &number, NULL)
      || (strcmp (unit, "") != 0 && (is_relative || strcmp (unit, "%") != 0)))
    return refuse (option, text,
                   _ ("it is a number of processes, or +1, -1 or 50%, counted from the CPUs"),
                   error);
  jobs = (gint64)number;
  if (is_relative)
    jobs = (gint64)cpus_count () + (text[0] == '+' ? jobs : -jobs);
  else if (unit[0] == '%')
    jobs = (gint64)cpus_count () * jobs / 100;
  else if (jobs == 0)
    jobs = cpus_count ();
  *n = (guint)CLAMP (jobs, 1, JOBS_MAX);
  return TRUE;
}

char *
value_describe_time (double us)
{
  if (us < 1000)
    return g_strdup_printf ("%.*f µs", us < 100 ? 1 : 0, us);
  if (us < G_USEC_PER_SEC)
    return g_strdup_printf ("%.*f ms", us < 100000 ? 2 : 0, us / 1000);
  return g_strdup_printf ("%.2f s", us / G_USEC_PER_SEC);
}
