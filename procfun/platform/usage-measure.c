/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/usage-measure.h"

#include "procfun/platform/limits-apply.h"
#include "procfun/platform/proc.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* For clock_gettime(), which a signal handler may call: g_get_monotonic_time() does no more. */
static gint64
get_time (clockid_t clock)
{
  struct timespec now = { 0 };

  clock_gettime (clock, &now);
  return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static gint64
timeval_to_us (const struct timeval *time)
{
  return (gint64)time->tv_sec * G_USEC_PER_SEC + time->tv_usec;
}

/* A forked process begins with a peak of its own. An executed process inherits that of the process
 * that started it, and only its memory map has the right one. */
static gboolean was_forked;

/* The last value of an executed process: without further page faults it has no more. */
static glong known_faults = -1;
static guint64 known_resident;

static gboolean has_peak; /* of all before */

static struct rusage at_end; /* of the last call */

/* When that was read, in µs, and whether calls were skipped since. */
static gint64 read_at;
static gboolean has_skipped;

#define SKIP_MAX_US 1000

/* proc(5), clear_refs: 5 sets the peak of resident memory to what is resident now. The first call
 * of a process need not pay for that (12 µs): exec has begun the peak anew, and fork has set it to
 * what is resident, so all that it shows is this call's. */
static void
forget_peak (void)
{
  int fd = proc_open (PROC_OWN_CLEAR_REFS, O_WRONLY);

  if (fd < 0)
    return;
  if (write (fd, "5", 1) != 1)
    errno = 0; /* then the peak is that of the process */
  proc_close (fd);
}

void
usage_begin_process (void)
{
  was_forked = TRUE;
  has_peak = FALSE;
}

void
usage_begin (UsageMark *mark)
{
  if (has_peak)
    forget_peak ();
  has_peak = FALSE;
  getrusage (RUSAGE_SELF, &mark->rusage);
  mark->wall_time = get_time (CLOCK_MONOTONIC);
}

/* Reading the file takes longer than running a small function. */
static guint64
read_peak (const struct rusage *now)
{
  static const char *const names[] = { "VmHWM", "VmRSS" };
  const glong faults = now->ru_minflt + now->ru_majflt;
  guint64 numbers[G_N_ELEMENTS (names)];

  if (faults == known_faults)
    return known_resident;
  proc_read_status ("/proc/self/status", names, numbers, G_N_ELEMENTS (names));
  known_faults = faults;
  known_resident = numbers[1] * 1024;
  has_peak = TRUE;
  return numbers[0] * 1024;
}

void
usage_begin_next (UsageMark *mark, gboolean is_exact)
{
  if (has_peak || (is_exact && has_skipped))
    {
      usage_begin (mark);
      return;
    }
  mark->rusage = at_end;
  mark->wall_time = get_time (CLOCK_MONOTONIC);
}

gboolean
usage_skip (void)
{
  if (has_peak || get_time (CLOCK_MONOTONIC) - read_at > SKIP_MAX_US)
    return FALSE;
  has_skipped = TRUE;
  return TRUE;
}

void
usage_end (const UsageMark *mark, ProcfunUsage *usage)
{
  const struct rusage *before = &mark->rusage;
  struct rusage now = { 0 };

  read_at = get_time (CLOCK_MONOTONIC);
  has_skipped = FALSE;
  usage->wall_time = read_at - mark->wall_time;
  getrusage (RUSAGE_SELF, &now);
  usage->user_time = timeval_to_us (&now.ru_utime) - timeval_to_us (&before->ru_utime);
  usage->system_time = timeval_to_us (&now.ru_stime) - timeval_to_us (&before->ru_stime);
  usage->minor_faults = (guint64)(now.ru_minflt - before->ru_minflt);
  usage->major_faults = (guint64)(now.ru_majflt - before->ru_majflt);
  usage->voluntary_switches = (guint64)(now.ru_nvcsw - before->ru_nvcsw);
  usage->involuntary_switches = (guint64)(now.ru_nivcsw - before->ru_nivcsw);
  if (!was_forked)
    usage->peak_memory = read_peak (&now);
  else
    {
      usage->peak_memory = (guint64)now.ru_maxrss * 1024;
      has_peak = now.ru_maxrss > before->ru_maxrss;
    }
  at_end = now;
}

/* From outside */

/* The status of a process counts the switches of its first thread alone. */
static void
add_switches (pid_t pid, ProcfunUsage *usage)
{
  static const char *const names[] = { "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches" };
  g_autofree char *folder = g_strdup_printf ("/proc/%d/task", (int)pid);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, "status", NULL);
      guint64 numbers[2];

      proc_read_status (path, names, numbers, G_N_ELEMENTS (numbers));
      usage->voluntary_switches += numbers[0];
      usage->involuntary_switches += numbers[1];
    }
}

/* The two parts are kept in ticks of 10 ms, their sum, by the CPU clock, to the nanosecond. */
static void
split_cpu_time (ProcfunUsage *usage, gint64 total, guint64 user_ticks, guint64 system_ticks)
{
  guint64 ticks = user_ticks + system_ticks;
  double part = ticks > 0 ? (double)system_ticks / (double)ticks : 0;

  usage->system_time = (gint64)((double)total * part);
  usage->user_time = total - usage->system_time;
}

/* The numbers of the fields are those of proc(5). */
gboolean
usage_of_process (pid_t pid, ProcfunUsage *usage)
{
  static const char *const names[] = { "VmHWM" };
  char path[64];
  char stat[PROC_STAT_SIZE];
  gint64 total = limits_read_cpu_time (pid);
  guint64 peak;
  gint64 start;

  g_snprintf (path, sizeof path, "/proc/%d/stat", (int)pid);
  if (total < 0 || !proc_read_stat (path, stat))
    return FALSE;
  start = (gint64)(proc_get_field (stat, 22) * G_USEC_PER_SEC / (guint64)sysconf (_SC_CLK_TCK));
  *usage = (ProcfunUsage){ .wall_time = MAX (get_time (CLOCK_BOOTTIME) - start, 0),
                           .minor_faults = proc_get_field (stat, 10),
                           .major_faults = proc_get_field (stat, 12) };
  split_cpu_time (usage, total, proc_get_field (stat, 14), proc_get_field (stat, 15));
  add_switches (pid, usage);
  g_snprintf (path, sizeof path, "/proc/%d/status", (int)pid);
  proc_read_status (path, names, &peak, 1);
  usage->peak_memory = peak * 1024;
  return TRUE;
}
