/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-call.h"

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

/* Somebody waits for a call asynchronously. It holds only a toggle reference to the call, and makes
 * the task at the end, so that it is noticed when nobody else holds the call any more. */
typedef struct _CallWait CallWait;

/* Told to the call before the callback is called: @value and @error are borrowed. */
typedef void (*CallWaitFunc) (ProcfunCall *call, GVariant *value, GError *error);

CallWait *call_wait_new (ProcfunCall *call, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data, gpointer source_tag, CallWaitFunc at_end);

ProcfunCall *call_wait_get_call (CallWait *self);

/* Both take all that they are given. The first is for the main context of who waits, the second
 * goes there. */
void call_wait_end (CallWait *self, GVariant *value, GError *error);
void call_wait_fail_later (CallWait *self, GError *error);

G_END_DECLS
