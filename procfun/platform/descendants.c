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

void
descendants_adopt (void)
{
  prctl (PR_SET_CHILD_SUBREAPER, 1);
}

/* It follows the thread that forked, so that must be the only one. */
gboolean
descendants_end_with (pid_t parent)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  return getppid () == parent;
}

static void
kill_and_reap (pid_t pid)
{
  kill (pid, SIGKILL);
  while (waitpid (pid, NULL, __WALL) < 0 && errno == EINTR)
    ;
}

/* proc(5): task/TID/children, numbers with a space behind each. @spared: (nullable) numbers. */
static guint
kill_children_of_thread (int task_folder, const char *thread, GHashTable *spared)
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
      kill_and_reap ((pid_t)pid);
      n_killed++;
    }
  return n_killed;
}

/* How many there were. */
static guint
kill_children (GHashTable *spared)
{
  DIR *dir = opendir ("/proc/self/task");
  struct dirent *entry;
  guint n_killed = 0;

  if (dir == NULL)
    return 0;
  while ((entry = readdir (dir)) != NULL)
    if (entry->d_name[0] != '.')
      n_killed += kill_children_of_thread (dirfd (dir), entry->d_name, spared);
  closedir (dir);
  return n_killed;
}

gboolean
descendants_exist (void)
{
  siginfo_t info;

  return waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

/* Those below the ones that are killed become children in turn, and whoever made a session of its
 * own is found, too. Who starts processes faster than this is left to the group's end. */
void
descendants_kill (void)
{
  for (int round = 0; descendants_exist (); round++)
    {
      if (round == KILL_ROUNDS_MAX && getpgrp () == getpid ())
        kill (0, SIGKILL);
      if (round == KILL_ROUNDS_MAX)
        return;
      kill_children (NULL);
    }
}

void
descendants_kill_others (GHashTable *spared)
{
  for (int round = 0; round < KILL_ROUNDS_MAX && kill_children (spared) > 0; round++)
    ;
}
