/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/base/sandbox.h"
#include "procfun/core/call.h"

G_BEGIN_DECLS

/* The sandbox of an executor, for calls that set none. Its owner has the lock. */
typedef struct
{
  ProcfunSandbox level;
  ProcfunSandboxRules *rules; /* (nullable) */
  SandboxPlan *plan;          /* (nullable): of both */
} ExecutorSandbox;

/* @rules: (nullable); taken, and may be those that it has. */
void executor_sandbox_set (ExecutorSandbox *self, ProcfunSandbox level, ProcfunSandboxRules *rules);
void executor_sandbox_copy (ExecutorSandbox *self, const ExecutorSandbox *other);
void executor_sandbox_clear (ExecutorSandbox *self);

/* The plan of a call. @keeps: processes are in the executor's sandbox already. (transfer full)
 * (nullable) */
SandboxPlan *executor_sandbox_choose (const ExecutorSandbox *self, ProcfunCall *call,
                                      gboolean keeps);

G_END_DECLS
