/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Number of CPUs that this process may really use, by its affinity and by the quota of the control
 * groups that it is in; at least 1. */
guint cpus_count (void);
