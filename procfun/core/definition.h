/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-definition.h"

G_BEGIN_DECLS

/* Called with each function whose library is unloaded, from any thread. */
void procfun_definitions_set_unload_hook (void (*hook) (ProcfunFunction *function));

/* Functions that macros define, of the executable and the loaded libraries, in the order of
 * registration. (transfer container) (element-type ProcfunFunction) */
GPtrArray *procfun_definitions_list_functions (void);

/* Number that changes with that list. */
guint procfun_definitions_get_generation (void);

/* Finds the first function of the executable (@path NULL) or of a shared library with this name and
 * this hash; NULL matches any. (transfer none) (nullable) */
ProcfunFunction *procfun_definitions_find (const char *path, const char *name, const char *hash);

/* Warns of functions in one module with the same signature that have registered since the last
 * time. */
void procfun_definitions_report_duplicates (void);

G_END_DECLS
