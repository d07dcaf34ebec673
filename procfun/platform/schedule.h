/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* Lets this thread go on and sleep on that processor, if it may; all other processors stay open to
 * it. -1: none */
void schedule_go_to (int cpu);

/* Whether this thread runs on that processor now. The second also moves it to another processor, if
 * it may; the first one stays open to it. */
gboolean schedule_is_on (int cpu);
void schedule_leave (int cpu);

/* Between two looks at memory that another processor writes. */
void schedule_relax (void);

/* Makes this process wait, when it is woken, until others leave the processor, so that they do not
 * wait for its work. Only where it had the usual policy when this was first asked. Inherited by
 * fork(). */
void schedule_give_way (gboolean gives_way);
