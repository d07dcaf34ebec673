/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/limits-apply.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/proc.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

/* Kept aside, for the stack of a thread's report, its buffers, and a frame for the wire; the main
 * stack may grow by so much in any case. */
#define RESERVE_SIZE (1024 * 1024)
#define RESERVE_FDS 2

/* The caller looks at the CPU time, and ends a process that used too much to the millisecond. Where
 * the caller cannot, the kernel does, somewhat later. */
#define CPU_BACKSTOP_SECONDS 1

/* A look costs microseconds, and a delay by this much does not matter. */
#define LEAST_CPU_WAIT_US 1000

static gpointer reserve;
static int reserve_fds[RESERVE_FDS] = { -1, -1 };

/* With less than this left of it, memory was short: even for small blocks malloc() asks the kernel
 * for 128 KiB more than it needs (M_TOP_PAD of mallopt(3)). */
#define LEAST_PROBE_SIZE (256 * 1024)

static gsize probe_size = LEAST_PROBE_SIZE;

/* @name is yet to be translated: that takes longer than all the rest. */
static gboolean
fail (GError **error, const char *name, const char *why)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX,
               _ ("the limit on %s cannot be kept here: %s"), _ (name), why);
  return FALSE;
}

/* Of a process that is kept: the limits that it had, so that what is set can be taken back. */
static gboolean has_inherited;
static struct rlimit inherited[RLIM_NLIMITS];
static gboolean keeps_hard; /* limits as they are */

/* A limit only takes away: inherited ones that are stricter remain. */
static gboolean
lower (int resource, const char *name, guint64 soft, guint64 hard, GError **error)
{
  struct rlimit limit;

  if (getrlimit (resource, &limit) == 0)
    {
      if (has_inherited)
        limit.rlim_cur = inherited[resource].rlim_cur;
      if (!keeps_hard)
        limit.rlim_max = MIN (limit.rlim_max, hard);
      limit.rlim_cur = MIN (limit.rlim_cur, MIN (limit.rlim_max, soft));
      if (setrlimit (resource, &limit) == 0)
        return TRUE;
    }
  return fail (error, name, g_strerror (errno));
}

/* Files */

static gboolean
apply_file_size (guint64 value, GError **error)
{
  return lower (RLIMIT_FSIZE, N_ ("the size of files"), value, value, error);
}

/* poll() tells at once which of many numbers are not open. */
#define NUMBERS_AT_ONCE 64

static void
find_free (int first, guint n, gboolean *is_free)
{
  struct pollfd fds[NUMBERS_AT_ONCE];
  gboolean ok;

  for (guint i = 0; i < n; i++)
    fds[i] = (struct pollfd){ .fd = first + (int)i };
  ok = poll (fds, n, 0) >= 0; /* not when there may be fewer than this */
  for (guint i = 0; i < n; i++)
    is_free[i] = ok ? (fds[i].revents & POLLNVAL) != 0 : fcntl (fds[i].fd, F_GETFD) < 0;
}

/* getrlimit(2): the limit is on the number of a descriptor, and a new one takes the lowest that is
 * free. So as many numbers have to be free below the limit as there are descriptors to be had. */
static gboolean
apply_open_files (guint64 value, GError **error)
{
  struct rlimit limit;
  guint64 end = 0;

  for (gsize i = 0; i < RESERVE_FDS; i++)
    if (reserve_fds[i] < 0)
      reserve_fds[i] = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    return fail (error, N_ ("open files"), g_strerror (errno));
  for (guint64 n_free = 0; n_free < value && end < limit.rlim_max;)
    {
      gboolean is_free[NUMBERS_AT_ONCE];
      guint n = (guint)MIN (limit.rlim_max - end, NUMBERS_AT_ONCE);

      find_free ((int)end, n, is_free);
      for (guint i = 0; i < n && n_free < value; i++, end++)
        n_free += is_free[i] ? 1 : 0;
    }
  return lower (RLIMIT_NOFILE, N_ ("open files"), end, end, error);
}

/* Processes */

/* The kernel counts tasks, which are threads, zombies among them, by their real user. */
static guint64
count_tasks_of_user (void)
{
  static const char *const names[] = { "Uid", "Threads" };
  g_autoptr (GDir) dir = g_dir_open ("/proc", 0, NULL);
  guint64 n = 0;
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      char path[64];
      guint64 numbers[2];

      if (!g_ascii_isdigit (name[0]))
        continue;
      g_snprintf (path, sizeof path, "/proc/%s/status", name);
      if (proc_read_status (path, names, numbers, G_N_ELEMENTS (numbers))
          && numbers[0] == (guint64)getuid ())
        n += numbers[1];
    }
  return n;
}

