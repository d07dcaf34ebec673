/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/descendants.h"

#include "procfun/platform/fds.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* More generations than anybody means to have. */
#define KILL_ROUNDS_MAX 100

/* A killed process is dead after some ten microseconds; one that waits for a device is left. */
#define DEATH_STEP_US 50
#define DEATH_MAX_US (G_USEC_PER_SEC / 2)

void
descendants_adopt (void)
{
  prctl (PR_SET_CHILD_SUBREAPER, 1);
}

/* The signal follows the thread that forked. So that thread must be the only one, or the signal one
 * that is handled. */
gboolean
descendants_end_with (pid_t parent, int signum)
{
  prctl (PR_SET_PDEATHSIG, signum);
  return getppid () == parent;
}

/* FALSE: it may not be killed, because it executes a setuid file of another user, or it is not dead
 * at @end, monotonic time in µs. */
static gboolean
kill_and_reap (pid_t pid, gint64 end)
{
  gboolean may_kill = kill (pid, SIGKILL) == 0;

  for (;;)
    {
      int status = 0;
      pid_t reaped = waitpid (pid, &status, __WALL | WNOHANG);

      if (reaped == pid && !WIFSTOPPED (status)) /* it may have itself traced */
        return TRUE;
      if ((reaped < 0 && errno != EINTR) || !may_kill || g_get_monotonic_time () > end)
        return FALSE;
      g_usleep (DEATH_STEP_US);
    }
}

/* proc(5): task/TID/children, numbers with a space behind each. @spared: (nullable) numbers. */
static guint
kill_children_of_thread (int task_folder, const char *thread, GHashTable *spared, gint64 end_at)
{
  char text[4096];
  char path[300];
  char *at = text;
  char *end;
  guint n_killed = 0;
  gssize n;

  g_snprintf (path, sizeof path, "%s/children", thread);
  auto_fd int fd = openat (task_folder, path, O_RDONLY | O_CLOEXEC);
  n = fd >= 0 ? read (fd, text, sizeof text - 1) : 0;
  text[MAX (n, 0)] = '\0';
  for (long pid = strtol (at, &end, 10); end > at && *end == ' '; pid = strtol (at, &end, 10))
    {
      at = end + 1;
      if (spared != NULL && g_hash_table_contains (spared, GINT_TO_POINTER (pid)))
        continue;
      if (kill_and_reap ((pid_t)pid, end_at))
        n_killed++;
    }
  return n_killed;
}

/* Number of dead ones now. */
static guint
kill_children (GHashTable *spared)
{
  gint64 end = g_get_monotonic_time () + DEATH_MAX_US;
  DIR *dir = opendir ("/proc/self/task");
  struct dirent *entry;
  guint n_killed = 0;

  if (dir == NULL)
    return 0;
  while ((entry = readdir (dir)) != NULL)
    if (entry->d_name[0] != '.')
      n_killed += kill_children_of_thread (dirfd (dir), entry->d_name, spared, end);
  closedir (dir);
  return n_killed;
}

gboolean
descendants_exist (void)
{
  siginfo_t info;

  return waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

/* Children of a killed process become children of this one, so that processes with a session of
 * their own are found, too. A process that starts others faster than this is left to the end of the
 * group. */
void
descendants_kill (void)
{
  for (int round = 0; descendants_exist (); round++)
    {
      if (round == KILL_ROUNDS_MAX && getpgrp () == getpid ())
        kill (0, SIGKILL);
      if (round == KILL_ROUNDS_MAX || kill_children (NULL) == 0)
        return;
    }
}

void
descendants_kill_others (GHashTable *spared)
{
  for (int round = 0; round < KILL_ROUNDS_MAX && kill_children (spared) > 0; round++)
    ;
}
