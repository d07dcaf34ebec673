/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-sandbox.h"

/* Sandbox that a process is to enter. */
typedef struct
{
  ProcfunSandbox level;
  gboolean best_effort;
  gconstpointer filter; /* see platform/syscall-filter.h; NULL: there is none to be had */
  gsize filter_size;
  const char *const *writable;
  const char *const *readable; /* (nullable): all */
  int ruleset_fd;              /* of sandbox_prepare(); -1: none */
} SandboxOrder;

/* Sandbox that it is in: the highest level that is whole, and all parts. */
typedef struct
{
  guint32 level;
  guint32 parts; /* ProcfunSandboxParts */
} SandboxState;

/* Opens what is needed to apply it, and what the library needs behind it, before limits are
 * applied. */
gboolean sandbox_prepare (SandboxOrder *order, GError **error);

/* In a process with one thread, when its limits are applied: this cannot be undone. May be done
 * again, which takes away more. FALSE: a part cannot be had, and @error, %PROCFUN_ERROR_SANDBOX,
 * names it; what came before it is applied. */
gboolean sandbox_apply (const SandboxOrder *order, SandboxState *state, GError **error);
