/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bounds of an executor: how many calls have a process at once, and how many wait. */

#include "procfun/executors/process-executor.h"

/* A session has one process, and no queue. */
static SchedulerConfig
get_config (ProcfunProcessExecutor *self)
{
  SchedulerConfig config = { .max_workers = 1 };
  Scheduler *scheduler = procfun_process_executor_get_scheduler (self);

  if (scheduler != NULL)
    scheduler_get_config (scheduler, &config);
  return config;
}

/**
 * procfun_process_executor_set_max_processes:
 * @self: a #ProcfunProcessExecutor
 * @n: how many calls may have a process at once; 0: the default
 *
 * Sets #ProcfunProcessExecutor:max-processes. A #ProcfunSession, which has one process, takes
 * no notice.
 *
 * Since: 0.1
 */
void
procfun_process_executor_set_max_processes (ProcfunProcessExecutor *self, guint n)
{
  Scheduler *scheduler;

  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));
  g_return_if_fail (n <= G_MAXINT);

  scheduler = procfun_process_executor_get_scheduler (self);
  if (n == 0)
    n = procfun_process_executor_get_default_processes (self);
  if (scheduler == NULL || !SCHEDULER_SET (scheduler, max_workers, n))
    return;
  g_object_notify (G_OBJECT (self), "max-processes");
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (self), "max-workers") != NULL)
    g_object_notify (G_OBJECT (self), "max-workers");
}

/**
 * procfun_process_executor_get_max_processes:
 * @self: a #ProcfunProcessExecutor
 *
 * Gets #ProcfunProcessExecutor:max-processes.
 *
 * Returns: a number of processes, also where the default is in use
 *
 * Since: 0.1
 */
guint
procfun_process_executor_get_max_processes (ProcfunProcessExecutor *self)
{
  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), 0);

  return get_config (self).max_workers;
}

/**
 * procfun_process_executor_set_max_queue_calls:
 * @self: a #ProcfunProcessExecutor
 * @n: how many calls may wait; 0: any number
 *
 * Sets #ProcfunProcessExecutor:max-queue-calls. A #ProcfunSession, which has one process, takes
 * no notice.
 *
 * Since: 0.1
 */
void
procfun_process_executor_set_max_queue_calls (ProcfunProcessExecutor *self, guint n)
{
  Scheduler *scheduler;

  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));

  scheduler = procfun_process_executor_get_scheduler (self);
  if (scheduler != NULL && SCHEDULER_SET (scheduler, max_queue_calls, n))
    g_object_notify (G_OBJECT (self), "max-queue-calls");
}

/**
 * procfun_process_executor_get_max_queue_calls:
 * @self: a #ProcfunProcessExecutor
 *
 * Gets #ProcfunProcessExecutor:max-queue-calls.
 *
 * Returns: how many calls may wait; 0: any number
 *
 * Since: 0.1
 */
guint
procfun_process_executor_get_max_queue_calls (ProcfunProcessExecutor *self)
{
  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), 0);

  return get_config (self).max_queue_calls;
}

/**
 * procfun_process_executor_set_max_queue_bytes:
 * @self: a #ProcfunProcessExecutor
 * @bytes: how many bytes the arguments of waiting calls may take; 0: any number
 *
 * Sets #ProcfunProcessExecutor:max-queue-bytes. A #ProcfunSession, which has one process, takes
 * no notice.
 *
 * Since: 0.1
 */
void
procfun_process_executor_set_max_queue_bytes (ProcfunProcessExecutor *self, guint64 bytes)
{
  Scheduler *scheduler;

  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));

  scheduler = procfun_process_executor_get_scheduler (self);
  if (scheduler != NULL && SCHEDULER_SET (scheduler, max_queue_bytes, bytes))
    g_object_notify (G_OBJECT (self), "max-queue-bytes");
}

/**
 * procfun_process_executor_get_max_queue_bytes:
 * @self: a #ProcfunProcessExecutor
 *
 * Gets #ProcfunProcessExecutor:max-queue-bytes.
 *
 * Returns: a number of bytes; 0: any
 *
 * Since: 0.1
 */
guint64
procfun_process_executor_get_max_queue_bytes (ProcfunProcessExecutor *self)
{
  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), 0);

  return get_config (self).max_queue_bytes;
}

/**
 * procfun_process_executor_set_has_queue:
 * @self: a #ProcfunProcessExecutor
 * @has_queue: whether calls wait while no process is free
 *
 * Sets #ProcfunProcessExecutor:has-queue. A #ProcfunSession, which has one process, takes no
 * notice. A map waits for workers all the same.
 *
 * Since: 0.1
 */
void
procfun_process_executor_set_has_queue (ProcfunProcessExecutor *self, gboolean has_queue)
{
  const gboolean refuses = !has_queue;
  Scheduler *scheduler;

  g_return_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self));

  scheduler = procfun_process_executor_get_scheduler (self);
  if (scheduler != NULL && SCHEDULER_SET (scheduler, refuses, refuses))
    g_object_notify (G_OBJECT (self), "has-queue");
}

/**
 * procfun_process_executor_get_has_queue:
 * @self: a #ProcfunProcessExecutor
 *
 * Gets #ProcfunProcessExecutor:has-queue.
 *
 * Returns: whether calls wait while no process is free
 *
 * Since: 0.1
 */
gboolean
procfun_process_executor_get_has_queue (ProcfunProcessExecutor *self)
{
  g_return_val_if_fail (PROCFUN_IS_PROCESS_EXECUTOR (self), FALSE);

  return procfun_process_executor_get_scheduler (self) != NULL && !get_config (self).refuses;
}
