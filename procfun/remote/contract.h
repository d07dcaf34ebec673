/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-function.h"

/* Contract of a function, which is equal in two programs that may run it for each other: 64 bits of
 * the SHA-256 of its description, with the names and types of arguments and fields, and the values
 * of enums. The hash of the signature has no names: it is the same when two fields are swapped. */
guint64 contract_get (ProcfunFunction *function);
