/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Text of somebody else, for a terminal or a log: valid UTF-8 in which each character that would
 * steer a terminal, or turn round the text beside it, is U+FFFD. A line feed and a tab stay; a
 * carriage return goes. @length may be -1. (transfer full) */
char *readable_text (const char *text, gssize length);

/* The same as one line: white space of any kind is a space. */
char *readable_line (const char *text, gssize length);

G_END_DECLS
