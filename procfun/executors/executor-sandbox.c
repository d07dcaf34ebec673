/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/executors/executor-sandbox.h"

#include "procfun/core/function.h"

static SandboxPlan *
ref_plan (SandboxPlan *plan)
{
  return plan != NULL ? sandbox_plan_ref (plan) : NULL;
}

static SandboxPlan *
make_plan (ProcfunSandbox level, const ProcfunSandboxRules *rules)
{
  if (level == PROCFUN_SANDBOX_NONE)
    return NULL;
  return rules != NULL ? sandbox_plan_new (level, rules)
                       : sandbox_plan_ref (sandbox_plan_of_level (level));
}

void
executor_sandbox_set (ExecutorSandbox *self, ProcfunSandbox level, ProcfunSandboxRules *rules)
{
  if (rules != self->rules)
    g_clear_pointer (&self->rules, procfun_sandbox_rules_free);
  g_clear_pointer (&self->plan, sandbox_plan_unref);
  self->level = level;
  self->rules = rules;
  self->plan = make_plan (level, rules);
}

void
executor_sandbox_copy (ExecutorSandbox *self, const ExecutorSandbox *other)
{
  self->level = other->level;
  self->rules = other->rules != NULL ? procfun_sandbox_rules_copy (other->rules) : NULL;
  self->plan = ref_plan (other->plan);
}

void
executor_sandbox_clear (ExecutorSandbox *self)
{
  g_clear_pointer (&self->rules, procfun_sandbox_rules_free);
  g_clear_pointer (&self->plan, sandbox_plan_unref);
}

SandboxPlan *
executor_sandbox_choose (const ExecutorSandbox *self, ProcfunCall *call, gboolean keeps)
{
  const CallSettings *settings = procfun_call_get_settings (call);
  const ProcfunSandbox least = function_get_sandbox (procfun_call_peek_function (call));
  const ProcfunSandboxRules *rules
      = settings->sandbox_rules != NULL ? settings->sandbox_rules : self->rules;
  ProcfunSandbox level = settings->has_sandbox ? settings->sandbox : self->level;
  SandboxPlan *plan;

  level = MAX (level, keeps ? self->level : PROCFUN_SANDBOX_NONE);
  if (settings->sandbox_rules == NULL && least == PROCFUN_SANDBOX_NONE && level == self->level)
    return ref_plan (self->plan);
  plan = make_plan (MAX (level, least), rules);
  if (plan != NULL && rules != NULL && least != PROCFUN_SANDBOX_NONE)
    plan->best_effort = FALSE;
  return plan;
}
