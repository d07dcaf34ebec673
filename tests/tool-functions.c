/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Functions that tests/test-tool.sh lists and calls: the same in a program, with tool-main.c, and
 * in a library. */

#include <procfun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

PROCFUN_DEFINE_ENUM (Side, SIDE_LEFT, SIDE_RIGHT)
PROCFUN_DEFINE_STRUCT (Place, (double, x), (Side, side))

PROCFUN_DEFINE_FUNCTION (add, int, (int, a), (int, b)) { return a + b; }

PROCFUN_DEFINE_FUNCTION (count_places, PlaceArray, (PlaceArray, places), (guint8, times))
{
  PlaceArray result = { g_new0 (Place, places.length + times), places.length + times };

  for (gsize i = 0; i < result.length; i++)
    result.data[i] = (Place){ (double)i, i % 2 ? SIDE_RIGHT : SIDE_LEFT };
  return result;
}

PROCFUN_DEFINE_IDEMPOTENT_FUNCTION (halve, double, (double, x)) { return x / 2; }

/* Fails where there is no such file, but makes one. */
PROCFUN_DEFINE_IDEMPOTENT_FUNCTION_WITH_ERROR (exists_at_last, gboolean, (const char *, path))
{
  gboolean exists = g_file_test (path, G_FILE_TEST_EXISTS);

  if (!exists && g_file_set_contents (path, "", 0, error))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "not yet there");
  return exists;
}

PROCFUN_DEFINE_FUNCTION (nothing, void) {}

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (read_file, char *, (const char *, path))
{
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, error);
  return text;
}

PROCFUN_DEFINE_FUNCTION (crash, void) { raise (SIGSEGV); }

PROCFUN_DEFINE_FUNCTION (give_up, void) { g_error ("nothing left to try"); }

PROCFUN_DEFINE_FUNCTION (leave, void, (int, code)) { exit (code); }

/* Until somebody ends it; says first that it is there, and with which number. */
PROCFUN_DEFINE_FUNCTION (block, void)
{
  fprintf (stderr, "blocked in %d.\n", (int)getpid ());
  for (;;)
    pause ();
}

PROCFUN_DEFINE_FUNCTION (spin, void)
{
  for (volatile int i = 0;; i++)
    ;
}

PROCFUN_DEFINE_FUNCTION (take, gboolean, (gsize, mebibytes))
{
  gsize size = mebibytes << 20;
  char *memory = g_malloc (size);

  memset (memory, 1, size);
  g_free (memory);
  return TRUE;
}

PROCFUN_DEFINE_FUNCTION (chatter, char *)
{
  printf ("said to stdout\n");
  fprintf (stderr, "said to stderr\n");
  return g_strdup (g_getenv ("PROCFUN_COMMAND_LINE"));
}

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (add_elsewhere, int, (int, a), (int, b))
{
  return add_process (a, b, error);
}

/* Without end when @to is 0, and without a good one when it is less. */
PROCFUN_DEFINE_GENERATOR (count_up, int, (int, to))
{
  int number = 0;

  printf ("counting\n");
  while ((to == 0 || number < ABS (to)) && count_up_yield (number + 1))
    number++;
  if (to < 0)
    raise (SIGSEGV);
}

PROCFUN_DEFINE_STATIC_FUNCTION (twin, int, (int, a)) { return a; }
