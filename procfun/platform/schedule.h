/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* Whether this process, when it is woken, waits until others leave the processor: it is not they
 * who shall wait for what it does. Only where it is scheduled as most are. Inherited by fork(). */
void schedule_give_way (gboolean gives_way);
