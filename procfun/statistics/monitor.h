/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-monitor.h"

G_BEGIN_DECLS

/* Opens the monitor if PROCFUN_MONITOR=1. */
void monitor_open_if_asked (void);

/* Answers clients that connect to @listener, until @end is readable. */
void monitor_serve (int listener, int end);

G_END_DECLS
