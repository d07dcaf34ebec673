/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gunixfdlist.h>

/* Whether @cpus is a list of CPUs like 0-3,6: %PROCFUN_ERROR_INVALID. */
gboolean launch_context_check_cpus (const char *cpus, GError **error);

/* In the child: applies a ProcfunLaunchContext that came over the wire. %PROCFUN_ERROR_SPAWN. */
gboolean launch_context_apply (GVariant *context, GUnixFDList *fds, GError **error);
