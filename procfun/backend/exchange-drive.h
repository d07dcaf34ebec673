/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/backend/exchange.h"

/* Waits until the exchange has ended, without a main context. The result, not floating; or NULL
 * with @error set. */
GVariant *exchange_run (Exchange *self, GCancellable *cancellable, GError **error);

/* Takes @self and @task, and returns a GVariant through it, from the task's context. */
void exchange_run_async (Exchange *self, GCancellable *cancellable, GTask *task);

/* The next item of a generator, not floating; or NULL when the exchange has ended: what came of it
 * can be asked then. */
GVariant *exchange_wait_for_item (Exchange *self, GCancellable *cancellable);

/* Drives @self from the context of @task, until @callback removes the source; it is called after
 * each step. (transfer none) */
GSource *exchange_source_attach (Exchange *self, GCancellable *cancellable, GTask *task,
                                 GSourceFunc callback, gpointer user_data, GDestroyNotify destroy);

/* Somebody else has driven it meanwhile. */
void exchange_source_update (GSource *source);
