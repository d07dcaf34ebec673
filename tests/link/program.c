/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Compiled as C and as C++, and linked in every way: calls its functions, and says which call went
 * wrong. */

#include <math.h>
#include <procfun.h>
#include <stdio.h>
#include <string.h>

G_BEGIN_DECLS
int later_value (void);
G_END_DECLS

PROCFUN_DEFINE_STRUCT (Point, (double, x), (double, y))

PROCFUN_DEFINE_FUNCTION (distance, double, (Point, a), (Point, b))
{
  return hypot (a.x - b.x, a.y - b.y);
}

/* Effects of the constructors of a file linked later, and of static objects there. */
PROCFUN_DEFINE_FUNCTION (value, gint32) { return later_value (); }

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (fails, char *)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "not here");
  return NULL;
}

/* By the command line, which is that of the process that forks. */
PROCFUN_DEFINE_FUNCTION (is_forked, gboolean)
{
  char *text = NULL;
  gsize size;
  gboolean forked = g_file_get_contents ("/proc/self/cmdline", &text, &size, NULL)
                    && g_str_equal (text + strlen (text) + 1, "--procfun-serve=zygote");

  g_free (text);
  return forked;
}

PROCFUN_DEFINE_FUNCTION (crash, void) { *(volatile int *)0 = 1; }

/* Takes the error. */
static int
check (const char *name, gboolean ok, GError **error)
{
  if (!ok)
    printf ("%s: %s\n", name, *error != NULL ? (*error)->message : "wrong");
  g_clear_error (error);
  return ok ? 0 : 1;
}

int
main (void)
{
  const Point a = { 1, 2 }, b = { 4, 6 };
  GError *error = NULL;
  int n_wrong = 0;

  n_wrong += check ("distance", distance_process (a, b, &error) == 5.0, &error);
  n_wrong += check ("here", value () == 42, &error);
  n_wrong += check ("value", value_process (&error) == 42, &error);
#ifndef __SANITIZE_THREAD__ /* whose runtime has a thread */
  n_wrong += check ("forked", is_forked_process (&error), &error);
#endif
  fails_process (&error);
  n_wrong += check ("fails", g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND), &error);
  n_wrong += check ("crash", !crash_process (&error), &error);
  return n_wrong;
}
