/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/usage.h"

#include "procfun/base/intl.h"
#include <inttypes.h>

/**
 * SECTION:procfun-usage
 * @title: ProcfunUsage
 * @short_description: what a call used
 *
 * The resources that a call used.
 */

/**
 * ProcfunUsage:
 *
 * The resources that a call used.
 *
 * procfun_call_get_usage() returns the usage of a call after its end, also of one that failed. It
 * covers the process while the function ran, without the start of the process and without processes
 * that the function started. If the process was ended from outside, and could not report, it is the
 * kernel's account of the process, with its start.
 *
 * Since: 0.1
 */

G_DEFINE_BOXED_TYPE (ProcfunUsage, procfun_usage, procfun_usage_copy, procfun_usage_free)

/**
 * procfun_usage_copy:
 * @self: what a call used
 *
 * Copies what a call used.
 *
 * Returns: (transfer full): the copy; free it with procfun_usage_free()
 *
 * Since: 0.1
 */
ProcfunUsage *
procfun_usage_copy (const ProcfunUsage *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_memdup2 (self, sizeof *self);
}

/**
 * procfun_usage_free:
 * @self: (transfer full): what a call used
 *
 * Frees what a call used.
 *
 * Since: 0.1
 */
void
procfun_usage_free (ProcfunUsage *self)
{
  g_return_if_fail (self != NULL);

  g_free (self);
}

/**
 * procfun_usage_get_wall_time:
 * @self: what a call used
 *
 * Gets how long the call took by the clock.
 *
 * Returns: microseconds
 *
 * Since: 0.1
 */
gint64
procfun_usage_get_wall_time (const ProcfunUsage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->wall_time;
}

/**
 * procfun_usage_get_user_time:
 * @self: what a call used
 *
 * Gets the CPU time that the function's own code used, in all threads.
 *
 * Returns: microseconds
 *
 * Since: 0.1
 */
gint64
procfun_usage_get_user_time (const ProcfunUsage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->user_time;
}

/**
 * procfun_usage_get_system_time:
 * @self: what a call used
 *
 * Gets the CPU time that the kernel used on behalf of the function, in all threads.
 *
 * Returns: microseconds
 *
 * Since: 0.1
 */
gint64
procfun_usage_get_system_time (const ProcfunUsage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->system_time;
}

/**
 * procfun_usage_get_peak_memory:
 * @self: what a call used
 *
 * Gets how much memory the process had in use at most while the function ran, what it had before
 * included. The kernel counts it in pages, and in a way that may miss some hundred KiB.
 *
 * Returns: bytes, or 0 when it is not known
 *
 * Since: 0.1
 */
guint64
procfun_usage_get_peak_memory (const ProcfunUsage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->peak_memory;
}

/**
 * procfun_usage_get_minor_faults:
 * @self: what a call used
 *
 * Gets how many page faults the kernel could serve from memory.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_usage_get_minor_faults (const ProcfunUsage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->minor_faults;
}

/**
 * procfun_usage_get_major_faults:
 * @self: what a call used
 *
 * Gets how many page faults had to wait for a disk.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_usage_get_major_faults (const ProcfunUsage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->major_faults;
}

/**
 * procfun_usage_get_voluntary_switches:
 * @self: what a call used
 *
 * Gets how often the function gave up the CPU to wait for something.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_usage_get_voluntary_switches (const ProcfunUsage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->voluntary_switches;
}

/**
 * procfun_usage_get_involuntary_switches:
 * @self: what a call used
 *
 * Gets how often the CPU was taken from the function for others.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
procfun_usage_get_involuntary_switches (const ProcfunUsage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->involuntary_switches;
}

/**
 * procfun_usage_get_bytes_in:
 * @self: what a call used
 *
 * Gets the size of the arguments as they were sent.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
guint64
procfun_usage_get_bytes_in (const ProcfunUsage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->bytes_in;
}

/**
 * procfun_usage_get_bytes_out:
 * @self: what a call used
 *
 * Gets the size of the result as it was sent, or of all items together.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
guint64
procfun_usage_get_bytes_out (const ProcfunUsage *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->bytes_out;
}

static char *
format_time (gint64 us)
{
  if (us < G_TIME_SPAN_MILLISECOND)
    return g_strdup_printf (_ ("%d µs"), (int)us);
  if (us < G_TIME_SPAN_SECOND)
    return g_strdup_printf (_ ("%.1f ms"), (double)us / G_TIME_SPAN_MILLISECOND);
  return g_strdup_printf (_ ("%.2f s"), (double)us / G_TIME_SPAN_SECOND);
}

/**
 * procfun_usage_to_string:
 * @self: what a call used
 *
 * Tells people what a call used, in a line, in their language.
 *
 * Returns: (transfer full): the text
 *
 * Since: 0.1
 */
char *
procfun_usage_to_string (const ProcfunUsage *self)
{
  g_autofree char *wall = NULL;
  g_autofree char *user = NULL;
  g_autofree char *system = NULL;
  g_autofree char *peak = NULL;
  g_autofree char *in = NULL;
  g_autofree char *out = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  wall = format_time (self->wall_time);
  user = format_time (self->user_time);
  system = format_time (self->system_time);
  peak = g_format_size_full (self->peak_memory, G_FORMAT_SIZE_IEC_UNITS);
  in = g_format_size_full (self->bytes_in, G_FORMAT_SIZE_IEC_UNITS);
  out = g_format_size_full (self->bytes_out, G_FORMAT_SIZE_IEC_UNITS);
  return g_strdup_printf (
      _ ("%s, CPU %s user and %s system; memory %s; page faults: %" PRIu64 ", %" PRIu64
         " from disk; switches: %" PRIu64 ", %" PRIu64 " forced; %s in, %s out"),
      wall, user, system, peak, self->minor_faults + self->major_faults, self->major_faults,
      self->voluntary_switches + self->involuntary_switches, self->involuntary_switches, in, out);
}
