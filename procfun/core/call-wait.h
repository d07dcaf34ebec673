/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-call.h"
#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

/* What somebody who waits for a call gave to cancel with: as long as they wait, it cancels the
 * call. */
typedef struct
{
  GCancellable *cancellable; /* (nullable) */
  gulong handler;
} CallLink;

void call_link_init (CallLink *self, ProcfunCall *call, GCancellable *cancellable);
void call_link_clear (CallLink *self);

/* Somebody waits for a call asynchronously; what the callback is given as the result. Until the end
 * it holds only a toggle reference to a call that is not detached, so that it is noticed when
 * nobody else holds the call any more.
 *
 * It does what a GTask does, which at the end would be the third of a call, in another iteration of
 * the main loop. */
#define CALL_TYPE_WAIT (call_wait_get_type ())
G_DECLARE_FINAL_TYPE (CallWait, call_wait, CALL, WAIT, GObject)

/* Told to the call before the callback is called: @value and @error are borrowed. */
typedef void (*CallWaitFunc) (ProcfunCall *call, GVariant *value, GError *error);

/* Takes @executor, which may be NULL, as @at_end may. Whoever made it also has a reference of its
 * own, and tells when the function that begins returns, before which no callback may come. */
CallWait *call_wait_new (ProcfunCall *call, ProcfunExecutor *executor, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data, gpointer source_tag,
                         CallWaitFunc at_end);
void call_wait_has_begun (CallWait *self);

ProcfunCall *call_wait_get_call (CallWait *self);
ProcfunExecutor *call_wait_get_executor (CallWait *self);
GMainContext *call_wait_get_context (CallWait *self);

/* Takes @value and @error, and goes to the main context of who waits unless it is there. */
void call_wait_end (CallWait *self, GVariant *value, GError *error);

/* For who was called back. */
gboolean call_wait_is_valid (GAsyncResult *result, ProcfunCall *call, gpointer source_tag);
GVariant *call_wait_finish (GAsyncResult *result, GError **error);

G_END_DECLS
