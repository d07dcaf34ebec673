/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Settings of a call, which are fixed once it has begun. */

#include "procfun/core/call.h"
#include "procfun/procfun-executor.h"

/**
 * procfun_call_set_executor:
 * @self: a #ProcfunCall that was not started
 * @executor: (nullable): where to run it, or %NULL for the default executor
 *
 * Chooses where the call runs.
 *
 * Since: 0.1
 */
void
procfun_call_set_executor (ProcfunCall *self, ProcfunExecutor *executor)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (executor == NULL || PROCFUN_IS_EXECUTOR (executor));
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  if (g_set_object (&self->settings.executor, executor))
    g_object_notify (G_OBJECT (self), "executor");
}

/**
 * procfun_call_get_executor:
 * @self: a #ProcfunCall
 *
 * Gets where the call runs.
 *
 * Returns: (transfer none) (nullable): the executor, or %NULL for the default one
 *
 * Since: 0.1
 */
ProcfunExecutor *
procfun_call_get_executor (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return self->settings.executor;
}

static void
set_time (ProcfunCall *self, gint64 *time, gint64 us, const char *property)
{
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  if (*time == us)
    return;
  *time = us;
  g_object_notify (G_OBJECT (self), property);
}

/**
 * procfun_call_set_timeout:
 * @self: a #ProcfunCall that was not started
 * @us: how long the function may run, in microseconds; 0: as long as the variable `PROCFUN_TIMEOUT`
 * of the environment allows, and where it is not set as long as it likes
 *
 * Sets #ProcfunCall:timeout. It ends when the function returns: a large result may take longer to
 * come, which fails only at the deadline, or when nothing more comes of it for ten seconds.
 *
 * Since: 0.1
 */
void
procfun_call_set_timeout (ProcfunCall *self, gint64 us)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (us >= 0);

  set_time (self, &self->settings.timeout, us, "timeout");
}

/**
 * procfun_call_get_timeout:
 * @self: a #ProcfunCall
 *
 * Gets #ProcfunCall:timeout.
 *
 * Returns: how long the function may run, in microseconds; 0: as long as it likes
 *
 * Since: 0.1
 */
gint64
procfun_call_get_timeout (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), 0);
  return self->settings.timeout;
}

/**
 * procfun_call_set_deadline:
 * @self: a #ProcfunCall that was not started
 * @us: how long the call may take from its submission, in microseconds; 0: as long as it likes
 *
 * Sets #ProcfunCall:deadline.
 *
 * Since: 0.1
 */
void
procfun_call_set_deadline (ProcfunCall *self, gint64 us)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (us >= 0);

  set_time (self, &self->settings.deadline, us, "deadline");
}

/**
 * procfun_call_get_deadline:
 * @self: a #ProcfunCall
 *
 * Gets #ProcfunCall:deadline.
 *
 * Returns: how long the call may take from its submission, in microseconds; 0: as long as it likes
 *
 * Since: 0.1
 */
gint64
procfun_call_get_deadline (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), 0);
  return self->settings.deadline;
}

/**
 * procfun_call_set_priority:
 * @self: a #ProcfunCall that was not started
 * @priority: %G_PRIORITY_DEFAULT, or less for what is more urgent
 *
 * Sets #ProcfunCall:priority.
 *
 * Since: 0.1
 */
void
procfun_call_set_priority (ProcfunCall *self, gint priority)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  if (self->settings.priority == priority)
    return;
  self->settings.priority = priority;
  g_object_notify (G_OBJECT (self), "priority");
}

/**
 * procfun_call_get_priority:
 * @self: a #ProcfunCall
 *
 * Gets #ProcfunCall:priority.
 *
 * Returns: a priority as GLib has them
 *
 * Since: 0.1
 */
gint
procfun_call_get_priority (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), G_PRIORITY_DEFAULT);

  return self->settings.priority;
}

/**
 * procfun_call_set_io_priority:
 * @self: a #ProcfunCall that was not started
 * @priority: %G_PRIORITY_DEFAULT, or more for what is less urgent
 *
 * Sets #ProcfunCall:io-priority.
 *
 * Since: 0.1
 */
void
procfun_call_set_io_priority (ProcfunCall *self, gint priority)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  if (self->settings.io_priority == priority)
    return;
  self->settings.io_priority = priority;
  g_object_notify (G_OBJECT (self), "io-priority");
}

/**
 * procfun_call_get_io_priority:
 * @self: a #ProcfunCall
 *
 * Gets #ProcfunCall:io-priority.
 *
 * Returns: a priority as GLib has them
 *
 * Since: 0.1
 */
gint
procfun_call_get_io_priority (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), G_PRIORITY_DEFAULT);

  return self->settings.io_priority;
}

/**
 * procfun_call_set_grace_period:
 * @self: a #ProcfunCall that was not started
 * @us: how long a call that is to end has after each step, in microseconds
 *
 * Sets #ProcfunCall:grace-period.
 *
 * Since: 0.1
 */
void
procfun_call_set_grace_period (ProcfunCall *self, gint64 us)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (us >= 0);

  set_time (self, &self->settings.grace_period, us, "grace-period");
}

