/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Difference between two builds of a program. */

#include "tests/hosts.h"

PROCFUN_DEFINE_FUNCTION (build, gint32) { return 1; }
