/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/wire/frame.h"
#include <sys/types.h>

/* Exit statuses of processes that a zygote has reaped, the last of them. */
typedef GArray Deaths; /* (element-type FrameExited) */

Deaths *deaths_new (void);
void deaths_free (Deaths *self);

/* @frame: of the type EXITED */
void deaths_note (Deaths *self, const Frame *frame);

gboolean deaths_get_status (const Deaths *self, pid_t pid, int *wait_status);
