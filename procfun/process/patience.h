/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-call.h"

/* How long somebody waits for a process. */
typedef struct
{
  ProcfunCall *call;         /* (nullable): until that is cancelled, or its deadline is over */
  GCancellable *cancellable; /* (nullable): until this trips */
} Patience;

gboolean patience_is_over (const Patience *self);

/* Says so, if it is over, of what was to be called. */
gboolean patience_set_error (const Patience *self, ProcfunFunction *function, GError **error);
