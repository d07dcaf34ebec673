/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Statistics of the processes that an executor keeps. */

#include "procfun/statistics/statistics.h"

#include "procfun/platform/proc.h"

/* clang-format off */
G_DEFINE_ENUM_TYPE (ProcfunWorkerState, procfun_worker_state,
  G_DEFINE_ENUM_VALUE (PROCFUN_WORKER_STARTING, "starting"),
  G_DEFINE_ENUM_VALUE (PROCFUN_WORKER_IDLE, "idle"),
  G_DEFINE_ENUM_VALUE (PROCFUN_WORKER_BUSY, "busy"))
/* clang-format on */

const char *
statistics_get_nick (ProcfunWorkerState state)
{
  static const char *const nicks[] = { "starting", "idle", "busy" };

  return nicks[state];
}

static guint64
read_memory (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", pid);
  const char *const names[] = { "VmRSS" };
  guint64 kib = 0;

  return proc_read_status (path, names, &kib, 1) ? kib * 1024 : 0;
}

void
statistics_read_memory (ProcfunStatistics *self)
{
  for (guint i = 0; i < self->workers->len; i++)
    {
      Worker *worker = &g_array_index (self->workers, Worker, i);

      worker->memory = read_memory (worker->pid);
    }
}

/**
 * procfun_statistics_add_worker:
 * @self: what the describe() of an executor was given
 * @pid: the number of the process
 * @state: what it is doing
 * @n_calls: how many calls it has ended
 * @age: microseconds since it was started
 *
 * Adds a process that an executor keeps. For #ProcfunExecutorClass.describe alone. How much memory
 * the process has is looked up when that has returned.
 *
 * Since: 0.1
 */
void
procfun_statistics_add_worker (ProcfunStatistics *self, int pid, ProcfunWorkerState state,
                               guint64 n_calls, gint64 age)
{
  const Worker worker = { .pid = pid, .state = state, .n_calls = n_calls, .age = age };

  g_return_if_fail (self != NULL);
  g_return_if_fail ((guint)state <= PROCFUN_WORKER_BUSY);
  g_return_if_fail (!self->complete);

  g_array_append_val (self->workers, worker);
}

/* Getters */

/**
 * procfun_statistics_get_workers_started:
 * @self: a #ProcfunStatistics
 *
 * Gets how many processes the executor had started to keep them.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_statistics_get_workers_started (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->counts.workers_started;
}

/**
 * procfun_statistics_get_workers_exited:
 * @self: a #ProcfunStatistics
 *
 * Gets how many processes that the executor kept had ended, for whatever cause.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_statistics_get_workers_exited (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->counts.workers_exited;
}

/**
 * procfun_statistics_get_workers_recycled:
 * @self: a #ProcfunStatistics
 *
 * Gets how many processes the executor had ended to replace them; see #ProcfunExecutor::worker-
 * recycled.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_statistics_get_workers_recycled (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->counts.workers_recycled;
}

/**
 * procfun_statistics_get_n_workers:
 * @self: a #ProcfunStatistics
 *
 * Gets how many processes the executor kept. The functions that tell of one count them from 0, and
 * their order means nothing.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint
procfun_statistics_get_n_workers (ProcfunStatistics *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->workers->len;
}

/**
 * procfun_statistics_get_worker_pid:
 * @self: a #ProcfunStatistics
 * @worker: which process
 *
 * Gets the number of a process.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
int
procfun_statistics_get_worker_pid (ProcfunStatistics *self, guint worker)
{
  g_return_val_if_fail (self != NULL, 0);
  g_return_val_if_fail (worker < self->workers->len, 0);

  return g_array_index (self->workers, Worker, worker).pid;
}

/**
 * procfun_statistics_get_worker_state:
 * @self: a #ProcfunStatistics
 * @worker: which process
 *
 * Gets what a process was doing.
 *
 * Returns: the state
 *
 * Since: 0.1
 */
ProcfunWorkerState
procfun_statistics_get_worker_state (ProcfunStatistics *self, guint worker)
{
  g_return_val_if_fail (self != NULL, PROCFUN_WORKER_IDLE);
  g_return_val_if_fail (worker < self->workers->len, PROCFUN_WORKER_IDLE);

  return g_array_index (self->workers, Worker, worker).state;
}

/**
 * procfun_statistics_get_worker_calls:
 * @self: a #ProcfunStatistics
 * @worker: which process
 *
 * Gets how many calls a process had ended.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_statistics_get_worker_calls (ProcfunStatistics *self, guint worker)
{
  g_return_val_if_fail (self != NULL, 0);
  g_return_val_if_fail (worker < self->workers->len, 0);

  return g_array_index (self->workers, Worker, worker).n_calls;
}

/**
 * procfun_statistics_get_worker_memory:
 * @self: a #ProcfunStatistics
 * @worker: which process
 *
 * Gets how much memory of a process was resident. Pages that it shares with others count in full.
 *
 * Returns: bytes, or 0 when the process has ended
 *
 * Since: 0.1
 */
guint64
procfun_statistics_get_worker_memory (ProcfunStatistics *self, guint worker)
{
  g_return_val_if_fail (self != NULL, 0);
  g_return_val_if_fail (worker < self->workers->len, 0);

  return g_array_index (self->workers, Worker, worker).memory;
}

/**
 * procfun_statistics_get_worker_age:
 * @self: a #ProcfunStatistics
 * @worker: which process
 *
 * Gets how long a process had been there.
 *
 * Returns: microseconds
 *
 * Since: 0.1
 */
gint64
procfun_statistics_get_worker_age (ProcfunStatistics *self, guint worker)
{
  g_return_val_if_fail (self != NULL, 0);
  g_return_val_if_fail (worker < self->workers->len, 0);

  return g_array_index (self->workers, Worker, worker).age;
}
