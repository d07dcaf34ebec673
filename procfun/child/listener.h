/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/wire/channel.h"

/* A thread that hears from the caller while the function runs: from now on nobody else may read the
 * channel. */
void listener_start (Channel *channel, GCancellable *cancellable);
