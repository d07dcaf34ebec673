/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* Continues on that processor, if it may, and sleeps there; all others stay open to it. -1: none */
void schedule_go_to (int cpu);

/* Whether this thread runs on that processor now, and continues on another one, if it may; that one
 * stays open to it, too. */
gboolean schedule_is_on (int cpu);
void schedule_leave (int cpu);

/* Between two looks at memory that another processor writes. */
void schedule_relax (void);

/* Whether this process, when it is woken, waits until others leave the processor: it is not they
 * who shall wait for what it does. Only where it was scheduled as most are when
 * this was first asked. Inherited by fork(). */
void schedule_give_way (gboolean gives_way);