/* The kernel does not refuse root, nor a process with CAP_SYS_ADMIN or CAP_SYS_RESOURCE outside of
 * any user namespace (copy_process() in kernel/fork.c). This process cannot know, but it can try:
 * where the limit is kept, the fork fails. */
static gboolean
processes_can_be_refused (void)
{
  struct rlimit limit;
  struct rlimit none;
  pid_t pid;

  if (getrlimit (RLIMIT_NPROC, &limit) != 0)
    return FALSE;
  none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
  setrlimit (RLIMIT_NPROC, &none);
  pid = fork ();
  if (pid == 0)
    _exit (0);
  if (pid > 0)
    while (waitpid (pid, NULL, 0) < 0 && errno == EINTR)
      ;
  setrlimit (RLIMIT_NPROC, &limit);
  return pid < 0;
}

static gboolean
set_processes (guint64 value, GError **error)
{
  guint64 end = count_tasks_of_user () + value - 1;

  return lower (RLIMIT_NPROC, N_ ("processes"), end, end, error);
}

static gboolean
apply_processes (guint64 value, GError **error)
{
  if (!processes_can_be_refused ())
    return fail (error, N_ ("processes"),
                 _ ("there is no control group for it, and the kernel limits no superuser"));
  return set_processes (value, error);
}

/* CPU time */

