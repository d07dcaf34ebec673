/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* Calls a function as a child would, but in this process: the arguments become a GVariant, that
 * bytes, these arguments again, and likewise the result. @values[i] points to the i-th argument. */
gboolean thunk_call (const ProcfunDefinition *definition, gconstpointer const *values,
                     gpointer result, GError **error);
