/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/generators.h"

#include "tests/hostile-children.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

PROCFUN_DEFINE_GENERATOR (numbers, gint, (gint, n))
{
  for (gint i = 0; i < n; i++)
    if (!numbers_yield (i))
      return;
}

PROCFUN_DEFINE_GENERATOR (nothings, gboolean) {}

PROCFUN_DEFINE_GENERATOR (doubles, double, (gint, n))
{
  for (gint i = 0; i < n && doubles_yield (i / 8.0); i++)
    ;
}

PROCFUN_DEFINE_GENERATOR (words, char *, (GStrv, words))
{
  for (gsize i = 0; words[i] != NULL && words_yield (words[i]); i++)
    ;
}

PROCFUN_DEFINE_GENERATOR (maybe_words, ProcfunMaybeString, (gint, n))
{
  for (gint i = 0; i < n; i++)
    maybe_words_yield (i % 2 == 0 ? NULL : (char *)"word");
}

PROCFUN_DEFINE_GENERATOR (colours, Colour, (gint, n))
{
  for (gint i = 0; i < n; i++)
    colours_yield (i % 2 == 0 ? COLOUR_LAST : COLOUR_DARK_BLUE);
}

PROCFUN_DEFINE_GENERATOR (shapes, Shape, (gint, n))
{
  for (gint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("shape %d", i);
      Spot corners[] = { { i, 0 }, { 0.5, i } };

      shapes_yield ((Shape){ name, COLOUR_LAST, { 1, i }, { corners, G_N_ELEMENTS (corners) } });
    }
}

/* Floating ones, and one that is not. */
PROCFUN_DEFINE_GENERATOR (variants, GVariant *, (gint, n))
{
  g_autoptr (GVariant) held = g_variant_ref_sink (g_variant_new_string ("held"));

  for (gint i = 0; i < n; i++)
    variants_yield (i % 2 == 0 ? g_variant_new ("(id)", i, 0.5) : held);
}

PROCFUN_DEFINE_GENERATOR (series, ProcfunInt64s, (gint, n))
{
  g_autofree gint64 *data = g_new0 (gint64, n);

  for (gint i = 0; i < n; i++)
    {
      data[i] = i;
      series_yield ((ProcfunInt64s){ data, (gsize)i + 1, NULL });
    }
}

PROCFUN_DEFINE_GENERATOR (blobs, GBytes *, (gint, n), (guint64, size))
{
  for (gint i = 0; i < n; i++)
    {
      g_autofree guint8 *data = g_malloc (size + 1); /* so that it is never NULL */
      g_autoptr (GBytes) bytes = NULL;

      memset (data, i, size);
      bytes = g_bytes_new_take (g_steal_pointer (&data), size);
      if (!blobs_yield (bytes))
        return;
    }
}

PROCFUN_DEFINE_GENERATOR (openings, ProcfunFd, (GStrv, texts))
{
  for (gsize i = 0; texts[i] != NULL; i++)
    {
      ProcfunFd fd = open_text (texts[i]);

      openings_yield (fd);
      close (fd);
    }
}

PROCFUN_DEFINE_GENERATOR (digits, char *, (const char *, prefix), (gint, length))
{
  g_autofree char *with_0 = g_strconcat (prefix, "0", NULL);
  g_autofree char *with_1 = g_strconcat (prefix, "1", NULL);

  if (length == 0)
    {
      digits_yield ((char *)prefix);
      return;
    }
  digits (with_0, length - 1);
  digits (with_1, length - 1);
}

static gboolean
pass_multiple (gint number, gpointer user_data)
{
  return number % *(gint *)user_data != 0 || multiples_yield (number);
}

PROCFUN_DEFINE_GENERATOR (multiples, gint, (gint, n), (gint, divisor))
{
  numbers_each (n, pass_multiple, &divisor);
}

PROCFUN_DEFINE_GENERATOR (steps, gint, (ProcfunFd, fd))
{
  gint i = 0;

  do
    g_assert_cmpint (write (fd, "s", 1), ==, 1);
  while (steps_yield (i++));
  g_assert_cmpint (write (fd, "e", 1), ==, 1);
}

static gpointer
yield_odd (gpointer user_data)
{
  procfun_get_cancellable ();
  for (gint i = 0; i < GPOINTER_TO_INT (user_data); i++)
    pairs_yield (2 * i + 1);
  return NULL;
}

PROCFUN_DEFINE_GENERATOR (pairs, gint, (gint, n))
{
  GThread *thread = g_thread_new ("odd", yield_odd, GINT_TO_POINTER (n));

  for (gint i = 0; i < n; i++)
    pairs_yield (2 * i);
  g_thread_join (thread);
}

static volatile gint turns;

PROCFUN_DEFINE_GENERATOR_WITH_ERROR (misfortunes, gint, (const char *, kind), (gint, n))
{
  for (gint i = 0; i < n; i++)
    misfortunes_yield (i);
  if (g_str_equal (kind, "error"))
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "after %d", n);
  else if (g_str_equal (kind, "crash"))
    do_crash ();
  else if (g_str_equal (kind, "abort"))
    do_abort ();
  else if (g_str_equal (kind, "exit"))
    exit (4);
  else if (g_str_equal (kind, "exit-at-once"))
    _exit (5);
  else if (g_str_equal (kind, "kill"))
    raise (SIGKILL);
  else if (g_str_equal (kind, "stay"))
    pause ();
  else if (g_str_equal (kind, "spin"))
    for (;;)
      turns++;
}

PROCFUN_DEFINE_GENERATOR (null_words, char *, (gint, n))
{
  for (gint i = 0; i < n; i++)
    null_words_yield ((char *)"word");
  g_assert_false (null_words_yield (NULL));
  g_assert_false (null_words_yield ((char *)"word"));
}
