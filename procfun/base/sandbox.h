/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-sandbox.h"

G_BEGIN_DECLS

/* A level with its rules, which never change: two plans are the same if their pointers are. */
typedef struct
{
  gatomicrefcount ref_count;
  ProcfunSandbox level;
  gboolean best_effort;
  char **writable; /* folders and files */
  char **readable; /* (nullable): all */
  GBytes *bytes;   /* (nullable): for the wire, once it was asked for */
} SandboxPlan;

/* @rules: (nullable) */
SandboxPlan *sandbox_plan_new (ProcfunSandbox level, const ProcfunSandboxRules *rules);
SandboxPlan *sandbox_plan_ref (SandboxPlan *self);
void sandbox_plan_unref (SandboxPlan *self);

/* The whole level without rules. Lives for ever. */
SandboxPlan *sandbox_plan_of_level (ProcfunSandbox level);

/* For another machine: (floating) */
#define SANDBOX_RULES_TYPE "(baayaay)"
GVariant *sandbox_rules_to_variant (const ProcfunSandboxRules *self);
ProcfunSandboxRules *sandbox_rules_from_variant (GVariant *variant);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SandboxPlan, sandbox_plan_unref)

G_END_DECLS
