/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/call.h"
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

/* Asynchronous wait for a call, which it holds. A GTask would cost a third of a call, and call back
 * one iteration of the main loop later. The result that the callback is given is the call itself,
 * since another object would cost a tenth of a call; for an item, of which there are many, it is an
 * object of its own. */
typedef struct _CallWait CallWait;

/* Called before the callback. @value and @error are borrowed. */
typedef void (*CallWaitFunc) (ProcfunCall *call, GVariant *value, GError *error);

/* Takes @executor; it and @at_end may be NULL. Returns a second reference for the function that
 * begins the call. No callback comes before that function has called call_wait_has_begun(). */
CallWait *call_wait_new (ProcfunCall *call, ProcfunExecutor *executor, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data, gpointer source_tag,
                         CallWaitFunc at_end);
void call_wait_unref (CallWait *self);

/* The call is the result, which comes once. */
void call_wait_set_final (CallWait *self);
void call_wait_has_begun (CallWait *self);

ProcfunCall *call_wait_get_call (CallWait *self);
ProcfunExecutor *call_wait_get_executor (CallWait *self);
GMainContext *call_wait_get_context (CallWait *self);

/* Takes @value and @error. Calls back in the main context of the waiter. */
void call_wait_end (CallWait *self, GVariant *value, GError *error);

/* For the functions that finish. */
gboolean call_wait_is_valid (GAsyncResult *result, ProcfunCall *call, gpointer source_tag);
GVariant *call_wait_finish (GAsyncResult *result, GError **error);

/* For the class of the call. */
void call_answer_clear (CallAnswer *self);
void call_init_async_result (GAsyncResultIface *iface);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CallWait, call_wait_unref)

G_END_DECLS
