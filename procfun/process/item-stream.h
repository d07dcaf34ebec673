/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/exchange.h"

/* The exchange of a generator's call. It stays with the call from one item to the next; once
 * somebody has waited asynchronously, it goes on meanwhile, in the same main context. */
typedef struct _ItemStream ItemStream;

/* Takes @exchange. */
ItemStream *item_stream_new (Exchange *exchange);
void item_stream_free (gpointer self);

/* The next item, not floating; NULL with @error set, or without at the end. */
GVariant *item_stream_next (ItemStream *self, GError **error);

/* Takes @task, and returns through it what the other would return, from the task's context. */
void item_stream_next_async (ItemStream *self, GTask *task);
