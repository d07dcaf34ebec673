/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/left-settings.h"

#include <fcntl.h>
#include <fenv.h>
#include <limits.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/fixture.h"

#define NOBODY 65534

static void
ignore_terminate (void)
{
  signal (SIGTERM, SIG_IGN);
}

static gboolean
terminate_is_ignored (void)
{
  struct sigaction action;

  return sigaction (SIGTERM, NULL, &action) != 0 || action.sa_handler == SIG_IGN;
}

static void
on_signal (int signum)
{
}

static void
handle_child (void)
{
  signal (SIGCHLD, on_signal);
}

static gboolean
child_is_handled (void)
{
  struct sigaction action;

  return sigaction (SIGCHLD, NULL, &action) != 0 || action.sa_handler == on_signal;
}

static void
set_timer (int which)
{
  const struct itimerval timer = { .it_value = { .tv_sec = 1000 } };

  setitimer (which, &timer, NULL);
}

static gboolean
has_timer (int which)
{
  struct itimerval timer;

  return getitimer (which, &timer) != 0 || timer.it_value.tv_sec != 0;
}

static void
set_profiling_timer (void)
{
  set_timer (ITIMER_PROF);
}

static gboolean
has_profiling_timer (void)
{
  return has_timer (ITIMER_PROF);
}

static void
set_virtual_timer (void)
{
  set_timer (ITIMER_VIRTUAL);
}

static gboolean
has_virtual_timer (void)
{
  return has_timer (ITIMER_VIRTUAL);
}

static timer_t posix_timer;

static void
create_posix_timer (void)
{
  const struct itimerspec time = { .it_value = { .tv_sec = 1000 } };
  struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };

  g_assert_cmpint (timer_create (CLOCK_MONOTONIC, &event, &posix_timer), ==, 0);
  timer_settime (posix_timer, 0, &time, NULL);
}

static gboolean
has_posix_timer (void)
{
  struct itimerspec time;

  return timer_gettime (posix_timer, &time) == 0;
}

static void
lower_soft_limit (void)
{
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = 9;
  setrlimit (RLIMIT_NOFILE, &limit);
}

static gboolean
soft_limit_is_low (void)
{
  struct rlimit limit;

  return getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == 9;
}

static void
no_longer_adopt (void)
{
  prctl (PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

static gboolean
does_not_adopt (void)
{
  int adopts = 0;

  return prctl (PR_GET_CHILD_SUBREAPER, &adopts, 0, 0, 0) != 0 || !adopts;
}

static void
make_stderr_not_block (void)
{
  fcntl (STDERR_FILENO, F_SETFL, fcntl (STDERR_FILENO, F_GETFL) | O_NONBLOCK);
}

static gboolean
stderr_does_not_block (void)
{
  return (fcntl (STDERR_FILENO, F_GETFL) & O_NONBLOCK) != 0;
}

static void
set_alarm (void)
{
  alarm (1000);
}

static gboolean
has_alarm (void)
{
  return has_timer (ITIMER_REAL);
}

/* Of a handler that stays the same. */
static void
change_flags (void)
{
  const struct sigaction action = { .sa_handler = SIG_DFL, .sa_flags = SA_NODEFER };

  sigaction (SIGUSR2, &action, NULL);
}

static gboolean
has_changed_flags (void)
{
  struct sigaction action;

  return sigaction (SIGUSR2, NULL, &action) != 0 || (action.sa_flags & SA_NODEFER) != 0;
}

static cpu_set_t processors; /* of the worker at first */

static void
leave_a_processor (void)
{
  cpu_set_t fewer;

  g_assert_no_errno (sched_getaffinity (0, sizeof processors, &processors));
  fewer = processors;
  for (int i = 0; i < CPU_SETSIZE && CPU_COUNT (&fewer) > 1; i++)
    CPU_CLR (i, &fewer);
  g_assert_no_errno (sched_setaffinity (0, sizeof fewer, &fewer));
}

/* Where there is one alone, it counts as changed once. */
static gboolean
has_left_a_processor (void)
{
  static gboolean is_known;
  const gboolean has_one = CPU_COUNT (&processors) == 1 && !is_known;
  cpu_set_t now;

  is_known = TRUE;
  return has_one || sched_getaffinity (0, sizeof now, &now) != 0 || !CPU_EQUAL (&now, &processors);
}

/* Only who may go back has anything restored. */
static gboolean
may_be_nicer (void)
{
  return geteuid () == 0 && !fixture_has_sanitizers ();
}

static void
leave_nice (void)
{
  if (may_be_nicer ())
    g_assert_no_errno (setpriority (PRIO_PROCESS, 0, 7));
}

/* Where it cannot be, it counts as changed once. */
static gboolean
has_left_nice (void)
{
  static gboolean is_known;
  const gboolean has_none = !may_be_nicer () && !is_known;

  is_known = TRUE;
  return has_none || getpriority (PRIO_PROCESS, 0) == 7;
}

static void
change_umask (void)
{
  umask (0123);
}

static gboolean
has_changed_umask (void)
{
  const mode_t now = umask (0);

  umask (now); /* to look must not restore it */
  return now == 0123;
}

static void
round_upward (void)
{
  fesetround (FE_UPWARD);
}

static gboolean
rounds_upward (void)
{
  return fegetround () != FE_TONEAREST;
}

static void
block_terminate (void)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGTERM);
  sigprocmask (SIG_BLOCK, &set, NULL);
}

