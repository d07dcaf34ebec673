/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* Translation of messages of the library. <glib/gi18n-lib.h> would need a bindtextdomain() at
 * start, and a library has no main(). */

#define _(text) intl_get (text)
#define N_(text) (text)

/* Locale of messages, for another process to use the same. */
const char *intl_get_locale (void);

/* Sets the locale for messages of the library, and for nothing else, in a process whose main() sets
 * none. To be called before another thread has a message. */
void intl_set_locale (const char *name);

const char *intl_get (const char *text) G_GNUC_FORMAT (1);