/**
 * procfun_call_get_grace_period:
 * @self: a #ProcfunCall
 *
 * Gets #ProcfunCall:grace-period.
 *
 * Returns: how long a call that is to end has after each step, in microseconds
 *
 * Since: 0.1
 */
gint64
procfun_call_get_grace_period (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), 0);
  return self->settings.grace_period;
}

/**
 * procfun_call_set_limits:
 * @self: a #ProcfunCall that was not started
 * @limits: (nullable): what the call may use, or %NULL for anything; copied
 *
 * Sets what the call may use. Each limit that is broken ends the call with an error of its own.
 *
 * Since: 0.1
 */
void
procfun_call_set_limits (ProcfunCall *self, const ProcfunLimits *limits)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  g_clear_pointer (&self->settings.limits, procfun_limits_free);
  self->settings.limits = limits != NULL ? procfun_limits_copy (limits) : NULL;
  g_object_notify (G_OBJECT (self), "limits");
}

/**
 * procfun_call_get_limits:
 * @self: a #ProcfunCall
 *
 * Gets what the call may use.
 *
 * Returns: (transfer none) (nullable): the limits, or %NULL for none
 *
 * Since: 0.1
 */
const ProcfunLimits *
procfun_call_get_limits (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return self->settings.limits;
}

/**
 * procfun_call_set_sandbox:
 * @self: a #ProcfunCall that was not started
 * @sandbox: what the function can reach
 *
 * Sets the sandbox of the call. It takes the place of the executor's
 * (#ProcfunProcessExecutor:sandbox). Where the executor keeps its processes it can only be
 * stricter, since these are in the executor's already; such a call has a process that ends with it.
 * A function that says itself how strict its sandbox is at least
 * (PROCFUN_DEFINE_SANDBOXED_FUNCTION(), procfun_function_set_sandbox()) has that, whatever is set
 * here.
 *
 * A call whose sandbox cannot be had fails with %PROCFUN_ERROR_SANDBOX before the function runs,
 * unless procfun_call_set_sandbox_rules() says otherwise.
 *
 * Since: 0.1
 */
void
procfun_call_set_sandbox (ProcfunCall *self, ProcfunSandbox sandbox)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (sandbox <= PROCFUN_SANDBOX_PURE_COMPUTE);
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  self->settings.has_sandbox = TRUE;
  self->settings.sandbox = sandbox;
}

/**
 * procfun_call_set_sandbox_rules:
 * @self: a #ProcfunCall that was not started
 * @rules: (nullable): what its sandbox leaves, or %NULL for the executor's
 *   (#ProcfunProcessExecutor:sandbox-rules); copied
 *
 * Sets which folders the sandbox of the call leaves, and whether it must be whole. Where the
 * function itself asks for a sandbox, it must be.
 *
 * Since: 0.1
 */
void
procfun_call_set_sandbox_rules (ProcfunCall *self, const ProcfunSandboxRules *rules)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  g_clear_pointer (&self->settings.sandbox_rules, procfun_sandbox_rules_free);
  self->settings.sandbox_rules = rules != NULL ? procfun_sandbox_rules_copy (rules) : NULL;
}

/**
 * procfun_call_set_output_mode:
 * @self: a #ProcfunCall that was not started
 * @stream: one of the streams of the function
 * @mode: what becomes of what it prints there
 *
 * Chooses where the output of the function goes: by default, where that of the program goes.
 *
 * Since: 0.1
 */
void
procfun_call_set_output_mode (ProcfunCall *self, ProcfunStream stream, ProcfunOutputMode mode)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (stream <= PROCFUN_STREAM_STDERR);
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  self->settings.output_modes[stream] = mode;
}

/**
 * procfun_call_get_output_mode:
 * @self: a #ProcfunCall
 * @stream: one of the streams of the function
 *
 * Gets where the output of the function goes.
 *
 * Returns: what becomes of what it prints there
 *
 * Since: 0.1
 */
ProcfunOutputMode
procfun_call_get_output_mode (ProcfunCall *self, ProcfunStream stream)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), PROCFUN_OUTPUT_INHERIT);
  g_return_val_if_fail (stream <= PROCFUN_STREAM_STDERR, PROCFUN_OUTPUT_INHERIT);
  return self->settings.output_modes[stream];
}

/**
 * procfun_call_set_launch_context:
 * @self: a #ProcfunCall that was not started
 * @context: (nullable): the launch context of its process, or %NULL for those that the executor
 * gives
 *
 * Sets what the process of the call finds around itself.
 *
 * Since: 0.1
 */
void
procfun_call_set_launch_context (ProcfunCall *self, ProcfunLaunchContext *context)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (context == NULL || PROCFUN_IS_LAUNCH_CONTEXT (context));
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  g_set_object (&self->settings.launch_context, context);
}

/**
 * procfun_call_get_launch_context:
 * @self: a #ProcfunCall
 *
 * Gets what the process of the call finds around itself.
 *
 * Returns: (transfer none) (nullable): the launch context, or %NULL for those that the executor
 * gives
 *
 * Since: 0.1
 */
ProcfunLaunchContext *
procfun_call_get_launch_context (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return self->settings.launch_context;
}
