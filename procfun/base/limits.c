/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/limits.h"

#include <string.h>

/**
 * SECTION:procfun-limits
 * @title: ProcfunLimits
 * @short_description: what a call may use
 *
 * The limits of a call are set with procfun_call_set_limits(). A call that goes over one of them
 * ends, and fails with %PROCFUN_ERROR_MEMORY_LIMIT, %PROCFUN_ERROR_CPU_LIMIT or
 * %PROCFUN_ERROR_LIMIT, whose message names the limit. A limit that cannot be kept on this system
 * is an error before the function runs, %PROCFUN_ERROR_SANDBOX.
 *
 * |[<!-- language="C" -->
 * g_autoptr (ProcfunLimits) limits
 *     = procfun_limits_new_from_string ("memory=200M cpu=300ms", NULL);
 *
 * procfun_call_set_limits (call, limits);
 * ]|
 *
 * In text each limit is a word, and the words stand in any order, with white space between them.
 * Numbers are whole. Sizes are in bytes or, with K, M and G, in units of 1024, 1024² and 1024³
 * bytes; times have one of the units us, ms, s and min.
 *
 * - memory=200M: procfun_limits_set_memory()
 * - cpu=300ms: procfun_limits_set_cpu_time()
 * - files=32: procfun_limits_set_open_files()
 * - file-size=10M: procfun_limits_set_file_size()
 * - processes=4: procfun_limits_set_processes()
 * - result=1M: procfun_limits_set_result_size()
 * - output=64K: procfun_limits_set_output_size()
 *
 * Limits are counted from where the function begins: what its process has used before is not the
 * function's.
 *
 * Since: 0.1
 */

G_DEFINE_BOXED_TYPE (ProcfunLimits, procfun_limits, procfun_limits_copy, procfun_limits_free)

/**
 * procfun_limits_new:
 *
 * Makes limits that limit nothing yet.
 *
 * Returns: (transfer full): the limits; free them with procfun_limits_free()
 *
 * Since: 0.1
 */
ProcfunLimits *
procfun_limits_new (void)
{
  return g_new0 (ProcfunLimits, 1);
}

/**
 * procfun_limits_copy:
 * @self: limits
 *
 * Copies limits.
 *
 * Returns: (transfer full): the copy; free it with procfun_limits_free()
 *
 * Since: 0.1
 */
ProcfunLimits *
procfun_limits_copy (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_memdup2 (self, sizeof *self);
}

/**
 * procfun_limits_free:
 * @self: (transfer full): limits
 *
 * Frees limits.
 *
 * Since: 0.1
 */
void
procfun_limits_free (ProcfunLimits *self)
{
  g_return_if_fail (self != NULL);

  g_free (self);
}

/**
 * procfun_limits_equal:
 * @self: limits
 * @other: other limits
 *
 * Tells whether two limits are the same in everything.
 *
 * Returns: whether they are
 *
 * Since: 0.1
 */
gboolean
procfun_limits_equal (const ProcfunLimits *self, const ProcfunLimits *other)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (other != NULL, FALSE);

  return memcmp (self, other, sizeof *self) == 0;
}

/**
 * procfun_limits_set_memory:
 * @self: limits
 * @bytes: bytes of memory, or 0 for no limit
 *
 * Limits the memory that the function may take beside what its process has when the function
 * begins; encoding the result is part of it. What is over it is refused: malloc() returns %NULL and
 * g_malloc() ends the process; then the call fails with %PROCFUN_ERROR_MEMORY_LIMIT.
 *
 * Counted is private memory, whether it has been touched or not. Where the system lets this process
 * make control groups that count memory, shared memory counts, too, and so does what further
 * processes take that the function starts; otherwise each of them has this limit for itself.
 *
 * Since: 0.1
 */
void
procfun_limits_set_memory (ProcfunLimits *self, guint64 bytes)
{
  g_return_if_fail (self != NULL);

  self->memory = bytes;
}

/**
 * procfun_limits_get_memory:
 * @self: limits
 *
 * Gets the limit on memory: see procfun_limits_set_memory().
 *
 * Returns: the limit in bytes, or 0 for none
 *
 * Since: 0.1
 */
guint64
procfun_limits_get_memory (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->memory;
}

/**
 * procfun_limits_set_cpu_time:
 * @self: limits
 * @us: microseconds of CPU time, or 0 for no limit
 *
 * Limits the CPU time that all threads of the function's process use together, while the function
 * runs. Then the process is ended, and the call fails with %PROCFUN_ERROR_CPU_LIMIT. The time that
 * a function waits does not count: see procfun_call_set_timeout().
 *
 * Since: 0.1
 */
void
procfun_limits_set_cpu_time (ProcfunLimits *self, gint64 us)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (us >= 0);

  self->cpu_time = (guint64)us;
}

