/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/readable.h"

/* Marks, embeddings, overrides and isolates of the bidirectional algorithm. */
static gboolean
turns_text_round (gunichar c)
{
  return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e)
         || (c >= 0x2066 && c <= 0x2069);
}

static gboolean
separates_lines (gunichar c)
{
  return c == '\n' || c == '\t' || c == 0x2028 || c == 0x2029;
}

static void
append_readable (GString *out, gunichar c, gboolean in_one_line)
{
  if (separates_lines (c))
    g_string_append_c (out, in_one_line ? ' ' : c == '\t' ? '\t' : '\n');
  else if (g_unichar_iscntrl (c) || turns_text_round (c))
    g_string_append_unichar (out, 0xfffd);
  else
    g_string_append_unichar (out, c);
}

static char *
make_readable (const char *text, gssize length, gboolean in_one_line)
{
  g_autofree char *valid = g_utf8_make_valid (text, length);
  GString *out = g_string_new (NULL);

  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    if (*at != '\r')
      append_readable (out, g_utf8_get_char (at), in_one_line);
  return g_string_free (out, FALSE);
}

char *
readable_text (const char *text, gssize length)
{
  return make_readable (text, length, FALSE);
}

char *
readable_line (const char *text, gssize length)
{
  return make_readable (text, length, TRUE);
}
