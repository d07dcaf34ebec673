/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The descendants of a process are found, and stopped, while it starts others. */

#include "tests/fixture.h"

#include "procfun/platform/family.h"
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 50
#define CHILDREN_MAX 300

static void
stay (void)
{
  for (;;)
    pause ();
}

/* Each child is in a session of its own. */
static void
start_children (guint n)
{
  for (guint i = 0; i < n; i++)
    if (fork () == 0)
      {
        setsid ();
        stay ();
      }
  stay ();
}

static pid_t
start_family (guint n)
{
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      prctl (PR_SET_CHILD_SUBREAPER, 1);
      if (fork () == 0)
        start_children (n);
      start_children (n);
    }
  return pid;
}

static guint
count (pid_t pid)
{
  g_autoptr (GArray) pids = family_list (pid);

  return pids->len;
}

static void
stop (pid_t pid)
{
  g_assert_no_errno (kill (pid, SIGSTOP));
  while (!family_stop (pid))
    g_thread_yield ();
}

/* The root is killed last, and is the parent of all orphans then, dead ones too. */
static void
end_family (pid_t pid)
{
  family_kill (pid);
  g_assert_no_errno (kill (pid, SIGKILL));
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

static void
test_lists (void)
{
  const pid_t pid = start_family (3);

  while (count (pid) < 7)
    g_thread_yield ();
  stop (pid);
  g_assert_cmpuint (count (pid), ==, 7);
  end_family (pid);
}

static void
test_stopped_start_no_more (void)
{
  for (guint i = 0; i < ROUNDS; i++)
    {
      const pid_t pid = start_family (CHILDREN_MAX);
      guint n;

      while (count (pid) < i)
        ;
      stop (pid);
      n = count (pid);
      g_thread_yield ();
      g_assert_cmpuint (count (pid), ==, n);
      end_family (pid);
    }
}

static void
test_none (void)
{
  const pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    _exit (0);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_assert_true (family_stop (pid));
  g_assert_cmpuint (count (pid), ==, 0);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/family/lists-descendants-in-other-sessions", test_lists);
  fixture_add_func ("/family/stopped-ones-start-no-more", test_stopped_start_no_more);
  fixture_add_func ("/family/of-a-process-that-is-gone", test_none);

  return fixture_run ();
}
