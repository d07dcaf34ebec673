/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/plain-call.h"
#include "procfun/process/worker.h"

#ifndef __GI_SCANNER__ /* as core/plain-call.h */

/* Waits in a main context for the results of plain calls of one worker. It stays there between two
 * calls, and belongs to the worker meanwhile: see worker_keep_source(). */

/* @has_result: FALSE: something else has happened, and an exchange has to go on with it. Called in
 * the main context, which is the thread's default then. */
typedef void (*PlainSourceFunc) (GSource *source, gboolean has_result, gpointer user_data);

/* The source of @worker, which nobody else uses. The thread owns @context, which must stay until
 * @func was called. (transfer none). The first form is (nullable): it has none there. */
GSource *plain_source_find (const Worker *worker, GMainContext *context);
GSource *plain_source_get (Worker *worker, GMainContext *context);

/* Waits for the result of @plain, the last call that was sent to the worker. Something else has
 * happened, too, when the monotonic time @until has come, in µs, if that is not 0, or when somebody
 * sets the ready time of the source. */
void plain_source_run (GSource *source, PlainCall *plain, gint64 until, PlainSourceFunc func,
                       gpointer user_data);

/* Keeps an object from one call to the next. (nullable) (transfer full) */
void plain_source_keep (GSource *source, gpointer object);
gpointer plain_source_steal_kept (GSource *source);

#endif
