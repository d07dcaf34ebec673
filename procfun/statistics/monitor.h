/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-monitor.h"

G_BEGIN_DECLS

/* Where PROCFUN_MONITOR=1 asks for it. */
void monitor_open_if_asked (void);

/* Answers those who connect to @listener, until something can be read from @end. */
void monitor_serve (int listener, int end);

G_END_DECLS
