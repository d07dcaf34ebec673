/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rights of a decoder: files come from anywhere. */

#include "workers.h"

#define MEMORY (G_GUINT64_CONSTANT (512) << 20)
#define PIXELS (G_GUINT64_CONSTANT (256) << 20)
#define NICE 10

ProcfunLimits *
workers_get_limits (void)
{
  ProcfunLimits *limits = procfun_limits_new ();

  procfun_limits_set_memory (limits, MEMORY);
  procfun_limits_set_result_size (limits, PIXELS);
  return limits;
}

/* Decoders read files, change none and open no socket. A system that has no Landlock gives them
 * what it has. They leave the processor to the window. */
void
workers_confine (ProcfunProcessExecutor *executor)
{
  g_autoptr (ProcfunSandboxRules) rules = procfun_sandbox_rules_new ();
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();

  procfun_sandbox_rules_set_best_effort (rules, TRUE);
  procfun_process_executor_set_sandbox (executor, PROCFUN_SANDBOX_READ_ONLY);
  procfun_process_executor_set_sandbox_rules (executor, rules);
  procfun_launch_context_set_nice (context, NICE);
  procfun_process_executor_set_launch_context (executor, context);
}

ProcfunPool *
workers_new (void)
{
  ProcfunPool *pool = procfun_pool_new (0);
  g_autoptr (ProcfunLimits) limits = workers_get_limits ();

  workers_confine (PROCFUN_PROCESS_EXECUTOR (pool));
  procfun_pool_set_worker_limits (pool, limits);
  procfun_pool_set_max_retries (pool, 1);
  return pool;
}
