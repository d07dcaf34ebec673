/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

G_BEGIN_DECLS

typedef void (*DeathFunc) (void);

/* Ways for a process to come to its end, by the names of their functions; "raise-6" raises that
 * signal. (nullable) */
DeathFunc deaths_find (const char *name);

PROCFUN_DECLARE_FUNCTION (die_of, void, (const char *, name), (gboolean, in_thread))

/* (nullable): why that death cannot be tried as these tests are built; “/in-thread” may stand
 * behind its name. */
const char *deaths_get_obstacle (const char *name);

/* Throws a C++ exception that nobody catches. */
void deaths_throw (void);

G_END_DECLS
