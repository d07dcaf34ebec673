/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-definition.h"

G_BEGIN_DECLS

/* Called with each function whose library is unloaded, from any thread. */
void procfun_definitions_set_unload_hook (void (*hook) (ProcfunFunction *function));

/* The functions of all macros in the executable and the loaded libraries, in the order in which
 * they registered. (transfer container) (element-type ProcfunFunction) */
GPtrArray *procfun_definitions_list_functions (void);

/* Changes whenever that list does. */
guint procfun_definitions_get_generation (void);

/* The first function of the executable (@path NULL) or of a shared library that has this name and
 * this hash, where they are not NULL. (transfer none) (nullable) */
ProcfunFunction *procfun_definitions_find (const char *path, const char *name, const char *hash);

/* Says which functions of one module have the same signature, if any registered since the last
 * time. */
void procfun_definitions_report_duplicates (void);

G_END_DECLS
