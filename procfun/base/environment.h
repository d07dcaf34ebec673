/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Variables by which users set what the program leaves open. A program with more rights than who
 * runs it ignores them. */

/* This is such a program. */
gboolean environment_is_secure (void);

/* (nullable) */
const char *environment_get (const char *name);

/* PROCFUN_TIMEOUT, read once: in µs; 0: none. */
gint64 environment_get_timeout (void);
