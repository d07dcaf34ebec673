/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/worker.h"

/* Processes that a zygote has forked ahead. */
typedef GQueue Spares; /* (element-type Spare) */

/* Takes the contents of @worker. */
void spares_push (Spares *self, Worker *worker);

/* FALSE: none of them is alive. @zygote: they end with it. */
gboolean spares_take (Spares *self, Process *zygote, Worker *worker);

/* Ends them. */
void spares_clear (Spares *self);