static gboolean
terminate_is_blocked (void)
{
  sigset_t set;

  return sigprocmask (SIG_BLOCK, NULL, &set) != 0 || sigismember (&set, SIGTERM);
}

static void
change_directory (void)
{
  g_assert_cmpint (chdir ("/proc"), ==, 0);
}

static gboolean
is_in_other_directory (void)
{
  char path[PATH_MAX];

  return getcwd (path, sizeof path) == NULL || strcmp (path, "/proc") == 0;
}

static void
trap_division (void)
{
  feenableexcept (FE_DIVBYZERO);
}

static gboolean
traps_division (void)
{
  return fegetexcept () != 0;
}

const RestoredSetting restored_settings[]
    = { { "an-ignored-signal", ignore_terminate, terminate_is_ignored },
        { "a-signal-handler", handle_child, child_is_handled },
        { "a-blocked-signal", block_terminate, terminate_is_blocked },
        { "an-alarm", set_alarm, has_alarm },
        { "a-profiling-timer", set_profiling_timer, has_profiling_timer },
        { "a-virtual-timer", set_virtual_timer, has_virtual_timer },
        { "a-posix-timer", create_posix_timer, has_posix_timer },
        { "a-soft-limit", lower_soft_limit, soft_limit_is_low },
        { "the-umask", change_umask, has_changed_umask },
        { "flags-of-a-signal", change_flags, has_changed_flags },
        { "the-processors", leave_a_processor, has_left_a_processor },
        { "the-nice-value", leave_nice, has_left_nice },
        { "the-rounding-mode", round_upward, rounds_upward },
        { "floating-point-traps", trap_division, traps_division },
        { "the-directory", change_directory, is_in_other_directory },
        { "the-adoption-of-orphans", no_longer_adopt, does_not_adopt },
        { "a-descriptor-that-does-not-block", make_stderr_not_block, stderr_does_not_block } };

const gsize n_restored_settings = G_N_ELEMENTS (restored_settings);

PROCFUN_DEFINE_FUNCTION (change_restored, int, (int, i))
{
  restored_settings[i].change ();
  return restored_settings[i].is_changed () ? getpid () : -1;
}

PROCFUN_DEFINE_FUNCTION (find_restored, int, (int, i))
{
  return restored_settings[i].is_changed () ? -1 : getpid ();
}

static void
set_variable (void)
{
  g_setenv ("PROCFUN_TEST_LEFT", "secret", TRUE);
}

static void
change_variable (void)
{
  g_setenv ("PATH", "/nowhere", TRUE);
}

static void
remove_variable (void)
{
  g_unsetenv ("PATH");
}

static void
change_locale (void)
{
  g_assert_nonnull (
      setlocale (LC_NUMERIC, g_str_equal (setlocale (LC_NUMERIC, NULL), "C") ? "C.UTF-8" : "C"));
}

static void
change_user (void)
{
  g_assert_cmpint (setuid (NOBODY), ==, 0);
}

static void
take_no_privileges (void)
{
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void
change_stdin (void)
{
  int fd = open ("/dev/zero", O_RDONLY);

  g_assert_cmpint (dup2 (fd, STDIN_FILENO), ==, STDIN_FILENO);
  close (fd);
}

const FoundSetting found_settings[]
    = { { "a-new-environment-variable", set_variable, "environment" },
        { "a-changed-environment-variable", change_variable, "environment" },
        { "a-removed-environment-variable", remove_variable, "environment" },
        { "another-locale", change_locale, "locale" },
        { "another-user", change_user, "identity", TRUE },
        { "no-new-privileges", take_no_privileges, "identity" },
        { "another-stdin", change_stdin, "descriptors" } };

const gsize n_found_settings = G_N_ELEMENTS (found_settings);

PROCFUN_DEFINE_FUNCTION (change_found, int, (int, i))
{
  found_settings[i].change ();
  return getpid ();
}
