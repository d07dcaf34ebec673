/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/child/serve.h"

G_BEGIN_DECLS

/* A call from its encoded arguments to its encoded result, by GVariant's codec or JSON, without a
 * GVariant in between. */

/* FALSE: the function cannot take its arguments that way. */
gboolean packed_call_prepare (Server *self, const Frame *frame);

/* Runs it. (nullable): with @error; or with *@value, which is to be encoded: it is large, or cannot
 * be written. */
GBytes *packed_call_run (Server *self, GVariant **value, GError **error);

G_END_DECLS
