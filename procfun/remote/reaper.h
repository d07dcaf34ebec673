/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/platform/process.h"

G_BEGIN_DECLS

/* Launchers that are to end. They are children of this process, and so are waited for. */
typedef struct
{
  GArray *launchers; /* (element-type EndingLauncher) */
} Reaper;

void reaper_init (Reaper *self);
void reaper_clear (Reaper *self);

/* Takes one that is to end by itself, or (@is_hung) at once. */
void reaper_take (Reaper *self, Process *process, gboolean is_hung);
gboolean reaper_has_any (const Reaper *self);

/* Looks after all. Returns when to look again: monotonic time in µs; G_MAXINT64: never. */
gint64 reaper_advance (Reaper *self, gint64 now);

G_END_DECLS