/**
 * procfun_limits_get_cpu_time:
 * @self: limits
 *
 * Gets the limit on CPU time: see procfun_limits_set_cpu_time().
 *
 * Returns: the limit in microseconds, or 0 for none
 *
 * Since: 0.1
 */
gint64
procfun_limits_get_cpu_time (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return (gint64)self->cpu_time;
}

/**
 * procfun_limits_set_open_files:
 * @self: limits
 * @n: a number of file descriptors, or 0 for no limit
 *
 * Limits how many file descriptors the function may have open at a time, beside those that its
 * process has when the function begins. What opens one more fails with %EMFILE, which the function
 * sees; a program that cannot go on and ends itself for it fails with %PROCFUN_ERROR_LIMIT.
 *
 * Since: 0.1
 */
void
procfun_limits_set_open_files (ProcfunLimits *self, guint n)
{
  g_return_if_fail (self != NULL);

  self->open_files = n;
}

/**
 * procfun_limits_get_open_files:
 * @self: limits
 *
 * Gets the limit on open files: see procfun_limits_set_open_files().
 *
 * Returns: the limit, or 0 for none
 *
 * Since: 0.1
 */
guint
procfun_limits_get_open_files (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return (guint)self->open_files;
}

/**
 * procfun_limits_set_file_size:
 * @self: limits
 * @bytes: bytes, or 0 for no limit
 *
 * Limits how large the function can make a file: it cannot write behind this place in any file,
 * whoever made it. Who tries is ended, and the call fails with %PROCFUN_ERROR_LIMIT.
 *
 * Since: 0.1
 */
void
procfun_limits_set_file_size (ProcfunLimits *self, guint64 bytes)
{
  g_return_if_fail (self != NULL);

  self->file_size = bytes;
}

/**
 * procfun_limits_get_file_size:
 * @self: limits
 *
 * Gets the limit on the size of files: see procfun_limits_set_file_size().
 *
 * Returns: the limit in bytes, or 0 for none
 *
 * Since: 0.1
 */
guint64
procfun_limits_get_file_size (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->file_size;
}

/**
 * procfun_limits_set_processes:
 * @self: limits
 * @n: a number of processes and threads, or 0 for no limit
 *
 * Limits how many processes and threads there may be, the function's own first one among them: with
 * 1, it can start none. To start one more fails with %EAGAIN, which the function sees; a program
 * that cannot go on and ends itself for it fails with %PROCFUN_ERROR_LIMIT.
 *
 * Where the system does not let this process make control groups that count processes, those of the
 * whole user are counted, so that others of the same user that begin or end while the function runs
 * take from this number or add to it. For the superuser this does not work, and the call fails with
 * %PROCFUN_ERROR_SANDBOX.
 *
 * Since: 0.1
 */
void
procfun_limits_set_processes (ProcfunLimits *self, guint n)
{
  g_return_if_fail (self != NULL);

  self->processes = n;
}

/**
 * procfun_limits_get_processes:
 * @self: limits
 *
 * Gets the limit on processes: see procfun_limits_set_processes().
 *
 * Returns: the limit, or 0 for none
 *
 * Since: 0.1
 */
guint
procfun_limits_get_processes (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return (guint)self->processes;
}

/**
 * procfun_limits_set_result_size:
 * @self: limits
 * @bytes: bytes, or 0 for no limit of the call's own
 *
 * Limits how large the encoded result may be, or each item of a generator. If it is larger, the
 * call fails with %PROCFUN_ERROR_LIMIT.
 *
 * Since: 0.1
 */
void
procfun_limits_set_result_size (ProcfunLimits *self, guint64 bytes)
{
  g_return_if_fail (self != NULL);

  self->result_size = bytes;
}

/**
 * procfun_limits_get_result_size:
 * @self: limits
 *
 * Gets the limit on the size of the result: see procfun_limits_set_result_size().
 *
 * Returns: the limit in bytes, or 0 for none
 *
 * Since: 0.1
 */
guint64
procfun_limits_get_result_size (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->result_size;
}

/**
 * procfun_limits_set_output_size:
 * @self: limits
 * @bytes: bytes, or 0 for no limit
 *
 * Limits how much the function may write to its standard output and standard error together,
 * wherever that goes. With one byte more the call ends and fails with %PROCFUN_ERROR_LIMIT.
 *
 * Since: 0.1
 */
void
procfun_limits_set_output_size (ProcfunLimits *self, guint64 bytes)
{
  g_return_if_fail (self != NULL);

  self->output_size = bytes;
}

/**
 * procfun_limits_get_output_size:
 * @self: limits
 *
 * Gets the limit on the size of the output: see procfun_limits_set_output_size().
 *
 * Returns: the limit in bytes, or 0 for none
 *
 * Since: 0.1
 */
guint64
procfun_limits_get_output_size (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->output_size;
}
