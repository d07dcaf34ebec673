/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/table.h"

#define GAP 2

static void
append_row (GString *table, char *const *cells, const glong *widths, guint n_columns, guint right)
{
  for (guint i = 0; i < n_columns; i++)
    {
      int padding = (int)(widths[i] - g_utf8_strlen (cells[i], -1));
      gboolean is_right = (right >> i & 1) != 0;
      gboolean is_last = i + 1 == n_columns;

      g_string_append_printf (table, "%*s%s%*s", is_right ? padding : 0, "", cells[i],
                              (is_right || is_last ? 0 : padding) + (is_last ? 0 : GAP), "");
    }
}

GString *
table_make (GPtrArray *rows, guint n_columns, guint right)
{
  g_autofree glong *widths = g_new0 (glong, n_columns);
  GString *table = g_string_new (NULL);

  for (guint i = 0; i < rows->len; i++)
    for (guint k = 0; k < n_columns; k++)
      widths[k] = MAX (widths[k], g_utf8_strlen (((char **)rows->pdata[i])[k], -1));
  for (guint i = 0; i < rows->len; i++)
    {
      g_string_append (table, i > 0 ? "\n" : "");
      append_row (table, rows->pdata[i], widths, n_columns, right);
    }
  return table;
}
