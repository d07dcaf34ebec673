/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-registry.h"

G_BEGIN_DECLS

/* Finds a function that was registered at run time. (transfer none) (nullable) */
ProcfunFunction *procfun_registry_find_handler (ProcfunRegistry *self, const char *hash);

G_END_DECLS
