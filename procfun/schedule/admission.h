/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* Room in the queue for one more call, kept until scheduler_leave_admission(). Fails with
 * %PROCFUN_ERROR_BUSY, or waits, and fails with %G_IO_ERROR_CANCELLED, %PROCFUN_ERROR_CLOSED, or
 * %PROCFUN_ERROR_NESTED when only this thread could make room. */
gboolean scheduler_try_admit (Scheduler *self, ProcfunFunction *function, GError **error);
gboolean scheduler_admit (Scheduler *self, ProcfunFunction *function, GCancellable *cancellable,
                          GError **error);
void scheduler_leave_admission (Scheduler *self);

/* The same without waiting: @callback comes, maybe at once, in this thread's main context. */
typedef void (*AdmissionFunc) (GError *error, gpointer user_data);
void scheduler_admit_async (Scheduler *self, GCancellable *cancellable, AdmissionFunc callback,
                            gpointer user_data);

/* All of them, since it is closed. With the lock held. */
void scheduler_wake_submitters (Scheduler *self);
