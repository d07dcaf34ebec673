/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* Waits for a worker. Fails with %G_IO_ERROR_CANCELLED, %PROCFUN_ERROR_TIMED_OUT,
 * %PROCFUN_ERROR_SPAWN, %PROCFUN_ERROR_CLOSED for a session, or %PROCFUN_ERROR_NESTED when all
 * workers are this thread's own, so that it would wait for ever. */
WorkerSlot *scheduler_acquire (Scheduler *self, const SlotRequest *request, GError **error);

/* For a plain call, which waits only where all workers are there and busy. (nullable): without an
 * error where it is to be made an object; if it has waited, the scheduler may be closed by now, and
 * has taken it before. */
WorkerSlot *scheduler_acquire_plain (Scheduler *self, const SlotRequest *request, PlainWait *wait,
                                     GError **error);

/* (nullable): without an error when there is none to have now. */
WorkerSlot *scheduler_try_acquire (Scheduler *self, const SlotRequest *request, GError **error);

/* The same without waiting: @callback comes, maybe at once, or in @context. What @request points to
 * must stay until then. */
void scheduler_acquire_async (Scheduler *self, const SlotRequest *request, GMainContext *context,
                              SlotFunc callback, gpointer user_data);
