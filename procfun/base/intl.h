/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* Translation of the library's own messages. GLib's <glib/gi18n-lib.h> would look them up, but
 * nobody would have said where they lie: a library has no main in which to call bindtextdomain. */

#define _(text) intl_get (text)
#define N_(text) (text)

/* The locale that messages come in, for another process to word its own alike. */
const char *intl_get_locale (void);

/* For a process whose main() sets none: messages of the library come in this locale, and nothing
 * else does. To be called before any is worded in another thread. */
void intl_set_locale (const char *name);

const char *intl_get (const char *text) G_GNUC_FORMAT (1);
const char *intl_get_plural (const char *one, const char *many, gulong n) G_GNUC_FORMAT (1)
    G_GNUC_FORMAT (2);
