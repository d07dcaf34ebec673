/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/marks.h"

#ifdef HAVE_SYSPROF
#include <sysprof-capture.h>

#define NS_PER_US 1000
#define GROUP "procfun"

/* From the environment first: the collector speaks to a descriptor as soon as it is asked. */
gboolean
marks_are_wanted (void)
{
  return g_getenv ("SYSPROF_CONTROL_FD") != NULL && sysprof_collector_is_active ();
}

void
marks_add (const char *name, gint64 begin, gint64 end, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  sysprof_collector_mark (begin * NS_PER_US, (end - begin) * NS_PER_US, GROUP, name, text);
}
#else
gboolean
marks_are_wanted (void)
{
  return FALSE;
}

void
marks_add (const char *name, gint64 begin, gint64 end, const char *format, ...)
{
}
#endif
