/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

/* Report of a process's monitor, for people. */

/* Tables of its executors and of their processes. */
char *monitor_view_process (JsonNode *told);

/* Tables of processes, from their own words. (element-type JsonNode) */
char *monitor_view_list (GPtrArray *told);
