/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* @owner is borrowed. */
void waiter_init (Waiter *self, const SlotRequest *request, const Owner *owner);

/* Puts it into the queue, or back to its old place. With the lock held. */
void waiter_push (Waiter *self, Scheduler *scheduler);

/* FALSE: it waits in vain: it was cancelled, or is late, or is dropped; or has no call, and the
 * scheduler is closed. With the lock held. */
gboolean waiter_goes_on (const Waiter *self, const Scheduler *scheduler);

/* Sets the error that tells so. Without the lock: handlers of a cancellable may want it. */
void waiter_set_error (const Waiter *self, GError **error);
