/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-launch-context.h"
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* Wire form: an a{sv} for platform/launch-context-apply.h, and its descriptors. Floating; @fds:
 * (nullable) (transfer full). */
GVariant *procfun_launch_context_to_variant (ProcfunLaunchContext *self, GUnixFDList **fds);

/* From another machine, without descriptors; what cannot have been made by the other is left out.
 * @variant is in normal form. */
ProcfunLaunchContext *procfun_launch_context_from_variant (GVariant *variant);

G_END_DECLS
