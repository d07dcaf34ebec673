/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Talks with programs whose monitor is open. */

/* Their numbers. Removes what processes left that were killed. (transfer full) (element-type int)
 */
GArray *monitor_list_processes (GError **error);

/* -1 with an error when there is none. */
int monitor_connect (int pid, GError **error);

/* Asks for a thing, which ends with @end. */
char *monitor_ask (int fd, const char *request, const char *end, GError **error);
