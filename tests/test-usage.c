/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/usage-measure.h"
#include "tests/fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024 * 1024)

/* The kernel counts resident pages for each CPU apart, and adds them up later. */
#define INEXACT (2 * MIB)

static gint64
get_cpu_time (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static void
spin (gint64 us)
{
  gint64 end = get_cpu_time (CLOCK_THREAD_CPUTIME_ID) + us;

  while (get_cpu_time (CLOCK_THREAD_CPUTIME_ID) < end)
    ;
}

static void *
spin_in_thread (void *data)
{
  spin (50000);
  return NULL;
}

/* Each page of its own: huge ones would make few faults of many. */
static gpointer
take (gsize size)
{
  char *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (memory != MAP_FAILED);
  madvise (memory, size, MADV_NOHUGEPAGE);
  memset (memory, 1, size);
  return memory;
}

static guint64
measure_peak (gsize size)
{
  UsageMark mark;
  ProcfunUsage usage;

  usage_begin (&mark);
  if (size > 0)
    munmap (take (size), size);
  usage_end (&mark, &usage);
  return usage.peak_memory;
}

static void
test_usage_members (void)
{
  const ProcfunUsage usage = { 1234567, 250000, 999, 200 * MIB, 4, 5, 6, 7, 8, 9000 };
  g_autoptr (ProcfunUsage) copy = g_boxed_copy (PROCFUN_TYPE_USAGE, &usage);
  g_autofree char *text = procfun_usage_to_string (copy);

  g_assert_cmpint (procfun_usage_get_wall_time (copy), ==, 1234567);
  g_assert_cmpint (procfun_usage_get_user_time (copy), ==, 250000);
  g_assert_cmpint (procfun_usage_get_system_time (copy), ==, 999);
  g_assert_cmpuint (procfun_usage_get_peak_memory (copy), ==, 200 * MIB);
  g_assert_cmpuint (procfun_usage_get_minor_faults (copy), ==, 4);
  g_assert_cmpuint (procfun_usage_get_major_faults (copy), ==, 5);
  g_assert_cmpuint (procfun_usage_get_voluntary_switches (copy), ==, 6);
  g_assert_cmpuint (procfun_usage_get_involuntary_switches (copy), ==, 7);
  g_assert_cmpuint (procfun_usage_get_bytes_in (copy), ==, 8);
  g_assert_cmpuint (procfun_usage_get_bytes_out (copy), ==, 9000);
  g_assert_nonnull (strstr (text, "1.23 s, CPU 250.0 ms user and 999 µs system; memory 200.0"));
  g_assert_nonnull (
      strstr (text, "; page faults: 9, 5 from disk; switches: 13, 7 forced; 8 bytes in"));
}

static void
test_usage_time (void)
{
  UsageMark mark;
  ProcfunUsage usage;
  pthread_t thread;
  gint64 all;

  spin (20000); /* not of the call */
  all = get_cpu_time (CLOCK_PROCESS_CPUTIME_ID);
  usage_begin (&mark);
  pthread_create (&thread, NULL, spin_in_thread, NULL);
  spin (50000);
  pthread_join (thread, NULL);
  usage_end (&mark, &usage);
  all = get_cpu_time (CLOCK_PROCESS_CPUTIME_ID) - all;
  g_assert_cmpint (usage.wall_time, >=, 50000);
  g_assert_cmpint (usage.user_time + usage.system_time, >=, 99000);
  g_assert_cmpint (usage.user_time + usage.system_time, <=, all + 10);
  g_assert_cmpint (usage.user_time, >=, 0);
  g_assert_cmpint (usage.system_time, >=, 0);
}

static void
test_usage_peak (void)
{
  guint64 base;

  measure_peak (64 * MIB); /* a sanitizer keeps memory that says which of this may be used */
  base = measure_peak (0);
  g_assert_cmpuint (base, >, 0);
  g_assert_cmpuint (measure_peak (64 * MIB), >=, base + 64 * MIB - INEXACT);
  g_assert_cmpuint (measure_peak (32 * MIB), <, base + 32 * MIB + INEXACT);
  g_assert_cmpuint (measure_peak (0), <, base + INEXACT);
}

/* In a process that was just started nothing is forgotten, because all is the call's. */
static void
test_usage_peak_of_fresh_process (void)
{
  gpointer memory;

  if (g_test_subprocess ())
    {
      guint64 peak = measure_peak (32 * MIB);

      g_assert_cmpuint (peak, >=, 32 * MIB);
      g_assert_cmpuint (peak, <, 200 * MIB);
      return;
    }
  memory = take (256 * MIB);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
  munmap (memory, 256 * MIB);
}

static void
test_usage_counts (void)
{
  UsageMark mark;
  ProcfunUsage usage;

  usage_begin (&mark);
  munmap (take (4 * MIB), 4 * MIB);
  for (guint i = 0; i < 40; i++) /* on a busy machine a time may be over before it is waited for */
    g_usleep (100);
  usage_end (&mark, &usage);
  g_assert_cmpuint (usage.minor_faults, >=, 4 * MIB / sysconf (_SC_PAGESIZE));
  g_assert_cmpuint (usage.voluntary_switches, >=, 20);
  usage_begin (&mark);
  usage_end (&mark, &usage);
  g_assert_cmpuint (usage.minor_faults, <, 100);
  g_assert_cmpuint (usage.major_faults, <, 10);
}

/* From a signal handler */

static UsageMark handler_mark;
static ProcfunUsage handler_usage;

static void
on_signal (int signum)
{
  usage_end (&handler_mark, &handler_usage);
}

/* On as small a stack as one may think of. */
static void
test_usage_in_handler (void)
{
  gsize size = (gsize)sysconf (_SC_MINSIGSTKSZ) + 8192;
  g_autofree char *memory = g_malloc (size);
  stack_t stack = { .ss_sp = memory, .ss_size = size };
  stack_t none = { .ss_flags = SS_DISABLE };
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

  sigaltstack (&stack, NULL);
  sigaction (SIGUSR1, &action, NULL);
  usage_begin (&handler_mark);
  spin (10000);
  raise (SIGUSR1);
  signal (SIGUSR1, SIG_DFL);
  sigaltstack (&none, NULL);
  g_assert_cmpint (handler_usage.user_time + handler_usage.system_time, >=, 9000);
  g_assert_cmpuint (handler_usage.peak_memory, >, 0);
}

/* From outside */

static void *
stay (void *data)
{
  pause ();
  return NULL;
}

/* Has used 50 ms and 32 MiB, and then says how much time it was exactly. */
static pid_t
start_child (int says[2])
{
  pid_t pid;

  g_assert_cmpint (pipe (says), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      pthread_t thread;
      gint64 used;

      prctl (PR_SET_PDEATHSIG, SIGKILL);
      pthread_create (&thread, NULL, stay, NULL);
      spin (50000);
      munmap (take (32 * MIB), 32 * MIB);
      for (guint i = 0; i < 20; i++)
        usleep (100);
      used = get_cpu_time (CLOCK_PROCESS_CPUTIME_ID);
      if (write (says[1], &used, sizeof used) == sizeof used)
        pause ();
      _exit (0);
    }
  close (says[1]);
  return pid;
}

static void
test_usage_of_process (void)
{
  gint64 start = g_get_monotonic_time ();
  ProcfunUsage usage;
  siginfo_t info;
  int says[2];
  gint64 cpu, said;
  pid_t pid;

  if (fixture_has_thread_sanitizer ())
    {
      g_test_skip ("the thread sanitizer lets no fork of a program start threads");
      return;
    }
  pid = start_child (says);
  g_assert_cmpint (read (says[0], &said, sizeof said), ==, sizeof said);
  close (says[0]);
  g_assert_true (usage_of_process (pid, &usage));
  cpu = usage.user_time + usage.system_time;
  g_assert_cmpint (said, >=, 50000);
  g_assert_cmpint (cpu, >=, said - 10);
  g_assert_cmpint (cpu, <, said + 50000);
  g_assert_cmpint (usage.wall_time, >=, cpu - 10000);
  g_assert_cmpint (usage.wall_time, <=, g_get_monotonic_time () - start + 20000);
  g_assert_cmpuint (usage.peak_memory, >=, 32 * MIB - INEXACT);
  g_assert_cmpuint (usage.minor_faults, >=, 32 * MIB / sysconf (_SC_PAGESIZE));
  g_assert_cmpuint (usage.voluntary_switches, >=, 21);

  kill (pid, SIGKILL);
  g_assert_cmpint (waitid (P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), ==, 0);
  g_assert_true (usage_of_process (pid, &usage));
  g_assert_cmpint (usage.user_time + usage.system_time, >=, cpu);
  g_assert_cmpuint (usage.peak_memory, ==, 0);

  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_assert_false (usage_of_process (pid, &usage));
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/usage/members-are-read-and-printed", test_usage_members);
  fixture_add_func ("/usage/time-of-all-threads-counts", test_usage_time);
  fixture_add_func ("/usage/peak-is-that-of-the-call", test_usage_peak);
  fixture_add_func ("/usage/peak-of-fresh-process-is-not-its-parents",
                    test_usage_peak_of_fresh_process);
  fixture_add_func ("/usage/faults-and-switches-are-counted", test_usage_counts);
  fixture_add_func ("/usage/signal-handler-may-measure", test_usage_in_handler);
  fixture_add_func ("/usage/other-process-is-measured", test_usage_of_process);

  return fixture_run ();
}