static gint64
read_clock (clockid_t clock)
{
  struct timespec now;

  return clock_gettime (clock, &now) == 0 ? (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000
                                          : -1;
}

/* getrlimit(2): SIGXCPU at the soft limit, SIGKILL at the hard one. */
static gboolean
apply_cpu_time (guint64 value, GError **error)
{
  guint64 end = (guint64)read_clock (CLOCK_PROCESS_CPUTIME_ID) + value;
  guint64 soft = end / G_USEC_PER_SEC + 1 + CPU_BACKSTOP_SECONDS;

  return lower (RLIMIT_CPU, N_ ("CPU time"), soft, soft + 1, error);
}

gint64
limits_read_cpu_time (pid_t pid)
{
  clockid_t clock;

  return clock_getcpuclockid (pid, &clock) == 0 ? read_clock (clock) : -1;
}

gint64
limits_get_cpu_wait (gint64 left, guint n_cpus)
{
  return MAX (left / MAX (n_cpus, 1), LEAST_CPU_WAIT_US);
}

/* sched_getaffinity(2): a set too small for the machine is EINVAL, and this one has 1024. */
guint
limits_count_cpus (pid_t pid)
{
  cpu_set_t cpus;
  long n = sched_getaffinity (pid, sizeof cpus, &cpus) == 0 ? CPU_COUNT (&cpus)
                                                            : sysconf (_SC_NPROCESSORS_ONLN);

  return (guint)MAX (n, 1);
}

/* Memory */

static gpointer
map (gsize size)
{
  gpointer memory = mmap (NULL, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  return memory != MAP_FAILED ? memory : NULL;
}

static gboolean
can_map (gsize size)
{
  gpointer memory = map (size);

  return memory != NULL && munmap (memory, size) == 0;
}

/* The kernel counts mappings that are private, writable and no stack (is_data_mapping() in
 * mm/mmap.c), and shows their sum as VmData. As it can be told not to care (ignore_rlimit_data),
 * and as tools stand between program and kernel, this tries. The main stack, and each mapping with
 * MAP_GROWSDOWN, has a limit of its own, which the kernel looks at when it grows. */
static gboolean
apply_memory (guint64 value, GError **error)
{
  static const char *const names[] = { "VmData", "VmStk" };
  const char *name = N_ ("memory");
  guint64 used_kib[G_N_ELEMENTS (names)];
  guint64 end;
  guint64 stack_end;

  if (reserve == NULL)
    reserve = map (RESERVE_SIZE);
  if (!proc_read_status ("/proc/self/status", names, used_kib, G_N_ELEMENTS (names))
      || used_kib[0] == 0)
    return fail (error, name, _ ("/proc does not tell how much is in use"));
  if (!g_uint64_checked_add (&end, value, used_kib[0] * 1024)
      || !g_uint64_checked_add (&stack_end, MAX (value, RESERVE_SIZE), used_kib[1] * 1024))
    return TRUE; /* there is no such memory */
  if (!lower (RLIMIT_DATA, name, end, end, error)
      || !lower (RLIMIT_STACK, name, stack_end, stack_end, error))
    return FALSE;
  if (value < G_MAXSSIZE / 2 && can_map (value + (gsize)sysconf (_SC_PAGESIZE)))
    return fail (error, name, _ ("the kernel does not keep it"));
  probe_size = (gsize)MIN (CLAMP (value / 64, LEAST_PROBE_SIZE, RESERVE_SIZE), value / 2 + 1);
  return TRUE;
}

/* All of them */

typedef enum
{
  FOR_CALL = 1 << 0,
  FOR_WORKER = 1 << 1,
  ANEW = 1 << 2,
  BEFORE_CALL = 1 << 3
} Occasion;

static const struct
{
  gsize offset;
  gboolean (*apply) (guint64 value, GError **error);
  guint occasions;
} appliers[]
    = { /* the first ones need memory and descriptors themselves */
        { G_STRUCT_OFFSET (ProcfunLimits, processes), apply_processes, FOR_CALL | FOR_WORKER },
        { G_STRUCT_OFFSET (ProcfunLimits, processes), set_processes, BEFORE_CALL },
        { G_STRUCT_OFFSET (ProcfunLimits, file_size), apply_file_size, FOR_CALL | FOR_WORKER },
        { G_STRUCT_OFFSET (ProcfunLimits, cpu_time), apply_cpu_time, FOR_CALL },
        { G_STRUCT_OFFSET (ProcfunLimits, open_files), apply_open_files,
          FOR_CALL | FOR_WORKER | ANEW },
        { G_STRUCT_OFFSET (ProcfunLimits, memory), apply_memory, FOR_CALL | FOR_WORKER | ANEW }
      };

static gboolean
apply (const ProcfunLimits *limits, Occasion occasion, GError **error)
{
  keeps_hard = occasion != FOR_CALL;
  for (gsize i = 0; i < G_N_ELEMENTS (appliers); i++)
    {
      guint64 value = G_STRUCT_MEMBER (guint64, limits, appliers[i].offset);

      if (value != 0 && (appliers[i].occasions & occasion) != 0
          && !appliers[i].apply (value, error))
        return FALSE;
    }
  errno = 0; /* or a crash would look as if these attempts had caused it */
  return TRUE;
}

gboolean
limits_apply (const ProcfunLimits *limits, GError **error)
{
  return apply (limits, FOR_CALL, error);
}

gboolean
limits_apply_to_worker (const ProcfunLimits *limits, GError **error)
{
  for (int i = 0; i < RLIM_NLIMITS && !has_inherited; i++)
    getrlimit ((__rlimit_resource_t)i, &inherited[i]);
  has_inherited = TRUE;
  return apply (limits, FOR_WORKER, error);
}

void
limits_count_anew (const ProcfunLimits *limits)
{
  apply (limits, ANEW, NULL);
}

void
limits_count_for_call (const ProcfunLimits *limits)
{
  if (limits->processes != 0)
    apply (limits, BEFORE_CALL, NULL);
}

/* Reporting the end */

/* A function that closed descriptors of others may have got their numbers for its own. */
static gboolean
is_dev_null (int fd)
{
  struct stat st;

  return fd >= 0 && fstat (fd, &st) == 0 && S_ISCHR (st.st_mode)
         && st.st_rdev == makedev (1, 3); /* null(4) */
}

void
limits_release_reserve (void)
{
  gpointer memory = g_atomic_pointer_exchange (&reserve, NULL);

  if (memory != NULL)
    munmap (memory, RESERVE_SIZE);
  for (gsize i = 0; i < RESERVE_FDS; i++)
    {
      if (is_dev_null (reserve_fds[i]))
        close (reserve_fds[i]);
      reserve_fds[i] = -1;
    }
}

LimitsExhausted
limits_probe (void)
{
  int fd = open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  gboolean no_files = fd < 0 && (errno == EMFILE || errno == ENFILE);

  if (fd >= 0)
    close (fd);
  return (can_map (probe_size) ? 0 : LIMITS_MEMORY_EXHAUSTED)
         | (no_files ? LIMITS_FILES_EXHAUSTED : 0);
}
