/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/family.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/proc.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  GArray *pids;         /* (element-type pid_t) */
  gboolean awaits_stop; /* of the process that is looked at */
  gboolean are_stopped;
} Walk;

static void
add_numbers (GArray *pids, const char *text)
{
  char *end;

  for (pid_t pid = (pid_t)strtol (text, &end, 10); end > text; pid = (pid_t)strtol (text, &end, 10))
    {
      g_array_append_val (pids, pid);
      text = end;
    }
}

/* proc(5): /proc/PID/task/TID/children. There may be thousands of such files. */
static void
collect_from (const char *path, GArray *pids)
{
  g_autofree char *long_text = NULL;
  char text[1024];
  gssize n = -1;
  auto_fd int fd = open (path, O_RDONLY | O_CLOEXEC);

  if (fd >= 0)
    n = read (fd, text, sizeof text - 1);
  if (n <= 0)
    return;
  text[n] = '\0';
  if (n < (gssize)sizeof text - 1)
    add_numbers (pids, text);
  else if (g_file_get_contents (path, &long_text, NULL, NULL))
    add_numbers (pids, long_text);
}

/* Or is dead. */
static gboolean
thread_is_stopped (const char *thread_path)
{
  char path[128];
  char text[PROC_STAT_SIZE];
  const char *name_end;

  g_snprintf (path, sizeof path, "%s/stat", thread_path);
  if (!proc_read_stat (path, text) || (name_end = strrchr (text, ')')) == NULL)
    return TRUE;
  return name_end[1] == ' ' && name_end[2] != '\0' && strchr ("TtZXx", name_end[2]) != NULL;
}

/* The state is read first, because a thread that is not stopped yet may have another child. */
static void
look_at_thread (Walk *self, const char *thread_path)
{
  char path[128];

  if (self->awaits_stop && !thread_is_stopped (thread_path))
    self->are_stopped = FALSE;
  g_snprintf (path, sizeof path, "%s/children", thread_path);
  collect_from (path, self->pids);
}

/* The first two links of a folder are no threads. */
static gboolean
has_one_thread (const char *task_path)
{
  struct stat st;

  return stat (task_path, &st) == 0 && st.st_nlink == 3;
}

static void
look_at_process (Walk *self, pid_t pid)
{
  char task_path[64];
  char path[96];
  g_autoptr (GDir) tasks = NULL;
  const char *tid;

  g_snprintf (task_path, sizeof task_path, "/proc/%d/task", (int)pid);
  if (has_one_thread (task_path))
    {
      g_snprintf (path, sizeof path, "%s/%d", task_path, (int)pid);
      look_at_thread (self, path);
      return;
    }
  tasks = g_dir_open (task_path, 0, NULL);
  while (tasks != NULL && (tid = g_dir_read_name (tasks)) != NULL)
    {
      g_snprintf (path, sizeof path, "%s/%s", task_path, tid);
      look_at_thread (self, path);
    }
}

/* @signum: for each before its own children are looked for; 0: none. */
static Walk
walk (pid_t pid, int signum)
{
  Walk self = { g_array_new (FALSE, FALSE, sizeof (pid_t)), kill (pid, 0) == 0, TRUE };

  look_at_process (&self, pid);
  for (guint i = 0; i < self.pids->len; i++) /* grows meanwhile */
    {
      const pid_t descendant = g_array_index (self.pids, pid_t, i);

      self.awaits_stop = kill (descendant, signum) == 0;
      look_at_process (&self, descendant);
    }
  return self;
}

GArray *
family_list (pid_t pid)
{
  return walk (pid, 0).pids;
}

gboolean
family_stop (pid_t pid)
{
  Walk walked = walk (pid, SIGSTOP);

  g_array_unref (walked.pids);
  return walked.are_stopped;
}

void
family_kill (pid_t pid)
{
  g_autoptr (GArray) pids = walk (pid, SIGSTOP).pids;

  for (guint i = 0; i < pids->len; i++)
    kill (g_array_index (pids, pid_t, i), SIGKILL);
}
