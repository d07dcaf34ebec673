/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/confine.h"

#include "procfun/platform/sandbox-apply.h"
#include "procfun/platform/syscall-filter.h"
#include "procfun/platform/syscall-refusal.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

void
confine_begin (guint cpu_time)
{
  const struct rlimit no_core = { 0, 0 };
  const struct itimerval timer = { .it_value = { .tv_usec = (suseconds_t)cpu_time } };

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  setrlimit (RLIMIT_CORE, &no_core);
  setitimer (ITIMER_PROF, &timer, NULL);
}

static void
on_refused (int signum, siginfo_t *info, void *context)
{
  if (!syscall_refusal_handle (info, context))
    _exit (1);
}

static void
enter_sandbox (void)
{
  const struct sigaction action = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };
  SandboxOrder order = { .level = PROCFUN_SANDBOX_PURE_COMPUTE, .best_effort = TRUE };
  GBytes *filter = syscall_filter_get (order.level, NULL);
  SandboxState state;

  if (filter != NULL)
    order.filter = g_bytes_get_data (filter, &order.filter_size);
  sigaction (SIGSYS, &action, NULL);
  if (sandbox_prepare (&order, NULL))
    sandbox_apply (&order, &state, NULL);
}

void
confine (guint64 memory)
{
  const struct rlimit limit = { (rlim_t)memory, (rlim_t)memory };

  if (memory > 0)
    setrlimit (RLIMIT_DATA, &limit);
  enter_sandbox ();
}
