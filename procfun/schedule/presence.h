/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* Whether anybody runs the main contexts whose calls have workers. A probe is sent to such a main
 * context while others wait for its workers. If the probe does not come back in time, nobody runs
 * the main context: it is absent, its workers do not count, and nothing is assigned to it until it
 * is back. The scheduler's lock is held. */

#define PRESENCE_LOOK_US (G_USEC_PER_SEC / 2)

/* Whether workers belong to main contexts other than @context (nullable). */
gboolean presence_is_needed (Scheduler *self, GMainContext *context);

/* Sends probes, and looks for those that have not come back. TRUE: another main context is absent.
 */
gboolean presence_look (Scheduler *self);

gboolean presence_is_absent (Scheduler *self, GMainContext *context);

/* Workers of absent main contexts. */
guint presence_count_absent (Scheduler *self);
