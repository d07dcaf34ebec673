/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/plain-async.h"
#include "procfun/process/worker.h"

#ifndef __GI_SCANNER__ /* as core/plain-call.h */

/* Waits in a main context for the results of plain calls of one worker. It stays there between two
 * calls, and belongs to the worker meanwhile: see worker_keep_source(). */

/* @has_result: FALSE: something else has happened, and exchanges have to go on with it, and with
 * what plain_source_pop() gives. Called in the main context, which is the thread's default then. */
typedef void (*PlainSourceFunc) (GSource *source, PlainAsync *async, gboolean has_result);

/* The source of @worker, which nobody else uses. The thread owns @context, which must stay as long
 * as there is a call. (transfer none). The first form is (nullable): it has none there. */
GSource *plain_source_find (const Worker *worker, GMainContext *context);
GSource *plain_source_get (Worker *worker, GMainContext *context, PlainSourceFunc func);

/* Waits for the result of @async (transfer full), the last call that was sent to the worker, behind
 * those that it waits for already. Something else has happened, too, when one of them has taken
 * @timeout, in µs, if that is not 0, or when somebody sets the ready time of the source. */
void plain_source_push (GSource *source, PlainAsync *async, gint64 timeout);
PlainAsync *plain_source_pop (GSource *source); /* (transfer full) (nullable) */
gboolean plain_source_is_empty (GSource *source);

/* When the last one was taken: monotonic time in µs. */
gint64 plain_source_get_ended_at (GSource *source);

/* Keeps an object from one call to the next. (nullable) (transfer full) */
void plain_source_keep (GSource *source, gpointer object);
gpointer plain_source_steal_kept (GSource *source);

#endif
