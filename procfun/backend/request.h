/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/backend/exchange.h"
#include "procfun/wire/channel.h"

/* What a child is told first: how it is to be, and what it is to call. @arguments: (nullable) when
 * it has them already. */
void request_send (Channel *channel, ProcfunCall *call, const ExchangeOptions *options,
                   GBytes *arguments);

/* Of the module that the caller found @function in, which the child must have, too. */
const char *request_get_identity (ProcfunFunction *function);
