/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/fields.h"

#include "procfun/base/intl.h"
#include <procfun.h>
#include <string.h>

/* Appends what is between the quotes, of which the first is at @at, and gives the place after the
 * last. (nullable): there is none */
static const char *
read_quoted (GString *field, const char *at, const char *end)
{
  for (at++; at < end; at++)
    {
      if (*at == '"' && (at + 1 == end || at[1] != '"'))
        return at + 1;
      if (*at == '"')
        at++;
      g_string_append_c (field, *at);
    }
  return NULL;
}

static gboolean
refuse (GError **error, const char *message)
{
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE, message);
  return FALSE;
}

static gboolean
split_quoted (GPtrArray *fields, const char *at, const char *end, char gap, GError **error)
{
  for (;;)
    {
      g_autoptr (GString) field = g_string_new (NULL);

      if (at < end && *at == '"')
        {
          at = read_quoted (field, at, end);
          if (at == NULL)
            return refuse (error, _ ("a quote is not closed"));
          if (at < end && *at != gap)
            return refuse (error, _ ("there is something after a closing quote"));
        }
      else
        {
          const char *stop = memchr (at, gap, (gsize)(end - at));

          stop = stop != NULL ? stop : end;
          g_string_append_len (field, at, stop - at);
          at = stop;
        }
      g_ptr_array_add (fields, g_string_free (g_steal_pointer (&field), FALSE));
      if (at == end)
        return TRUE;
      at++;
    }
}

char **
fields_split (const char *text, gsize size, const char *gap, gboolean is_quoted, GError **error)
{
  g_autoptr (GPtrArray) fields = g_ptr_array_new_with_free_func (g_free);

  if (size > 0 && text[size - 1] == '\r')
    size--;
  if (memchr (text, '\0', size) != NULL)
    {
      refuse (error, _ ("a NUL byte cannot be in a field"));
      return NULL;
    }
  if (!is_quoted)
    {
      g_autofree char *copy = g_strndup (text, size);

      return size > 0 ? g_strsplit (copy, gap, -1) : g_strdupv ((char *[]){ (char *)"", NULL });
    }
  if (!split_quoted (fields, text, text + size, gap[0], error))
    return NULL;
  g_ptr_array_add (fields, NULL);
  return (char **)g_ptr_array_steal (fields, NULL);
}
