/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs and their signals, and the ends of their children. */

#include "tests/hosts.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How the process ended may be unknown, but that it did not succeed is not. */
static void
assert_calls_are_judged (void)
{
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < 5; i++)
    host_assert_works ();
  g_assert_false (crash_process (&error));
  g_assert_cmpuint (error->domain, ==, PROCFUN_ERROR);
  g_assert_true (error->code == PROCFUN_ERROR_CRASHED || error->code == PROCFUN_ERROR_EXITED);
  g_assert_nonnull (strstr (error->message, "crash()"));
}

static void
sigchld_ignored (char **args)
{
  signal (SIGCHLD, SIG_IGN);
  assert_calls_are_judged ();
}

static void
on_signal (int signum)
{
}

static void
sigchld_no_wait (char **args)
{
  const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NOCLDWAIT };

  g_assert_cmpint (sigaction (SIGCHLD, &action, NULL), ==, 0);
  assert_calls_are_judged ();
}

static gint stop;

static gpointer
reap_all (gpointer user_data)
{
  while (!g_atomic_int_get (&stop))
    if (waitpid (-1, NULL, 0) < 0)
      sched_yield ();
  return NULL;
}

static void
thread_that_reaps (char **args)
{
  GThread *thread = g_thread_new ("reaper", reap_all, NULL);

  assert_calls_are_judged ();
  g_atomic_int_set (&stop, TRUE);
  procfun_executor_close (procfun_executor_get_default (), NULL, NULL); /* it waits for that, too */
  g_thread_join (thread);
}

/* More than a socket holds, for somebody who never reads. */
static void
sigpipe_default (char **args)
{
  static const char *const launcher[] = { "false", NULL };
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_autofree char *text = g_strnfill (16 * 1024 * 1024, 'x');
  g_autoptr (ProcfunCall) call = length_call (text);
  g_autoptr (GError) error = NULL;

  signal (SIGPIPE, SIG_DFL);
  procfun_spawner_set_launcher (PROCFUN_SPAWNER (executor), launcher);
  procfun_call_set_executor (call, executor);
  length_run (call, NULL, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
}

static void
signals_blocked_and_ignored (char **args)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  sigset_t all;

  for (int signum = 1; signum < NSIG; signum++)
    if (signum != SIGALRM)
      signal (signum, SIG_IGN);
  sigfillset (&all);
  sigdelset (&all, SIGALRM);
  g_assert_cmpint (sigprocmask (SIG_SETMASK, &all, NULL), ==, 0);
  text = describe_signals_process (&error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "blocked 0, ignored 0");
}

static void
group_terminated (char **args)
{
  Held held;

  signal (SIGTERM, on_signal);
  g_assert_cmpint (setpgid (0, 0), ==, 0);
  held_begin (&held);
  g_assert_cmpint (kill (0, SIGTERM), ==, 0);
  held_end (&held);
}

const Host hosts_signals[] = { { "sigchld-ignored", sigchld_ignored },
                               { "sigchld-no-wait", sigchld_no_wait },
                               { "thread-that-reaps", thread_that_reaps },
                               { "sigpipe-default", sigpipe_default },
                               { "signals-blocked-and-ignored", signals_blocked_and_ignored },
                               { "group-terminated", group_terminated },
                               { NULL, NULL } };
