/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/base/sandbox.h"
#include "procfun/platform/sandbox-apply.h"

/* The payload of a frame that tells a process what to shut itself into. */

/* (transfer none) (nullable): NULL with %PROCFUN_ERROR_SANDBOX set. */
GBytes *sandbox_to_bytes (SandboxPlan *plan, GError **error);

/* @order points into @bytes, and its lists are the caller's to free, but not what is in them. */
gboolean sandbox_from_bytes (SandboxOrder *order, GBytes *bytes, GError **error);
void sandbox_order_clear (SandboxOrder *order);
