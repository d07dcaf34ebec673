/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-call.h"
#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

/* Link from the GCancellable of a waiter to the call: it cancels the call while the waiter waits.
 */
typedef struct
{
  GCancellable *cancellable; /* (nullable) */
  gulong handler;
} CallLink;

void call_link_init (CallLink *self, ProcfunCall *call, GCancellable *cancellable);
void call_link_clear (CallLink *self);

/* Asynchronous wait for a call, which it holds, and the result that its callback is given. A GTask
 * would cost a third of a call, and call back one iteration of the main loop later. */
#define CALL_TYPE_WAIT (call_wait_get_type ())
G_DECLARE_FINAL_TYPE (CallWait, call_wait, CALL, WAIT, GObject)

/* Called before the callback. @value and @error are borrowed. */
typedef void (*CallWaitFunc) (ProcfunCall *call, GVariant *value, GError *error);

/* Takes @executor; it and @at_end may be NULL. Returns a second reference for the function that
 * begins the call. No callback comes before that function has called call_wait_has_begun(). */
CallWait *call_wait_new (ProcfunCall *call, ProcfunExecutor *executor, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data, gpointer source_tag,
                         CallWaitFunc at_end);
void call_wait_has_begun (CallWait *self);

ProcfunCall *call_wait_get_call (CallWait *self);
ProcfunExecutor *call_wait_get_executor (CallWait *self);
GMainContext *call_wait_get_context (CallWait *self);

/* Takes @value and @error. Calls back in the main context of the waiter. */
void call_wait_end (CallWait *self, GVariant *value, GError *error);

/* For the functions that finish. */
gboolean call_wait_is_valid (GAsyncResult *result, ProcfunCall *call, gpointer source_tag);
GVariant *call_wait_finish (GAsyncResult *result, GError **error);

G_END_DECLS
