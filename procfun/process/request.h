/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/exchange.h"
#include "procfun/process/worker.h"

/* Queues what a child is told: how it is to be, if it does not know or is to be otherwise, and what
 * it is to call. @flags: FrameCallFlags. @arguments: (nullable) when it has them already. */
void request_send (Worker *worker, ProcfunCall *call, const ExchangeOptions *options, guint64 flags,
                   GBytes *arguments);

/* Says that a call comes, before its arguments are copied, which may take longer than a process
 * waits for a call. */
void request_announce (Channel *channel);

/* How a process, or all children of a zygote, are to be. @arena_idle: in ms */
void request_send_setup (Channel *channel, ProcfunFunction *function,
                         const ExchangeOptions *options, guint arena_idle);

/* Of the module that the caller found @function in, which the child must have, too. */
const char *request_get_identity (ProcfunFunction *function);
