/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/exchange.h"

/* Waits until the exchange has ended, without a main context. The result, not floating; or NULL
 * with @error set. */
GVariant *exchange_run (Exchange *self, GError **error);

/* Either is set, and both are the receiver's. */
typedef void (*ExchangeFunc) (GVariant *result, GError *error, gboolean was_begun,
                              gpointer user_data);

/* Takes @self, and gives what comes of it to @func, from @context: never at once, and not at all
 * when that goes away. */
void exchange_run_async (Exchange *self, GMainContext *context, ExchangeFunc func,
                         gpointer user_data);

/* The next item of a generator, not floating; or NULL when the exchange has ended, whose outcome
 * can be asked for then. */
GVariant *exchange_wait_for_item (Exchange *self);

/* Drives @self from @context, until @callback removes the source; it is called after each step.
 * (transfer none) */
GSource *exchange_source_attach (Exchange *self, GMainContext *context, GSourceFunc callback,
                                 gpointer user_data, GDestroyNotify destroy);

/* Called after the exchange was driven by other means. */
void exchange_source_update (GSource *source);
