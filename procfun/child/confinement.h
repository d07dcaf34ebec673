/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/platform/sandbox-apply.h"
#include "procfun/procfun-function.h"
#include "procfun/wire/channel.h"

/* The sandbox that a process has, and the one that it is to have. */
typedef struct
{
  GBytes *bytes;      /* (nullable): of the order */
  SandboxOrder order; /* while it is prepared */
  SandboxState state;
} Confinement;

void confinement_take_order (Confinement *self, GBytes *bytes);

/* Before limits are applied. FALSE: the order cannot be carried out. */
gboolean confinement_prepare (Confinement *self, GError **error);

/* Carries it out, and tells the caller. */
gboolean confinement_enter (Confinement *self, Channel *channel, GError **error);

/* FALSE: the definition of @function asks for more than there is. */
gboolean confinement_check (const Confinement *self, ProcfunFunction *function, GError **error);
