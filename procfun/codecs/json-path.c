/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/json-path.h"

#include "procfun/procfun-error.h"

#include <string.h>

#define EXCERPT_LENGTH 60 /* bytes */

char *
wire_json_excerpt (const char *text, gsize length)
{
  const char *end = text + MIN (length, EXCERPT_LENGTH);

  if (length <= EXCERPT_LENGTH)
    return g_strndup (text, length);
  while (end > text && (*end & 0xc0) == 0x80)
    end--;
  return g_strdup_printf ("%.*s…", (int)(end - text), text);
}

static void
append_name (GString *path, const char *name, gsize length)
{
  g_autofree char *excerpt = wire_json_excerpt (name, length);

  for (const char *p = excerpt; *p != '\0'; p++)
    {
      if (*p == '~')
        g_string_append (path, "~0");
      else if (*p == '/')
        g_string_append (path, "~1");
      else if ((guchar)*p < 0x20 || *p == 0x7f)
        g_string_append_printf (path, "\\u%04x", (guint)*p);
      else
        g_string_append_c (path, *p);
    }
}

static void
append_place (GString *path, const JsonPlace *self)
{
  if (self == NULL)
    return;
  append_place (path, self->parent);
  g_string_append_c (path, '/');
  if (self->name != NULL)
    append_name (path, self->name,
                 self->number == JSON_PLACE_WHOLE ? strlen (self->name) : self->number);
  else
    g_string_append_printf (path, "%" G_GSIZE_FORMAT, self->number);
}

char *
wire_json_place_to_string (const JsonPlace *self)
{
  GString *path = g_string_new (NULL);

  append_place (path, self);
  if (path->len == 0)
    g_string_append_c (path, '/');
  return g_string_free (path, FALSE);
}

gboolean
wire_json_set_error (GError **error, int code, const JsonPlace *place, const char *format, ...)
{
  g_autofree char *path = wire_json_place_to_string (place);
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, PROCFUN_ERROR, code, "%s: %s", path, message);
  return FALSE;
}
