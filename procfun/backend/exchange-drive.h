/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/backend/exchange.h"

/* Waits until the exchange has ended, without a main context. The result, not floating; or NULL
 * with @error set. */
GVariant *exchange_run (Exchange *self, GCancellable *cancellable, GError **error);

/* Takes @self and @task, and returns a GVariant through it, from the task's context. */
void exchange_run_async (Exchange *self, GCancellable *cancellable, GTask *task);
