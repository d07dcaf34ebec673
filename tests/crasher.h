/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Throws a C++ exception that nobody catches. */
void crasher_throw (void);

G_END_DECLS
