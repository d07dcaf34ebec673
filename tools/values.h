/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Values of options, as people write them. The errors name @option. */

/* "2", "2s", "0.5", "300ms", "5min": in µs, more than nothing. */
gboolean value_read_time (const char *option, const char *text, gint64 *us, GError **error);

/* "200M", as procfun_limits_new_from_string() reads sizes: in bytes. */
gboolean value_read_size (const char *option, const char *text, guint64 *bytes, GError **error);

/* "4"; "50%", "+1" or "-1" of the CPUs; "0" for as many as CPUs: at least 1. */
gboolean value_read_jobs (const char *option, const char *text, guint *n, GError **error);

/* "12.5 µs", "3.25 ms". (transfer full) */
char *value_describe_time (double us);
