/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-launcher.h"
#include "procfun/remote/host-spec.h"

G_BEGIN_DECLS

/* Its settings at this moment, as those of a host. (transfer full) */
HostSpec *launcher_make_spec (ProcfunLauncher *self);

G_END_DECLS
