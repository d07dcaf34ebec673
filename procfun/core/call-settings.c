/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a call is to run. */

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

  g_set_object (&self->executor, executor);
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
  return self->executor;
}

/**
 * procfun_call_set_fd_list:
 * @self: a #ProcfunCall that was not started
 * @fd_list: (nullable): the descriptors that handles (`h`) in the arguments are indices into
 *
 * Sets the descriptors that go with the arguments. The generated functions do this themselves.
 *
 * Since: 0.1
 */
void
procfun_call_set_fd_list (ProcfunCall *self, GUnixFDList *fd_list)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (fd_list == NULL || G_IS_UNIX_FD_LIST (fd_list));
  g_return_if_fail (procfun_call_get_state (self) == PROCFUN_CALL_NEW);

  g_set_object (&self->fd_list, fd_list);
}

/**
 * procfun_call_get_fd_list:
 * @self: a #ProcfunCall
 *
 * Gets the descriptors that go with the arguments.
 *
 * Returns: (transfer none) (nullable): the descriptors
 *
 * Since: 0.1
 */
GUnixFDList *
procfun_call_get_fd_list (ProcfunCall *self)
{
  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  return self->fd_list;
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
 * Sets #ProcfunCall:timeout.
 *
 * Since: 0.1
 */
void
procfun_call_set_timeout (ProcfunCall *self, gint64 us)
{
  g_return_if_fail (PROCFUN_IS_CALL (self));
  g_return_if_fail (us >= 0);

  set_time (self, &self->timeout, us, "timeout");
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
  return self->timeout;
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

  set_time (self, &self->deadline, us, "deadline");
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
  return self->deadline;
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

  if (self->priority == priority)
    return;
  self->priority = priority;
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

  return self->priority;
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

  set_time (self, &self->grace_period, us, "grace-period");
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
  return self->grace_period;
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

  g_clear_pointer (&self->limits, procfun_limits_free);
  self->limits = limits != NULL ? procfun_limits_copy (limits) : NULL;
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
  return self->limits;
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

  self->output_modes[stream] = mode;
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
  return self->output_modes[stream];
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

  g_set_object (&self->launch_context, context);
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
  return self->launch_context;
}
