/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/halt.h"

#include "procfun/base/intl.h"
#include <string.h>

static gboolean
read_number (Halt *self, const char *text)
{
  gsize length = strlen (text);
  g_autofree char *percent = NULL;
  char *end;

  if (length == 0 || text[length - 1] != '%')
    return g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT64, &self->number, NULL);
  percent = g_strndup (text, length - 1);
  if (strspn (percent, "0123456789.") != length - 1)
    return FALSE;
  self->percent = g_ascii_strtod (percent, &end);
  return *end == '\0' && self->percent > 0 && self->percent <= 100;
}

static gboolean
read_rule (Halt *self, const char *text)
{
  static const char *const names[] = { "fail=", "success=", "done=" };

  if (strcmp (text, "never") == 0)
    return TRUE;
  self->is_now = g_str_has_prefix (text, "now,");
  if (!self->is_now && !g_str_has_prefix (text, "soon,"))
    return FALSE;
  text = strchr (text, ',') + 1;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_has_prefix (text, names[i]))
      {
        self->counts = i;
        return read_number (self, text + strlen (names[i]));
      }
  return FALSE;
}

gboolean
halt_read (Halt *self, const char *text, GError **error)
{
  *self = (Halt){ 0 };
  if (read_rule (self, text))
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               _ ("--halt: “%s”: it is never, or soon or now, a comma, and fail, success or done "
                  "with a number or a percentage (soon,fail=3%%)"),
               text);
  return FALSE;
}

gboolean
halt_is_due (const Halt *self, guint64 n_done, guint64 n_failed)
{
  const guint64 n = self->counts == HALT_FAIL      ? n_failed
                    : self->counts == HALT_SUCCESS ? n_done - n_failed
                                                   : n_done;

  if (self->number > 0)
    return n >= self->number;
  return self->percent > 0 && n >= HALT_MIN && (double)n * 100 >= self->percent * (double)n_done;
}
