/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/plain-async.h"
#include "procfun/executors/process-executor.h"

G_BEGIN_DECLS

#ifndef __GI_SCANNER__ /* as core/plain-call.h */

/* Goes on with a call that was sent to the worker of @slot: something else than its result has
 * come, or nothing yet. It becomes an object, and is run to its end. @mark: what was sent before
 * it. */
void process_plain_go_on (ProcfunExecutor *executor, PlainCall *plain, WorkerSlot *slot,
                          const ChannelMark *mark);

/* Runs one that was not sent, as an object, in place of the executor that has taken it. */
void process_plain_run (ProcfunExecutor *executor, PlainCall *plain);

/* As process_plain_go_on(), for a call whose receiver waits in a main context, and for all behind
 * it in @source, a plain-source.h. The second form is for one that was not sent, and waited for
 * @slot, with the settings @shared; that takes @error; or, where there is neither, for one that
 * waits anew. */
void process_plain_go_on_async (PlainAsync *async, GSource *source);
void process_plain_begin_async (PlainAsync *async, GMainContext *context, WorkerSlot *slot,
                                const Preparation *shared, GError *error);

/* The main context in which an asynchronous call of this thread waits. @is_acquired: in return,
 * whether it is to be released; within one of its callbacks it is not. (nullable): another thread
 * runs it, and it could not be seen to from here. */
GMainContext *process_plain_acquire_context (gboolean *is_acquired);

/* Lets the call wait in the queue of @self, which makes it small: it has no object meanwhile, and
 * its `settings` are what the executor has now. FALSE: it cannot be. @on_slot takes the object and
 * these settings, and never comes at once. The thread owns @context. */
gboolean process_plain_queue (ProcfunProcessExecutor *self, PlainCall *plain, GMainContext *context,
                              SlotFunc on_slot);

#endif

G_END_DECLS
