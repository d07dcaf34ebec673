/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/plain-call.h"
#include "procfun/process/worker.h"

#ifndef __GI_SCANNER__ /* as core/plain-call.h */

/* A call when nothing happens but a call and its result. All else is for the Exchange, which goes
 * on with the call that was sent here. */

/* Arguments of plain_exchange_send_once(), in bytes. */
#define PLAIN_EXCHANGE_MAX ((gsize)4 * 1024)

/* Sends the call, by the ring of a worker that waits. FALSE: the worker is not ready for it, and
 * nothing was sent. *@mark: how much was sent before. */
gboolean plain_exchange_send (Worker *worker, PlainCall *plain, ChannelMark *mark);

/* The same by the socket, to a worker that was forked for this call. It ends when it is cleared. */
gboolean plain_exchange_send_once (Worker *worker, PlainCall *plain, ChannelMark *mark);

/* The same for a worker that a plain-source.h watches, maybe behind calls that it has. It is FALSE
 * where the CPU time of calls is limited, too: nobody would look at it. */
gboolean plain_exchange_send_watched (Worker *worker, PlainCall *plain, gboolean is_behind,
                                      ChannelMark *mark);

typedef enum
{
  PLAIN_EXCHANGE_NOTHING,
  PLAIN_EXCHANGE_RESULT,
  PLAIN_EXCHANGE_OTHER /* it is left as it is */
} PlainExchangeStatus;

/* Takes the result of call @call_id if it is there, without waiting. */
PlainExchangeStatus plain_exchange_take (Worker *worker, PlainCall *plain, guint32 call_id);

/* Waits for the result, for two milliseconds at most, or twenty for a process of its own. FALSE:
 * something else has come, or nothing, and is left as it is. */
gboolean plain_exchange_receive (Worker *worker, PlainCall *plain);

#endif
