/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The fields of a record, which @gap separates. With @is_quoted a field may stand in quotes, as in
 * RFC 4180. A CR at the end of the record is none of its text. (transfer full) (nullable) */
char **fields_split (const char *text, gsize size, const char *gap, gboolean is_quoted,
                     GError **error);
