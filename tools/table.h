/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Lines of text with columns under each other, without a newline at the end. Each of @rows is a
 * GStrv with @n_columns cells; columns whose bit is set in @right are aligned to the right. */
GString *table_make (GPtrArray *rows, guint n_columns, guint right);
